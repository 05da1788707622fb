"""Reads an order as an application is judged by it: which units left, which wait, and who holds which."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from domain.returns.facts import ParcelUnits, ReturnLineFacts, ReturnOrderFacts
from domain.shares import UnitShare
from domain.states import ChildStatus
from domain.units import UnitRange
from store.pool import Connection, Row

ORDER = """
SELECT order_no, buyer_id, currency, paid_minor > 0 OR payment_status = 'PAID' AS paid, ended_at IS NOT NULL AS ended,
    completed_at, returning_minor + refund_reserved_minor AS prior_minor, start
FROM orders WHERE order_no = $1"""

# So that applications and refunds of one order queue here.
LOCKED_ORDER = f"{ORDER} FOR NO KEY UPDATE"

LINES = """
SELECT line_id, sku, coalesce(warehouse, 'PENDING-TAGS') AS warehouse, qty,
    qty - refunded_units - returning_units AS left, applications
FROM order_lines WHERE order_no = $1 ORDER BY pos"""

SHARES = """
SELECT line_id, first_unit, units, net_minor, freight_minor FROM unit_shares WHERE order_no = $1
ORDER BY line_id, first_unit"""

TAKEN = "SELECT line_id, first_unit, units FROM unit_claims WHERE order_no = $1 AND held"

# What each parcel carries, how much of it really left, and when it was signed for. What was short, or missing in the
# end, are a parcel's last units; a parcel may carry several runs of one line. One that stands still for a hold is
# cancelled at the warehouse, and its units still wait.
PARCELS = """
SELECT c.child_no, c.status, c.signed_at, EXISTS (SELECT FROM order_holds h
        WHERE h.order_no = c.order_no AND h.ended_at IS NULL AND c.child_no = ANY (h.stopped)) AS stands_still,
    l.line_id, l.first_unit, l.qty,
    CASE WHEN m.qty IS NOT NULL THEN
        least(l.qty, greatest(0, m.qty - sum(l.lost_units) OVER p - (sum(l.qty) OVER w - l.qty)))::int END AS left_with
FROM child_orders c JOIN child_lines l USING (child_no)
LEFT JOIN stock_moves m ON m.ref = l.child_no || '/' || l.line_id AND m.kind = 'ship'
WHERE c.order_no = $1 WINDOW p AS (PARTITION BY l.child_no, l.line_id), w AS (p ORDER BY l.first_unit)
ORDER BY c.nn, l.line_id, l.first_unit"""


async def read_facts(connection: Connection, order_no: str, *, lock: bool = True) -> ReturnOrderFacts | None:
    """Inside a transaction. None: the order is not in the books. Without `lock` nothing may be decided by it."""
    order = await connection.fetchrow(LOCKED_ORDER if lock else ORDER, order_no)
    if order is None:
        return None
    parcels = _by_line(await connection.fetch(PARCELS, order_no))
    shares = _by_line(await connection.fetch(SHARES, order_no))
    taken = _by_line(await connection.fetch(TAKEN, order_no))
    terms = {line["line_id"]: line.get("after_sales") or {} for line in order["start"]["lines"]}
    lines = [
        _line(
            row, parcels[row["line_id"]], shares[row["line_id"]], taken[row["line_id"]], terms.get(row["line_id"], {})
        )
        for row in await connection.fetch(LINES, order_no)
    ]
    return ReturnOrderFacts(
        order_no=order["order_no"],
        buyer_id=order["buyer_id"],
        currency=order["currency"],
        paid=order["paid"],
        ended=order["ended"],
        lines=tuple(lines),
        prior_minor=order["prior_minor"],
        completed_at=order["completed_at"],
    )


def _by_line(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["line_id"]].append(row)
    return found


def _line(row: Row, mine: list[Row], shares: list[Row], taken: list[Row], terms: dict[str, Any]) -> ReturnLineFacts:
    return ReturnLineFacts(
        **row,
        shares=tuple(UnitShare(**share) for share in shares),
        shipped=tuple(_run(p, p["left_with"]) for p in mine if p["left_with"]),
        waiting=tuple(_run(p, p["qty"]) for p in mine if _waits(p)),
        taken=tuple(UnitRange(**r) for r in taken),
        no_reason=terms.get("no_reason", True),
        warranty_until=_day(terms.get("warranty_until")),
        warranty_days=terms.get("warranty_days"),
        shelf_life_until=_day(terms.get("shelf_life_until")),
    )


def _day(said: str | None) -> date | None:
    return None if said is None else date.fromisoformat(said)


def _waits(parcel: Row) -> bool:
    ships = parcel["status"] != ChildStatus.CANCELLED or parcel["stands_still"]
    return parcel["left_with"] is None and ships


def _run(parcel: Row, units: int) -> ParcelUnits:
    return ParcelUnits(
        line_id=parcel["line_id"],
        child_no=parcel["child_no"],
        first_unit=parcel["first_unit"],
        units=units,
        signed_at=parcel["signed_at"],
    )
