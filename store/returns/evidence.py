"""Which pictures a case has: quota and owner in the books, the bytes elsewhere (R42)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from asyncpg.exceptions import CheckViolationError

from domain.records import AuditEntry
from store.audit.audit import append_entry
from store.errors import OrderRefused
from store.pool import Connection, Pool

PER_ORDER = 300
"""Pictures of all cases of an order together: return numbers are cheap, disk is not (abuse case 77)."""

# Uploads for one order queue, so that each finds the place of the one before taken. No lock of the order's row: who
# only takes pictures has no right to change orders.
QUEUE = "SELECT pg_advisory_xact_lock(hashtext('pictures of an order'), hashtext($1))"

COUNT = "SELECT count(*) FROM return_evidence WHERE order_no = $1"

# The next place of the case. Its CHECK is the quota.
ADD = """
INSERT INTO return_evidence (evidence_id, return_no, order_no, purpose, pos, content_type, size, width, height, sha256,
    uploaded_by, uploaded_at)
SELECT $1, $2, $3, $4, coalesce(max(pos), 0) + 1, $5, $6, $7, $8, $9, $10, $11
FROM return_evidence WHERE return_no = $2 AND purpose = $4"""

OTHER_ORDER = "SELECT EXISTS (SELECT FROM return_evidence WHERE return_no = $1 AND order_no <> $2)"

GET = """
SELECT e.evidence_id, e.return_no, e.order_no, e.purpose, e.content_type, e.size, e.width, e.height, o.buyer_id
FROM return_evidence e JOIN orders o USING (order_no) WHERE e.return_no = $1 AND e.evidence_id = $2"""

LIST = """
SELECT e.evidence_id, e.return_no, e.order_no, e.purpose, e.content_type, e.size, e.width, e.height, o.buyer_id
FROM return_evidence e JOIN orders o USING (order_no) WHERE e.return_no = $1 ORDER BY e.purpose, e.pos"""


class EvidenceQuota(OrderRefused):
    """No more pictures for this case, or for this order."""


@dataclass(frozen=True)
class NewEvidence:
    evidence_id: str
    return_no: str
    order_no: str
    purpose: Literal["application", "inspection"]
    content_type: str
    size: int
    width: int
    height: int
    sha256: bytes
    uploaded_by: str
    uploaded_at: datetime


@dataclass(frozen=True)
class EvidenceRow:
    evidence_id: str
    return_no: str
    order_no: str
    purpose: str
    content_type: str
    size: int
    width: int
    height: int
    buyer_id: str


class EvidenceStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def buyer_of(self, order_no: str) -> str | None:
        """Whose order it is; None: it is not in the books."""
        found: str | None = await self._pool.fetchval("SELECT buyer_id FROM orders WHERE order_no = $1", order_no)
        return found

    async def is_case(self, return_no: str, order_no: str) -> bool:
        """Whether the application has become a case of this order."""
        found: bool = await self._pool.fetchval(
            "SELECT EXISTS (SELECT FROM return_cases WHERE return_no = $1 AND order_no = $2)", return_no, order_no
        )
        return found

    async def add(self, new: NewEvidence) -> None:
        """Takes a place of the case's quota. Raises `EvidenceQuota`; nothing is taken then."""
        async with self._pool.acquire() as connection, connection.transaction():
            await _add(connection, new)

    async def get(self, return_no: str, evidence_id: str) -> EvidenceRow | None:
        row = await self._pool.fetchrow(GET, return_no, evidence_id)
        return None if row is None else EvidenceRow(**row)

    async def was_refused(self, row: EvidenceRow, viewer: str) -> None:
        """Somebody who may not see this picture has asked for it."""
        detail = {
            "return_no": row.return_no,
            "evidence_id": row.evidence_id,
            "what": "see a picture",
            "code": "UNKNOWN",
        }
        entry = AuditEntry(actor=viewer, action="return.refused", detail=detail)
        async with self._pool.acquire() as connection, connection.transaction():
            await append_entry(connection, entry, await connection.fetchval("SELECT now()"), row.order_no)

    async def list(self, return_no: str) -> Sequence[EvidenceRow]:
        return tuple(EvidenceRow(**row) for row in await self._pool.fetch(LIST, return_no))


async def _add(connection: Connection, new: NewEvidence) -> None:
    await connection.execute(QUEUE, new.order_no)
    if await connection.fetchval(OTHER_ORDER, new.return_no, new.order_no):
        raise EvidenceQuota(f"return {new.return_no} has pictures of another order; take a new number")
    if await connection.fetchval(COUNT, new.order_no) >= PER_ORDER:
        raise EvidenceQuota(f"order {new.order_no} has {PER_ORDER} pictures already; no more are taken")
    try:
        await connection.execute(
            ADD,
            *(new.evidence_id, new.return_no, new.order_no, new.purpose, new.content_type, new.size),
            *(new.width, new.height, new.sha256, new.uploaded_by, new.uploaded_at),
        )
    except CheckViolationError as error:
        raise EvidenceQuota(
            f"return {new.return_no}: no more pictures are taken for its {new.purpose} ({error.constraint_name})"
        ) from None
