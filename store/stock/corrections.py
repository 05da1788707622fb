"""Corrections of the stock: what a count, or a reason of people's, makes of available units (decision 0053)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.access.controls import CorrectStock
from domain.records import AuditEntry, StockMove
from store.audit.audit import append_entry
from store.errors import ChangeRefused, StockWouldGoNegative
from store.pool import Connection
from store.stock.ledger import apply_moves, lock

BALANCE = "SELECT available, reserved FROM stock WHERE sku = $1 AND warehouse = $2"


@dataclass(frozen=True)
class CountedStock:
    """`delta`: by how much available units change. The others: as the books had them then."""

    available: int
    reserved: int
    delta: int


async def counted(connection: Connection, wanted: CorrectStock) -> CountedStock:
    """What the correction comes to this moment. Raises `ChangeRefused` for goods that were never received there, for
    nothing, and for what would take units that are reserved."""
    place = f"{wanted.sku} in {wanted.warehouse}"
    await lock(connection, [(wanted.sku, wanted.warehouse)])
    row = await connection.fetchrow(BALANCE, wanted.sku, wanted.warehouse)
    if row is None:
        raise ChangeRefused(f"{place} was never received: book what came in as a receipt; nothing was asked")
    available, reserved = row["available"], row["reserved"]
    delta = wanted.delta if wanted.counted is None else wanted.counted - available - reserved
    if not delta:
        raise ChangeRefused(f"{place}: the books say the same, {available} available and {reserved} reserved")
    if available + delta < 0:
        held = f"{available} are available and {reserved} reserved for parcels"
        raise ChangeRefused(f"{place}: {held}; {-delta} cannot go: stop parcels first")
    return CountedStock(available, reserved, delta or 0)


async def correct(
    connection: Connection, wanted: CorrectStock, delta: int, approval_id: str, by: tuple[str, str], at: datetime
) -> None:
    """By what was approved. `by`: who asked, who approved. Raises `ChangeRefused` for units that are gone by now."""
    kind: Literal["receive", "shrink"] = "receive" if delta > 0 else "shrink"
    move = StockMove(ref=approval_id, kind=kind, sku=wanted.sku, warehouse=wanted.warehouse, qty=abs(delta))
    try:
        await apply_moves(connection, [move], at)
    except StockWouldGoNegative:
        why = f"{wanted.sku} in {wanted.warehouse}: fewer than {-delta} are available by now; count again"
        raise ChangeRefused(why) from None
    detail = {
        "sku": wanted.sku, "warehouse": wanted.warehouse, "delta": delta, "reason": wanted.reason,
        "approval_id": approval_id, "approved_by": by[1],
    }  # fmt: skip
    await append_entry(connection, AuditEntry(actor=by[0], action="stock.correct", detail=detail), at)
