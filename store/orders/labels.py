"""Waybill labels as they are given out: who printed which one, and why again (R32)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.records import AuditEntry
from store.audit.audit import append_entry
from store.errors import StoreError
from store.pool import Connection, Pool, clean

# The label of the waybill that a child goes under, the newest first. Children shipped together share one.
LABEL = """
SELECT c.order_no, c.child_no, p.waybill_no, p.carrier, p.label_format AS format, p.label AS content
FROM child_orders c JOIN parcels p ON p.child_no = c.child_no OR p.waybill_no = c.waybill_no
WHERE c.child_no = $1 AND p.label IS NOT NULL
ORDER BY p.waybill_no = c.waybill_no DESC NULLS LAST, p.created_at DESC LIMIT 1"""

# Two who print at once take turns. No row is locked: whoever prints may write no child.
QUEUE = "SELECT pg_advisory_xact_lock(hashtext('labels of a child'), hashtext($1))"

COPIES = "SELECT coalesce(max(copy), 0) FROM label_prints WHERE child_no = $1"

PRINT = """
INSERT INTO label_prints (child_no, copy, waybill_no, by, reason, at) VALUES ($1, $2, $3, $4, $5, $6)"""


# What can be printed of these orders, in the warehouses that the reader sees ($2; NULL: all).
PRINTABLE = """
SELECT c.order_no, c.child_no, (SELECT count(*) FROM label_prints l WHERE l.child_no = c.child_no) AS copies
FROM child_orders c
WHERE c.order_no = ANY ($1) AND ($2::text[] IS NULL OR c.warehouse = ANY ($2)) AND EXISTS (
    SELECT FROM parcels p WHERE (p.child_no = c.child_no OR p.waybill_no = c.waybill_no) AND p.label IS NOT NULL)
ORDER BY c.order_no DESC, c.nn LIMIT $3"""


class NoLabel(StoreError):
    def __init__(self, child_no: str) -> None:
        super().__init__(f"there is no label for {child_no}: it is not booked yet, or the warehouse prints its own")


class ReprintNeedsReason(StoreError):
    def __init__(self, child_no: str, copies: int) -> None:
        super().__init__(f"the label of {child_no} was printed {copies} time(s) already; say why it is printed again")


@dataclass(frozen=True)
class Label:
    waybill_no: str
    carrier: str
    format: str
    content: bytes


@dataclass(frozen=True)
class Printable:
    """A parcel that has a label, and how often that was printed."""

    order_no: str
    child_no: str
    copies: int


@dataclass(frozen=True)
class Printed:
    """`copy`: 1 the first time."""

    label: Label
    copy: int


class LabelStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, child_no: str) -> Label | None:
        """To look at; nothing is noted."""
        async with self._pool.acquire() as connection:
            found = await _find(connection, child_no)
        return found[1] if found else None

    async def printable(
        self, order_nos: Sequence[str], warehouses: frozenset[str] | None, most: int
    ) -> tuple[Printable, ...]:
        """Of these orders, in these warehouses (None: any), the first `most`."""
        seen = None if warehouses is None else sorted(warehouses)
        rows = await self._pool.fetch(PRINTABLE, list(order_nos), seen, most)
        return tuple(Printable(**row) for row in rows)

    async def give_out(self, child_no: str, by: str, reason: str | None, now: datetime) -> Printed:
        """The label, with its audit row. Raises `NoLabel`, `ReprintNeedsReason`."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(QUEUE, child_no)
            found = await _find(connection, child_no)
            if found is None:
                raise NoLabel(child_no)
            order_no, label = found
            copies: int = await connection.fetchval(COPIES, child_no)
            why = clean(reason or "").strip() or None
            if copies and why is None:
                raise ReprintNeedsReason(child_no, copies)
            copy = copies + 1
            await connection.execute(PRINT, child_no, copy, label.waybill_no, by, why, now)
            detail = {"child_no": child_no, "waybill_no": label.waybill_no, "copy": copy, "reason": why or ""}
            action = "label.reprint" if copies else "label.print"
            await append_entry(connection, AuditEntry(actor=by, action=action, detail=detail), now, order_no)
        return Printed(label, copy)


async def _find(connection: Connection, child_no: str) -> tuple[str, Label] | None:
    row = await connection.fetchrow(LABEL, child_no)
    if row is None:
        return None
    return row["order_no"], Label(row["waybill_no"], row["carrier"], row["format"], row["content"])
