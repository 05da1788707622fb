"""Who did what: rows only ever added, each chained to the one before by its hash (R45)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.records import AuditEntry, OrderWrite
from store.pool import Connection, Pool, clean

# One entry, through the owner's function: no process may write the table. An entry of an order's write is added once.
APPEND = "SELECT append_audit($1, $2, $3, $4, $5, $6, $7)"

# What a step that may run twice tells once; after the lock, so that two runs at once do not both find nothing.
LOCK = "SELECT hold('audit chain')"
TOLD = "SELECT EXISTS (SELECT FROM audit WHERE order_no = $1 AND actor = $2 AND action = $3 AND detail = $4)"

# Newest first.
LIST = """
SELECT id, at, actor, action, order_no, detail FROM audit
WHERE ($1::text IS NULL OR order_no = $1) AND ($2::text IS NULL OR actor = $2) AND id < $3 ORDER BY id DESC LIMIT $4"""

# Rows that say of others that their words were erased, and say it truly: which hashes they had and what is left.
VOUCHING = """
SELECT v.id FROM audit v
WHERE split_part(v.action, '.', 1) = 'buyer' AND v.action = 'buyer.erased' AND v.erased_by IS NULL
    AND v.hash = audit_hash(v) AND v.detail ->> 'erased_rows' = erased_rows(v.id)
    AND v.id > (SELECT coalesce(max(e.id), 0) FROM audit e WHERE e.erased_by = v.id)"""

# Of the rows after a known one, the first whose hash does not fit its content, or that does not follow the row before.
CHAINED = """
SELECT max(checked.id) AS id, encode((array_agg(checked.hash ORDER BY checked.id DESC))[1], 'hex') AS hash,
    min(checked.id) FILTER (WHERE (whole AND linked) IS NOT TRUE) AS broken
FROM (SELECT (row).id, (row).hash,
        CASE WHEN (row).erased_by IS NULL THEN (row).hash = audit_hash(row)
            ELSE (row).erased_by = ANY ($4::bigint[]) END AS whole,
        (row).prev_hash = coalesce(lag((row).hash) OVER w, decode($2, 'hex'))
            AND (row).id = coalesce(lag((row).id) OVER w, $1) + 1 AS linked
    FROM (SELECT a AS row FROM audit a WHERE a.id > $1 ORDER BY a.id LIMIT $3) following
    WINDOW w AS (ORDER BY (row).id)) checked"""

HEAD = "SELECT id, encode(hash, 'hex') AS hash FROM audit ORDER BY id DESC LIMIT 1"

# Hashes of some rows.
HASHES = "SELECT id, encode(hash, 'hex') AS hash FROM audit WHERE id = ANY($1::bigint[])"

# Oldest first, for those who take the log away.
EXPORT = """
SELECT id, at, actor, action, order_no, detail, encode(hash, 'hex') AS hash FROM audit
WHERE id > $1 AND ($2::text IS NULL OR order_no = $2) ORDER BY id LIMIT $3"""

_NEWEST = 2**62
_PAGE = 1_000
_CHECKED = 2_000


@dataclass(frozen=True)
class AuditRow:
    id: int
    at: datetime
    actor: str
    action: str
    order_no: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class AuditHead:
    """The last row, to be written down outside the database; without that a cut tail does not show (invariant U)."""

    id: int
    hash: str


class AuditStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def append(self, entry: AuditEntry, at: datetime, order_no: str | None = None) -> None:
        """For what people do outside an order's workflow."""
        async with self._pool.acquire() as connection:
            await append_entry(connection, entry, at, order_no)

    async def list(
        self, order_no: str | None = None, actor: str | None = None, limit: int = 100, before: int | None = None
    ) -> tuple[AuditRow, ...]:
        """Newest first; the next page comes before the last id of this one."""
        rows = await self._pool.fetch(LIST, order_no, actor, _NEWEST if before is None else before, limit)
        return tuple(AuditRow(**row) for row in rows)

    async def broken_at(self, after: AuditHead | None = None) -> int | None:
        """The first row that was changed, or follows a row that is gone. None: the chain is whole. `after`: only the
        rows that follow this one, which an anchor speaks of. In pages: no statement reads more than some."""
        vouching = [row["id"] for row in await self._pool.fetch(VOUCHING)]
        last, digest = (after.id, after.hash) if after is not None else (0, "")
        while True:
            row = await self._pool.fetchrow(CHAINED, last, digest, _CHECKED, vouching)
            if row is None or row["id"] is None:
                return None
            if row["broken"] is not None:
                return int(row["broken"])
            last, digest = row["id"], row["hash"]

    async def hashes(self, ids: Sequence[int]) -> dict[int, str]:
        """Of the rows that there are, as hexadecimal text."""
        return {row["id"]: row["hash"] for row in await self._pool.fetch(HASHES, list(ids))}

    async def count(self) -> int:
        found: int = await self._pool.fetchval("SELECT count(*) FROM audit")
        return found

    async def export(self, order_no: str | None = None) -> AsyncIterator[tuple[AuditRow, str]]:
        """Every row with its hash, oldest first."""
        after = 0
        while rows := await self._pool.fetch(EXPORT, after, order_no, _PAGE):
            for row in rows:
                values = dict(row)
                digest = values.pop("hash")
                yield AuditRow(**values), digest
            after = rows[-1]["id"]

    async def head(self) -> AuditHead | None:
        row = await self._pool.fetchrow(HEAD)
        return None if row is None else AuditHead(**row)


async def append_entry(connection: Connection, entry: AuditEntry, at: datetime, order_no: str | None = None) -> None:
    """One entry outside an order's write, in the transaction of what it tells of."""
    args = (at, clean(entry.actor), clean(entry.action), order_no, entry.detail, None, None)
    await connection.execute(APPEND, *args)


async def append_once(connection: Connection, entry: AuditEntry, at: datetime, order_no: str) -> None:
    """The same entry again adds nothing: for steps that their workflow may run twice. Its detail names the run."""
    await connection.execute(LOCK)
    if not await connection.fetchval(TOLD, order_no, clean(entry.actor), clean(entry.action), entry.detail):
        await append_entry(connection, entry, at, order_no)


async def append_entries(connection: Connection, write: OrderWrite) -> None:
    """Last in the transaction of an order's write: the chain's lock is held until the commit."""
    for pos, e in enumerate(write.audit):
        said = (clean(e.actor), clean(e.action))
        await connection.execute(APPEND, write.at, *said, write.order_no, e.detail, write.seq, pos)
