"""Orders as the tables have them when they are over, and what happened to them; nothing of it was lived.

Rows of the read model, returns, tickets and events, enough for reports; for the books, stock and shares are missing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.returns.enums import Reason, ReturnType
from store.pool import Pool

AT_ONCE = 5_000

POLICY = """
INSERT INTO policies (version, policy, published_by) VALUES (1, '{"version": 1}', 'bench') ON CONFLICT DO NOTHING"""
GIVEN = """jsonb_to_recordset($1::jsonb) AS r (order_no text, city text, province text, placed_at timestamptz,
    paid_at timestamptz, dispatched_at timestamptz, signed_at timestamptz, parcels int,
    remade bool, cancelled bool, amount bigint, buyer text)"""
ORDERS = f"""
INSERT INTO orders (order_no, run_id, channel, channel_order_no, kind, buyer_id, start, currency, payable_minor,
    placed_at, pay_deadline, policy_version, status, payment_status, paid_minor, paid_at, registered_at, updated_at)
SELECT order_no, 'run', 'shop', order_no, 'normal', coalesce(buyer, 'b-' || order_no),
    jsonb_build_object('address', jsonb_build_object('city', city, 'province', province)), 'CNY', amount, placed_at,
    placed_at, 1, CASE WHEN cancelled THEN 'CLOSED' WHEN paid_at IS NULL THEN 'PENDING_PAYMENT'
        WHEN signed_at IS NOT NULL THEN 'DELIVERED' ELSE 'AWAITING_SHIPMENT' END,
    CASE WHEN paid_at IS NULL THEN 'NONE' ELSE 'PAID' END, CASE WHEN paid_at IS NULL THEN 0 ELSE amount END, paid_at,
    placed_at, placed_at
FROM {GIVEN}"""  # noqa: S608 - our own words
CHILDREN = f"""
INSERT INTO child_orders (child_no, order_no, nn, status, seq, warehouse, carrier, reasons, net_minor, freight_minor,
    paid_minor, shipped_at, signed_at, updated_at, replan)
SELECT order_no || '-' || lpad(n::text, 2, '0'), order_no, n, CASE WHEN cancelled THEN 'CANCELLED'
    WHEN signed_at IS NOT NULL THEN 'SIGNED' WHEN dispatched_at IS NOT NULL THEN 'SHIPPED' ELSE 'RELEASED' END, 1,
    'WH-' || n, 'YTO', '[]', 0, 0, 0, dispatched_at, signed_at, placed_at,
    CASE WHEN remade THEN '{{"because": "resplit", "remark": "by hand"}}'::jsonb END
FROM {GIVEN}, generate_series(1, r.parcels) n WHERE paid_at IS NOT NULL"""  # noqa: S608
PAYMENTS = """
INSERT INTO payments (key, order_no, channel, transaction_id, merchant_id, amount_minor, currency, paid_at, booked_at)
SELECT 'pay-' || n, order_no, 'wechat', n::text, 'm', 0, 'CNY',
    $2::timestamptz, $2::timestamptz + CASE WHEN n < $4 THEN interval '301 seconds' ELSE interval '300 seconds' END
FROM generate_series(0, $3::int - 1) n JOIN unnest($1::text[]) WITH ORDINALITY u (order_no, pos)
    ON u.pos = 1 + n % cardinality($1::text[])"""
EVENTS = """
INSERT INTO order_events (order_no, key, kind, source, occurred_at, recorded_at, outcome, from_status, to_status)
SELECT order_no, 'told-' || n || ' ' || $2::timestamptz, 'IN_TRANSIT', 'kuaidi100',
    $2::timestamptz,
    $2::timestamptz + CASE WHEN n < $4 THEN interval '301 seconds' ELSE interval '300 seconds' END,
    'STALE', 'SHIPPED', 'SHIPPED'
FROM generate_series(0, $3::int - 1) n JOIN unnest($1::text[]) WITH ORDINALITY u (order_no, pos)
    ON u.pos = 1 + n % cardinality($1::text[])"""
FACTS = """
INSERT INTO order_events (order_no, child_no, key, kind, source, occurred_at, recorded_at, outcome, from_status,
    to_status)
SELECT order_no, child_no, kind || ' ' || child_no, kind, source, at, at + interval '20 seconds', 'APPLIED', before,
    after
