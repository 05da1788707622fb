"""Pages of orders, newest first, narrowed down by filters."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.pool import Connection, Pool

SUMMARY = """o.order_no, o.channel, o.channel_order_no, o.buyer_id, o.currency, o.payable_minor, o.paid_minor,
    o.refund_reserved_minor, o.refunded_minor, o.placed_at, o.pay_deadline, o.status, o.payment_status, o.waiting_for,
    o.needs_attention, o.payment_code, o.paid_at, o.completed_at, o.closed_at, o.ended_at, o.updated_at, o.seq,
    o.policy_version, o.dispatch_by"""

# Each channel once, by one look into the index a channel.
CHANNELS = """
WITH RECURSIVE found AS (
    (SELECT channel FROM orders ORDER BY channel LIMIT 1)
    UNION ALL
    SELECT (SELECT o.channel FROM orders o WHERE o.channel > f.channel ORDER BY o.channel LIMIT 1)
    FROM found f WHERE f.channel IS NOT NULL
) SELECT channel FROM found WHERE channel IS NOT NULL LIMIT 50"""


@dataclass(frozen=True)
class OrderSummary:
    """The read model of one order. Amounts in minor units of `currency`."""

    order_no: str
    channel: str
    channel_order_no: str
    buyer_id: str
    currency: str
    payable_minor: int
    paid_minor: int
    refund_reserved_minor: int
    refunded_minor: int
    placed_at: datetime
    pay_deadline: datetime
    status: str
    payment_status: str
    waiting_for: str
    needs_attention: bool
    payment_code: str | None
    paid_at: datetime | None
    completed_at: datetime | None
    closed_at: datetime | None
    ended_at: datetime | None
    updated_at: datetime
    seq: int
    policy_version: int
    dispatch_by: datetime | None = None
    """Until when all of it was promised to leave."""


@dataclass(frozen=True)
class OrderFilter:
    """What is None does not narrow. `number`: exact order, child, channel or waybill number; `search`: any of these, or
    the number of a return, refund, payment or returned parcel, a buyer, a SKU, the last four digits of the phone.
    `due_before`: promised to leave before that, and not all of it has. `numbers`: exactly these orders. `held`: by
    a hold that is open. `channels`, `warehouses`: what the reader may see."""

    status: str | None = None
    payment_status: str | None = None
    channel: str | None = None
    buyer_id: str | None = None
    needs_attention: bool | None = None
    ended: bool | None = None
    number: str | None = None
    placed_from: datetime | None = None
    placed_before: datetime | None = None
    search: str | None = None
    child_statuses: frozenset[str] | None = None
    due_before: datetime | None = None
    numbers: frozenset[str] | None = None
    held: bool | None = None
    channels: frozenset[str] | None = None
    warehouses: frozenset[str] | None = None


@dataclass(frozen=True)
class OrderPage:
    """`next`: cursor of the following page; None on the last one."""

    orders: tuple[OrderSummary, ...]
    next: str | None


_CONDITIONS = {
    "status": "o.status = {}",
    "payment_status": "o.payment_status = {}",
    "channel": "o.channel = {}",
    "buyer_id": "o.buyer_id = {}",
    "needs_attention": "o.needs_attention",
    "ended": "o.ended_at IS NOT NULL",
    "placed_from": "o.placed_at >= {}",
    "placed_before": "o.placed_at < {}",
    "number": """o.order_no IN (
        SELECT order_no FROM orders WHERE order_no = {0} OR channel_order_no = {0}
        UNION ALL SELECT order_no FROM child_orders WHERE child_no = {0}
        UNION ALL SELECT c.order_no FROM parcels p JOIN child_orders c USING (child_no) WHERE p.waybill_no = {0})""",
    "search": """o.order_no IN (
        SELECT order_no FROM orders WHERE order_no = {0} OR channel_order_no = {0} OR buyer_id = {0}
        UNION ALL SELECT order_no FROM orders WHERE right(start #>> '{{address,phone}}', 4) = {0}
        UNION ALL SELECT order_no FROM child_orders WHERE child_no = {0}
        UNION ALL SELECT c.order_no FROM parcels p JOIN child_orders c USING (child_no) WHERE p.waybill_no = {0}
        UNION ALL SELECT order_no FROM return_cases WHERE return_no = {0}
        UNION ALL SELECT r.order_no FROM return_parcels p JOIN return_cases r USING (return_no) WHERE p.waybill_no = {0}
        UNION ALL SELECT order_no FROM refunds WHERE refund_no = {0}
        UNION ALL SELECT order_no FROM payments WHERE transaction_id = {0}
        UNION ALL SELECT order_no FROM order_lines WHERE sku = {0})""",
    "child_statuses": "EXISTS (SELECT FROM child_orders c WHERE c.order_no = o.order_no AND c.status = ANY ({}))",
    # Those that wait are found first (OFFSET 0): on a good day none is late, and all orders would be walked for it.
    "due_before": """o.order_no IN (SELECT order_no FROM orders WHERE dispatch_by < {}
        AND status IN ('AWAITING_SHIPMENT', 'PARTIALLY_SHIPPED') OFFSET 0)""",
    "numbers": "o.order_no = ANY ({})",
    "held": "o.order_no IN (SELECT h.order_no FROM order_holds h WHERE h.ended_at IS NULL)",
    "channels": "o.channel = ANY ({})",
    "warehouses": "EXISTS (SELECT FROM child_orders w WHERE w.order_no = o.order_no AND w.warehouse = ANY ({}))",
}


async def page(connection: Connection, filters: OrderFilter, limit: int, cursor: str | None) -> OrderPage:
    sql, args = page_query(filters, limit, cursor)
    orders = tuple(OrderSummary(**row) for row in await connection.fetch(sql, *args))
    if len(orders) <= limit:
        return OrderPage(orders, None)
    last = orders[limit - 1]
    return OrderPage(orders[:limit], _to_cursor(last.placed_at, last.order_no))


def page_query(filters: OrderFilter, limit: int, cursor: str | None) -> tuple[str, list[Any]]:
    """Only conditions asked for are written, so that each finds its index. One row more tells of more pages."""
    args: list[Any] = [limit + 1]
    conditions = _conditions(filters, args)
    if cursor is not None:
        args.extend(_from_cursor(cursor))
        conditions.append(f"(o.placed_at, o.order_no) < (${len(args) - 1}, ${len(args)})")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    # Only texts of this file go into the statement; every value is a parameter.
    return f"SELECT {SUMMARY} FROM orders o {where} ORDER BY o.placed_at DESC, o.order_no DESC LIMIT $1", args  # noqa: S608


async def count(connection: Connection, filters: OrderFilter, most: int) -> int:
    """How many there are, up to `most`: nobody waits until a million are counted."""
    args: list[Any] = [most]
    conditions = _conditions(filters, args)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    found = await connection.fetchval(f"SELECT count(*) FROM (SELECT FROM orders o {where} LIMIT $1) found", *args)  # noqa: S608
    return int(found)


def _conditions(filters: OrderFilter, args: list[Any]) -> list[str]:
    """Of what is asked for; their values are appended to `args`."""
    conditions = []
    for name, condition in _CONDITIONS.items():
        value = getattr(filters, name)
        if isinstance(value, bool):
            # Written out, not a parameter: only so is the partial index of orders needing attention used.
            conditions.append(condition if value else f"NOT ({condition})")
        elif value is not None:
            args.append(sorted(value) if isinstance(value, frozenset) else value)
            conditions.append(condition.format(f"${len(args)}"))
    return conditions


def _to_cursor(placed_at: datetime, order_no: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([placed_at.isoformat(), order_no]).encode()).decode()


def _from_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        placed_at, order_no = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return datetime.fromisoformat(placed_at), str(order_no)
    except (ValueError, TypeError):
        raise ValueError("this is not a page cursor of ours; start again from the first page") from None


async def known_channels(pool: Pool, seen: frozenset[str] | None) -> tuple[str, ...]:
    """Channels that orders came from, of those that the reader may see. Steps from one to the next by the index."""
    names = [row["channel"] for row in await pool.fetch(CHANNELS)]
    return tuple(name for name in names if seen is None or name in seen)
