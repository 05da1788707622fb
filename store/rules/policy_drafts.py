"""Drafts of the policy: written down, tried on what has happened, published as they stand. Rows are only ever added."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.policy import Policy, changes
from domain.records import AuditEntry
from domain.returns.enums import Fault, Reason, ReturnType
from domain.rules.engine import engine_of
from domain.rules.policy_trial import PastDispatch, PastReturn, PolicyTrial, tried
from domain.strict import of
from store.audit.audit import append_entry
from store.errors import ChangeRefused, PolicyOvertaken
from store.pool import Connection, Pool, Row
from store.rules.past_plans import PastOrders
from store.rules.policies import PolicyStore, read_current
from store.rules.rule_sets import RuleSetStore

COLUMNS = "d.draft_no, d.name, d.policy, d.based_on, d.drafted_by, d.drafted_at, p.version, p.published_at"
FROM = "FROM policy_drafts d LEFT JOIN policies p USING (draft_no)"

ADD = """
INSERT INTO policy_drafts (name, policy, based_on, drafted_by, drafted_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (drafted_by, drafted_at) DO NOTHING RETURNING draft_no"""
KEPT = "SELECT draft_no FROM policy_drafts WHERE drafted_by = $1 AND drafted_at = $2"
ONE = f"SELECT {COLUMNS} {FROM} WHERE d.draft_no = $1"
LIST = f"SELECT {COLUMNS} {FROM} ORDER BY d.draft_no DESC LIMIT $1"

ADD_TRIAL = "INSERT INTO policy_trials (draft_no, summary, by, at) VALUES ($1, $2, $3, $4)"
TRIAL = "SELECT summary FROM policy_trials WHERE draft_no = $1 ORDER BY id DESC LIMIT 1"

# The newest applications, with when the last parcel of their order was signed for.
RETURNS = """
SELECT c.type, c.reason, c.fault, (c.admitted #>> '{quote,total_minor}')::bigint AS amount_minor, c.applied_at,
    (SELECT max(h.signed_at) FROM child_orders h WHERE h.order_no = c.order_no AND h.signed_at <= c.applied_at)
        AS signed_at
FROM return_cases c WHERE c.applied_at >= $1 ORDER BY c.applied_at DESC LIMIT $2"""

# Those that nobody but the policy has promised a time for.
DISPATCHES = """
SELECT d.channel, d.paid_at, CASE WHEN d.waiting = 0 THEN d.dispatched_at END AS left_at
FROM dispatch_times d JOIN orders o USING (order_no)
WHERE o.placed_at >= $1 AND d.paid_at IS NOT NULL AND o.start ->> 'dispatch_by' IS NULL
ORDER BY o.placed_at DESC LIMIT $2"""


@dataclass(frozen=True)
class PolicyDraft:
    """`version`, `published_at` None: not published."""

    draft_no: int
    name: str
    policy: Policy
    based_on: int
    drafted_by: str
    drafted_at: datetime
    version: int | None
    published_at: datetime | None


class PolicyDrafts:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def draft(self, policy: Policy, name: str, based_on: int, by: str, at: datetime) -> int:
        """Its number; the same person's at the same moment is the same draft, told again. Raises `ChangeRefused`."""
        async with self._pool.acquire() as connection, connection.transaction():
            now = await read_current(connection) or Policy()
            if now.version != based_on:
                raise PolicyOvertaken(based_on, now.version)
            if not changes(now, policy):
                raise ChangeRefused(f"nothing differs from policy version {now.version}; nothing was drafted")
            number: int | None = await connection.fetchval(ADD, name, policy.model_dump(mode="json"), based_on, by, at)
            if number is None:
                known: int = await connection.fetchval(KEPT, by, at)
                return known
            detail = {"draft": number, "changed": sorted(changes(now, policy))}
            await append_entry(connection, AuditEntry(actor=by, action="policy.draft", detail=detail), at)
            return number

    async def draft_of(self, number: int) -> PolicyDraft:
        """Raises `ChangeRefused`."""
        async with self._pool.acquire() as connection:
            return await read_policy_draft(connection, number)

    async def drafts(self, limit: int = 20) -> tuple[PolicyDraft, ...]:
        """Newest first."""
        return tuple(_draft(row) for row in await self._pool.fetch(LIST, limit))

    async def last_trial(self, number: int) -> dict[str, Any] | None:
        async with self._pool.acquire() as connection:
            return await last_policy_trial(connection, number)

    async def try_on_the_past(
        self, number: int, by: str, now: datetime, last: int = 300, days: int = 90
    ) -> PolicyTrial:
        """On the newest orders and returns; changes nothing, and is kept for who decides. Raises `ChangeRefused`,
        `domain.rules.sets.UnableToDecide`."""
        found, before = await self.draft_of(number), await PolicyStore(self._pool).current()
        since = now - timedelta(days=days)
        returns = [_return(row) for row in await self._pool.fetch(RETURNS, since, last)]
        left = [PastDispatch(**row) for row in await self._pool.fetch(DISPATCHES, since, last)]
        plans = [order async for order in PastOrders(self._pool).newest(last, since)]
        engine = await asyncio.to_thread(engine_of, await RuleSetStore(self._pool).current_set())
        trial = await asyncio.to_thread(tried, before, found.policy, returns, left, plans, engine)
        await self._pool.execute(ADD_TRIAL, number, trial.model_dump(mode="json"), by, now)
        return trial


async def read_policy_draft(connection: Connection, number: int) -> PolicyDraft:
    """Raises `ChangeRefused`."""
    row = await connection.fetchrow(ONE, number)
    if row is None:
        raise ChangeRefused(f"there is no policy draft {number}; look with `oms config policy drafts`")
    return _draft(row)


async def last_policy_trial(connection: Connection, number: int) -> dict[str, Any] | None:
    """Its summary; None: it was never tried."""
    found: dict[str, Any] | None = await connection.fetchval(TRIAL, number)
    return found


def _return(row: Row) -> PastReturn:
    known = {"type": ReturnType(row["type"]), "reason": Reason(row["reason"]), "fault": Fault(row["fault"])}
    return PastReturn(**{**row, **known})


def _draft(row: Row) -> PolicyDraft:
    return PolicyDraft(**{**row, "policy": of(Policy, row["policy"])})