FROM child_orders CROSS JOIN LATERAL (VALUES
    ('WMS_ACCEPTED', 'qimen', 'RELEASED', 'RELEASED', shipped_at - interval '9 hours'),
    ('PICKING', 'qimen', 'RELEASED', 'PICKING', shipped_at - interval '4 hours'),
    ('PACKED', 'qimen', 'PICKING', 'PACKED', shipped_at - interval '2 hours'),
    ('WAYBILL_RETURNED', 'qimen', 'PACKED', 'SHIPPED', shipped_at),
    ('IN_TRANSIT', 'kuaidi100', 'SHIPPED', 'IN_TRANSIT', shipped_at + interval '5 hours'),
    ('SIGNED', 'kuaidi100', 'IN_TRANSIT', 'SIGNED', signed_at)) f (kind, source, before, after, at)
WHERE order_no = ANY ($1) AND shipped_at IS NOT NULL AND at IS NOT NULL"""
RETURNS = """
INSERT INTO return_cases (return_no, order_no, run_id, type, channel, actor_kind, actor_id, reason, fault, application,
    admitted, policy_version, status, close_reason, applied_at, ended_at, updated_at)
SELECT 'RT-' || order_no || '-' || n, order_no, 'run', type, 'app', 'buyer', 'b', reason, 'buyer', '{}',
    '{}', 1, CASE WHEN ending IS NULL THEN 'APPLIED' ELSE 'REFUNDED' END, ending, at,
    CASE WHEN ending IS NOT NULL THEN at END, at
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[]) WITH ORDINALITY
    AS r (order_no, ending, at, type, reason, n)"""
TICKETS = """
INSERT INTO tickets (ticket_id, order_no, outside, state, severity, system, step, error, actions, opened_at,
    resolved_at, resolved_by, action, remark)
SELECT ticket_id, order_no, true, 'resolved', 'normal', system, step, 'planted', '{give_up}', opened_at, resolved_at,
    CASE WHEN manual THEN 'u-ops' ELSE 'system' END, CASE WHEN manual THEN 'give_up' ELSE 'evidence' END, 'seen to'
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::bool[])
    AS t (ticket_id, order_no, system, step, opened_at, resolved_at, manual)"""


@dataclass(frozen=True)
class PlantedOrder:
    order_no: str
    city: str
    placed_at: datetime
    paid_at: datetime | None
    signed_at: datetime | None = None
    dispatched_at: datetime | None = None
    parcels: int = 1
    remade: bool = False
    cancelled: bool = False
    amount: int = 10_000
    province: str = "某省"
    buyer: str | None = None
    """None: one of its own."""


@dataclass(frozen=True)
class PlantedReturn:
    """`ending`: how it ended, at that moment; None: it goes on."""

    order_no: str
    at: datetime
    ending: str | None = None
    type: ReturnType = ReturnType.RETURN_REFUND
    reason: Reason = Reason.NO_REASON


@dataclass(frozen=True)
class PlantedTicket:
    ticket_id: str
    order_no: str
    system: str
    step: str
    opened_at: datetime
    open_for: timedelta
    manual: bool


async def plant_orders(pool: Pool, orders: Sequence[PlantedOrder]) -> None:
    async with pool.acquire() as connection:
        await connection.execute(POLICY)
        for start in range(0, len(orders), AT_ONCE):
            rows: Any = [_row(order) for order in orders[start : start + AT_ONCE]]
            for sql in (ORDERS, CHILDREN):
                await connection.execute(sql, rows, timeout=60)


def _row(order: PlantedOrder) -> dict[str, Any]:
    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in vars(order).items()}


async def plant_news(pool: Pool, numbers: Sequence[str], at: datetime, *, told: int, late: int) -> None:
    """So many transitions at that moment, spread over the orders; the late ones a second too late."""
    await pool.execute(EVENTS, list(numbers), at, told, late, timeout=60)


async def plant_facts(pool: Pool, numbers: Sequence[str]) -> None:
    """What warehouses and couriers say of each parcel that has left."""
    for start in range(0, len(numbers), AT_ONCE):
        await pool.execute(FACTS, list(numbers[start : start + AT_ONCE]), timeout=60)


async def plant_payments(pool: Pool, numbers: Sequence[str], at: datetime, *, paid: int, late: int) -> None:
    await pool.execute(PAYMENTS, list(numbers), at, paid, late, timeout=60)


async def plant_returns(pool: Pool, returns: Iterable[PlantedReturn]) -> None:
    listed = list(returns)
    columns = [(r.order_no, r.ending, r.at, r.type.value, r.reason.value) for r in listed]
    await pool.execute(RETURNS, *([row[n] for row in columns] for n in range(5)))


async def plant_tickets(pool: Pool, tickets: Iterable[PlantedTicket]) -> None:
    listed = list(tickets)
    columns = [
        (t.ticket_id, t.order_no, t.system, t.step, t.opened_at, t.opened_at + t.open_for, t.manual) for t in listed
    ]
    await pool.execute(TICKETS, *([row[n] for row in columns] for n in range(7)))
