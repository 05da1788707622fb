"""What was told of each parcel, kind by kind, beside what the books say of it: for the second opinion."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from domain.facts import Kind
from domain.insight.second_opinion import ToldKind, ToldOrder, ToldParcel
from domain.states import ChildStatus, OrderStatus
from store.pool import Connection, Row

LONGEST_S = 60

# Of orders placed, or last written to, in the span. What fitted nothing is not told again: it has its MISMATCH.
_TOLD = """
WITH chosen AS (
    SELECT order_no, status FROM orders WHERE {moment} >= $1 AND {moment} < $2
), said AS (
    SELECT e.child_no, e.kind, min(e.occurred_at) AS first, max(e.occurred_at) AS last
    FROM chosen JOIN order_events e USING (order_no)
    WHERE e.child_no IS NOT NULL AND e.outcome IN ('APPLIED', 'HELD', 'STALE') GROUP BY e.child_no, e.kind
), each AS (
    SELECT child_no, array_agg(kind) AS kinds, array_agg(first) AS firsts, array_agg(last) AS lasts
    FROM said GROUP BY child_no
), known AS (
    SELECT order_no FROM chosen JOIN order_events USING (order_no) WHERE outcome = 'MISMATCH'
    UNION SELECT order_no FROM chosen JOIN tickets USING (order_no)
), unheard AS (
    SELECT DISTINCT order_no FROM chosen JOIN drifts USING (order_no)
    WHERE healed_at IS NULL AND drifts.kind NOT IN ('view', 'workflow')
)
SELECT o.order_no, o.status, c.child_no, c.status AS child_status, s.kinds, s.firsts, s.lasts,
    k.order_no IS NOT NULL AS explained, u.order_no IS NOT NULL AS unheard
FROM chosen o JOIN child_orders c ON c.order_no = o.order_no AND c.type = 'SHIPMENT' LEFT JOIN each s USING (child_no)
LEFT JOIN known k ON k.order_no = o.order_no LEFT JOIN unheard u ON u.order_no = o.order_no
ORDER BY o.order_no, c.nn"""
PLACED, WRITTEN = (_TOLD.format(moment=moment) for moment in ("placed_at", "updated_at"))
# A look into a table costs a tenth of what calling the enumeration costs.
KINDS = {kind.value: kind for kind in Kind}
CHILD = {status.value: status for status in ChildStatus}
ORDER = {status.value: status for status in OrderStatus}


async def read_told(connection: Connection, since: datetime, until: datetime, *, placed: bool) -> list[Row]:
    """Rows for `told_orders`: orders placed, or else last written to, in the span."""
    return await connection.fetch(PLACED if placed else WRITTEN, since, until, timeout=LONGEST_S)


def told_orders(rows: Sequence[Row]) -> list[ToldOrder]:
    return [_order(order_no, list(parcels)) for order_no, parcels in groupby(rows, lambda row: str(row["order_no"]))]


def _order(order_no: str, rows: Sequence[Row]) -> ToldOrder:
    first = rows[0]
    return ToldOrder(
        order_no, ORDER[first["status"]], [_parcel(row) for row in rows], first["explained"], first["unheard"]
    )


def _parcel(row: Row) -> ToldParcel:
    told = zip(row["kinds"] or (), row["firsts"] or (), row["lasts"] or (), strict=True)
    return ToldParcel(
        row["child_no"],
        CHILD[row["child_status"]],
        [ToldKind(KINDS[kind], first, last) for kind, first, last in told if kind in KINDS],
    )
