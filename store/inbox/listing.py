"""The inbox as operators see it: rows and refusals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.pool import Pool, Row

COLUMNS = """id, source, event_id, via, kind, encode(digest, 'hex') AS digest, facts, received_at, state,
    order_no, attempts, next_try_at, delivered_at, emptied_at, note"""

# Newest first, narrowed down by what is given.
LIST = f"""
SELECT {COLUMNS} FROM inbox
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR source = $2) AND ($3::text IS NULL OR order_no = $3)
    AND ($4::bigint IS NULL OR id < $4)
ORDER BY id DESC LIMIT $5"""  # noqa: S608 - our own column list

GET = f"SELECT {COLUMNS} FROM inbox WHERE id = $1"  # noqa: S608

BODY = "SELECT body FROM inbox WHERE id = $1"

REFUSALS = """
SELECT id, source, remote_ip, reason, text, encode(body_sha256, 'hex') AS body_sha256, at, calls
FROM inbox_refusals
WHERE ($1::text IS NULL OR source = $1) AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"""


@dataclass(frozen=True)
class InboxRow:
    """One message. `facts` as stored; `state` as explained in the table's comment."""

    id: int
    source: str
    event_id: str
    via: str
    kind: str
    digest: str
    facts: tuple[Mapping[str, Any], ...]
    received_at: datetime
    state: str
    order_no: str | None
    attempts: int
    next_try_at: datetime
    delivered_at: datetime | None
    emptied_at: datetime | None
    note: str


@dataclass(frozen=True)
class RefusalRow:
    id: int
    source: str
    remote_ip: str
    reason: str
    text: str
    body_sha256: str
    at: datetime
    calls: int


class InboxListing:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(
        self,
        *,
        state: str | None = None,
        source: str | None = None,
        order_no: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[InboxRow, ...]:
        """Newest first; the next page comes before the last id of this one."""
        return tuple(_row(row) for row in await self._pool.fetch(LIST, state, source, order_no, before, limit))

    async def get(self, row_id: int) -> InboxRow | None:
        row = await self._pool.fetchrow(GET, row_id)
        return None if row is None else _row(row)

    async def body(self, row_id: int) -> bytes | None:
        """The message as it came; empty once retention has dropped it (`emptied_at`)."""
        found: bytes | None = await self._pool.fetchval(BODY, row_id)
        return found

    async def refusals(
        self, source: str | None = None, before: int | None = None, limit: int = 100
    ) -> tuple[RefusalRow, ...]:
        return tuple(RefusalRow(**row) for row in await self._pool.fetch(REFUSALS, source, before, limit))


def _row(row: Row) -> InboxRow:
    return InboxRow(**{**dict(row), "facts": tuple(row["facts"])})
