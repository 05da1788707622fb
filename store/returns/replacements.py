"""The replacement of a case: a child order of type EXCHANGE, its goods reserved all or none, its number given once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.records import StockMove
from domain.returns import ledger
from domain.states import ChildStatus
from store.packages import keep_package
from store.pool import Connection
from store.stock.ledger import apply_moves, lock

KNOWN = "SELECT child_no FROM child_orders WHERE return_no = $1 AND status <> 'CANCELLED'"

# The warehouse has cancelled one before; its goods are still held for the next one.
BEFORE = "SELECT EXISTS (SELECT FROM child_orders WHERE return_no = $1)"

# The next number in the order's own row; the order is locked.
LOCK = "SELECT order_no FROM orders WHERE order_no = $1 FOR NO KEY UPDATE"
NEXT = "SELECT coalesce(max(nn), 0) + 1 FROM child_orders WHERE order_no = $1"

INSERT = """
INSERT INTO child_orders (child_no, order_no, nn, status, seq, warehouse, reasons, net_minor, freight_minor, paid_minor,
    updated_at, type, return_no)
VALUES ($1, $2, $3, 'RELEASED', 0, $4, '[]', 0, 0, 0, $5, 'EXCHANGE', $6)"""

LINE = "INSERT INTO replacement_lines (child_no, line_id, sku, warehouse, qty) VALUES ($1, $2, $3, $4, $5)"

# Late writes lose.
UPDATE = """
UPDATE child_orders SET status = $3, seq = $4, updated_at = $5, waybill_no = coalesce($6, waybill_no),
    carrier = coalesce($7, carrier), tms_ref = coalesce($8, tms_ref), shipped_at = coalesce($9, shipped_at),
    signed_at = coalesce($10, signed_at)
WHERE child_no = $1 AND return_no = $2 AND (updated_at, seq) < ($5, $4)"""


@dataclass(frozen=True)
class Goods:
    """One line of a replacement."""

    line_id: str
    sku: str
    warehouse: str
    qty: int


@dataclass(frozen=True)
class ReplacementSent:
    """How a replacement stands."""

    return_no: str
    child_no: str
    status: ChildStatus
    seq: int
    at: datetime
    waybill_no: str | None = None
    carrier: str | None = None
    tms_ref: str | None = None
    label_format: str | None = None
    label_b64: str | None = None
    shipped_at: datetime | None = None
    signed_at: datetime | None = None
    moves: tuple[StockMove, ...] = ()


async def open_replacement(
    connection: Connection, return_no: str, order_no: str, lines: Sequence[Goods], at: datetime
) -> tuple[str, tuple[str, ...]]:
    """Inside a transaction: its number, or the SKUs that cannot be reserved (then nothing is). Again: the same."""
    await connection.fetchval(LOCK, order_no)
    known = await connection.fetchval(KNOWN, return_no)
    if known is not None:
        return str(known), ()
    moves = [ledger.reserve(return_no, g.line_id, g.sku, g.warehouse, g.qty) for g in lines]
    if not await connection.fetchval(BEFORE, return_no):
        left = await lock(connection, ((m.sku, m.warehouse) for m in moves))
        for m in moves:
            left[m.sku, m.warehouse] = left.get((m.sku, m.warehouse), 0) - m.qty
        if missing := sorted({m.sku for m in moves if left[m.sku, m.warehouse] < 0}):
            return "", tuple(missing)
    number = await connection.fetchval(NEXT, order_no)
    child_no = f"{order_no}-{number:02d}"
    await connection.execute(INSERT, child_no, order_no, number, lines[0].warehouse, at, return_no)
    for g in lines:
        await connection.execute(LINE, child_no, g.line_id, g.sku, g.warehouse, g.qty)
    await apply_moves(connection, moves, at)
    return child_no, ()


async def write_replacement(connection: Connection, s: ReplacementSent) -> None:
    """Inside a transaction. Repeated or late, it does no harm."""
    await connection.execute(
        UPDATE, s.child_no, s.return_no, s.status, s.seq, s.at, s.waybill_no, s.carrier, s.tms_ref, s.shipped_at,
        s.signed_at,
    )  # fmt: skip
    if s.waybill_no is not None:
        await keep_package(
            connection, s.child_no, s.waybill_no, s.carrier or "", s.label_format, s.label_b64, s.at
        )  # fmt: skip
    await apply_moves(connection, s.moves, s.at)
