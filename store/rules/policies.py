"""Published policies: insert-only, the newest one counts for new orders; who published what is in the audit (R17)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.policy import Policy, changes
from domain.records import AuditEntry
from domain.strict import of
from store.audit.audit import append_entry
from store.errors import PolicyOvertaken
from store.pool import Connection, Pool

# The newest policy.
NEWEST = "SELECT policy FROM policies ORDER BY version DESC LIMIT 1"

# One certain version.
VERSION = "SELECT policy FROM policies WHERE version = $1"

# A new version; does nothing when the number is taken.
PUBLISH = """
INSERT INTO policies (version, policy, published_by, published_at, draft_no) VALUES ($1, $2, $3, now(), $4)
ON CONFLICT DO NOTHING RETURNING published_at"""

# Newest first, each with the one before it.
HISTORY = """
SELECT version, policy, published_by, published_at, lag(policy) OVER (ORDER BY version) AS before
FROM policies ORDER BY version DESC LIMIT $1"""

# Publishing one after another: version numbers have no gaps. Ends with the transaction.
ONE_PUBLISHER = "SELECT hold('policies')"


@dataclass(frozen=True)
class PublishedPolicy:
    """One version. `changed`: old and new value by setting, against the version before; empty for the first."""

    version: int
    published_by: str
    published_at: datetime
    changed: Mapping[str, tuple[Any, Any]]


class PolicyStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def current(self) -> Policy:
        """The newest policy; the built-in defaults as long as nobody has published one."""
        async with self._pool.acquire() as connection:
            return await read_current(connection) or Policy()

    async def version(self, version: int) -> Policy:
        """One published version. Raises `KeyError`."""
        found = await self._pool.fetchval(VERSION, version)
        if found is None:
            raise KeyError(f"policy version {version} was never published")
        return of(Policy, found)

    async def publish(self, policy: Policy, by: str) -> Policy:
        """`publish_policy` at once: for plays. In life another person approves (`store/approvals/controls.py`)."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await publish_policy(connection, policy, by, None, {})

    async def history(self, limit: int = 100) -> tuple[PublishedPolicy, ...]:
        """Newest first."""
        return tuple(
            PublishedPolicy(
                row["version"],
                row["published_by"],
                row["published_at"],
                changes(of(Policy, row["before"]), of(Policy, row["policy"])) if row["before"] else {},
            )
            for row in await self._pool.fetch(HISTORY, limit)
        )


async def publish_policy(
    connection: Connection, policy: Policy, by: str, based_on: int | None, told: Mapping[str, Any],
    draft_no: int | None = None,
) -> Policy:  # fmt: skip
    """Inside a transaction: the policy with the version that it got; `policy.version` as given is ignored. Audited with
    what changed, and `told`. Raises `PolicyOvertaken` when another version than `based_on` counts by now."""
    await connection.execute(ONE_PUBLISHER)
    last = await read_current(connection)
    if last is None:
        last = await publish_defaults(connection)
    if based_on is not None and based_on != last.version:
        raise PolicyOvertaken(based_on, last.version)
    new = policy.model_copy(update={"version": last.version + 1})
    at = await connection.fetchval(PUBLISH, new.version, new.model_dump(mode="json"), by, draft_no)
    detail = {"version": new.version, "changed": changes(last, new), **told}
    await append_entry(connection, AuditEntry(actor=by, action="policy.publish", detail=detail), at)
    return new


async def read_current(connection: Connection) -> Policy | None:
    found = await connection.fetchval(NEWEST)
    return None if found is None else of(Policy, found)


async def publish_defaults(connection: Connection) -> Policy:
    """The built-in defaults become version 0, so that every order can refer to a published version."""
    policy = Policy()
    await connection.execute(PUBLISH, policy.version, policy.model_dump(mode="json"), "built-in", None)
    return policy
