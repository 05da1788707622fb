"""One order with everything that belongs to it, for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.dispatch.holds import HoldRow, holds_of
from store.orders.pages import SUMMARY, OrderSummary
from store.pool import Connection, Row

# By order number, child number or waybill, in this order.
FIND = """
SELECT order_no FROM (
    SELECT order_no, 1 AS rank FROM orders WHERE order_no = $1
    UNION ALL SELECT order_no, 2 FROM child_orders WHERE child_no = $1
    UNION ALL (SELECT c.order_no, 3 FROM parcels p JOIN child_orders c USING (child_no) WHERE p.waybill_no = $1 LIMIT 1)
) found ORDER BY rank LIMIT 1"""

ORDER = f"SELECT {SUMMARY} FROM orders o WHERE o.order_no = $1"  # noqa: S608 - our own column list

LINES = """
SELECT line_id, sku, name, qty, unit_price_minor, gross_minor, discount_minor, coupon_minor, net_minor, freight_minor,
    paid_minor, weight_g, warehouse, supplier, logistics, customs, refunded_units
FROM order_lines WHERE order_no = $1 ORDER BY pos"""

# A child that went over into one other child shows that one's waybill: its goods are in that parcel.
CHILDREN = """
SELECT c.child_no, c.status, c.warehouse, c.reasons, c.net_minor, c.freight_minor, c.paid_minor,
    coalesce(c.waybill_no, w.waybill_no) AS waybill_no, coalesce(c.carrier, w.carrier) AS carrier, c.tms_ref,
    coalesce(c.shipped_at, w.shipped_at) AS shipped_at, coalesce(c.signed_at, w.signed_at) AS signed_at,
    coalesce((SELECT jsonb_object_agg(l.line_id, l.qty) FROM (SELECT line_id, sum(qty) AS qty FROM child_lines
        WHERE child_no = c.child_no GROUP BY line_id) l), c.was -> 'lines') AS lines,
    c.planned_carrier, c.shipping_cost_minor, c.customs_mode,
    c.replaces, c.replaced_by, c.replan, c.address,
    CASE WHEN EXISTS (SELECT FROM child_lines l WHERE l.child_no = c.child_no) THEN c.paid_minor
        ELSE coalesce((c.was ->> 'paid_minor')::bigint, c.paid_minor) END AS planned_minor,
    EXISTS (SELECT FROM parcels p WHERE p.child_no = c.child_no AND p.label IS NOT NULL) AS has_label
FROM child_orders c LEFT JOIN LATERAL (
    WITH RECURSIVE heir AS (
        SELECT h.* FROM child_orders h WHERE cardinality(c.replaced_by) = 1 AND h.child_no = c.replaced_by[1]
        UNION ALL
        SELECT n.* FROM heir h JOIN child_orders n ON cardinality(h.replaced_by) = 1 AND n.child_no = h.replaced_by[1]
    ) SELECT waybill_no, carrier, shipped_at, signed_at FROM heir WHERE replaced_by = '{}') w ON true
WHERE c.order_no = $1 ORDER BY c.nn"""

PAYMENTS = """
SELECT key, channel, transaction_id, merchant_id, amount_minor, currency, paid_at FROM payments
WHERE order_no = $1 ORDER BY paid_at"""

REFUNDS = """
SELECT refund_no, amount_minor, status, reason, units, requested_at, updated_at FROM refunds
WHERE order_no = $1 ORDER BY requested_at, refund_no"""

ADDRESS = "SELECT start -> 'address' FROM orders WHERE order_no = $1"

# All that happened to an order, in the order in which it was written down.
TIMELINE = """
SELECT * FROM (
    SELECT recorded_at AS at, id AS n, 'event' AS what, kind AS title, source AS by, outcome AS result, child_no,
        from_status, to_status, occurred_at, note FROM order_events WHERE order_no = $1
    UNION ALL SELECT s.at, 0, 'order', s.title, o.channel, NULL, NULL, NULL, s.title, s.at, ''
        FROM orders o, LATERAL (VALUES (o.placed_at, 'PLACED'), (o.completed_at, 'COMPLETED'), (o.closed_at, 'CLOSED'))
            AS s (at, title) WHERE o.order_no = $1 AND s.at IS NOT NULL
    UNION ALL SELECT requested_at, 0, 'refund', refund_no, 'system', status, NULL, NULL, NULL, updated_at, reason
        FROM refunds WHERE order_no = $1
    UNION ALL SELECT opened_at, 0, 'ticket', ticket_id, system, 'OPENED', child_no, NULL, NULL, opened_at,
        step || ': ' || error FROM tickets WHERE order_no = $1
    UNION ALL SELECT resolved_at, 1, 'ticket', ticket_id, resolved_by, upper(action), child_no, NULL, NULL,
        resolved_at, remark FROM tickets WHERE order_no = $1 AND state = 'resolved'
    UNION ALL SELECT at, id, 'audit', action, actor, NULL, NULL, NULL, NULL, at, detail::text
        FROM audit WHERE order_no = $1
) all_of_it ORDER BY at, what DESC, n LIMIT $2"""


@dataclass(frozen=True)
class OrderDetail:
    """Rows as plain mappings, keys as the columns are named in this file; money in minor units."""

    order: OrderSummary
    address: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]
    children: tuple[Mapping[str, Any], ...]
    payments: tuple[Mapping[str, Any], ...]
    refunds: tuple[Mapping[str, Any], ...]
    holds: tuple[HoldRow, ...] = ()
    """Open ones first."""


@dataclass(frozen=True)
class TimelineEntry:
    """`what`: order, event, refund, ticket or audit. `at`: when it was written down; `occurred_at`: when it was."""

    at: datetime
    what: str
    title: str
    by: str
    result: str | None
    child_no: str | None
    from_status: str | None
    to_status: str | None
    occurred_at: datetime
    note: str


async def view(connection: Connection, number: str) -> OrderDetail | None:
    order_no = await connection.fetchval(FIND, number)
    order = await connection.fetchrow(ORDER, order_no)
    if order is None:
        return None
    return OrderDetail(
        order=OrderSummary(**order),
        address=await connection.fetchval(ADDRESS, order_no),
        lines=_plain(await connection.fetch(LINES, order_no)),
        children=_plain(await connection.fetch(CHILDREN, order_no)),
        payments=_plain(await connection.fetch(PAYMENTS, order_no)),
        refunds=_plain(await connection.fetch(REFUNDS, order_no)),
        holds=await holds_of(connection, order_no),
    )


async def timeline(connection: Connection, order_no: str, limit: int) -> tuple[TimelineEntry, ...]:
    return tuple(
        TimelineEntry(**{k: v for k, v in row.items() if k != "n"})
        for row in await connection.fetch(TIMELINE, order_no, limit)
    )


def _plain(rows: list[Row]) -> tuple[Mapping[str, Any], ...]:
    return tuple(dict(row) for row in rows)
