"""What has happened: out of the books, for the past and for what nobody tells us; and how an order stood when it was
placed, which is all that conditions read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.automation.conditions import fields_of
from domain.automation.model import Trigger, TriggerMoment
from store.pool import Connection, Row

MESSAGES = {"BUYER_ADDRESS": "address", "BUYER_REMARK": "remark", "BUYER_REFUND": "refund"}
_TIMES = "WHERE h.at >= $1::timestamptz AND h.at < $2::timestamptz ORDER BY h.at, h.order_no, h.ref LIMIT $3"
_OF_ORDERS = "SELECT order_no, NULL AS child_no, order_no AS ref, '' AS detail, {at} AS at FROM {table}"

# By trigger: what has happened between $1 and $2, the $3 oldest of it; $4 seconds, or a time of the day.
PAST: Mapping[Trigger, str] = {
    Trigger.PLACED: _OF_ORDERS.format(at="registered_at", table="orders WHERE registered_at >= $1::timestamptz"),
    Trigger.PAID: _OF_ORDERS.format(
        at="paid_at", table="orders WHERE paid_at >= $1 AND payment_status NOT IN ('NONE', 'CREATED', 'LATE')"
    ),
    Trigger.SPLIT: _OF_ORDERS.format(at="planned_at", table="order_plans WHERE planned_at >= $1::timestamptz"),
    Trigger.RETURN: """SELECT order_no, NULL AS child_no, return_no AS ref, '' AS detail, applied_at AS at
        FROM return_cases WHERE applied_at >= $1::timestamptz""",
    Trigger.TICKET: """SELECT order_no, child_no, ticket_id AS ref, '' AS detail, opened_at AS at
        FROM tickets WHERE opened_at >= $1 AND order_no IS NOT NULL AND system <> 'automation'""",
    Trigger.STOCK: """SELECT order_no, child_no, key AS ref, '' AS detail, recorded_at AS at
        FROM order_events WHERE recorded_at >= $1 AND kind = 'STOCK_ARRIVED' AND outcome = 'APPLIED'""",
    Trigger.MESSAGE: """SELECT order_no, child_no, key AS ref, kind AS detail, recorded_at AS at
        FROM order_events WHERE recorded_at >= $1 AND outcome = 'APPLIED'
            AND kind IN ('BUYER_ADDRESS', 'BUYER_REMARK', 'BUYER_REFUND')""",
    Trigger.CHILD_WAITS: """SELECT o.order_no, c.child_no, c.child_no AS ref, '' AS detail,
            o.paid_at + make_interval(secs => $4::float8) AS at
        FROM orders o JOIN child_orders c USING (order_no)
        WHERE o.paid_at >= $1::timestamptz - make_interval(secs => $4::float8) AND c.type = 'SHIPMENT' AND CASE
            WHEN c.shipped_at IS NULL THEN c.status <> 'CANCELLED'
            ELSE c.shipped_at > o.paid_at + make_interval(secs => $4::float8) END""",
    Trigger.SILENT: """SELECT c.order_no, c.child_no, c.child_no AS ref, '' AS detail,
            min(p.at) + make_interval(secs => $4::float8) AS at
        FROM child_orders c CROSS JOIN LATERAL (
            SELECT s.at, lead(s.at) OVER (ORDER BY s.at) AS next FROM (
                SELECT c.shipped_at AS at UNION ALL SELECT c.signed_at WHERE c.signed_at IS NOT NULL
                UNION ALL SELECT t.at FROM courier_traces t WHERE t.waybill_no = c.waybill_no AND t.at > c.shipped_at
            ) s) p
        WHERE c.shipped_at >= $1::timestamptz - interval '60 days' AND c.type = 'SHIPMENT' AND c.waybill_no IS NOT NULL
            AND (c.signed_at IS NULL OR p.at < c.signed_at) AND c.status <> 'REFUSED'
            AND coalesce(p.next, 'infinity') > p.at + make_interval(secs => $4::float8)
        GROUP BY c.order_no, c.child_no""",
}  # fmt: skip
_DUE = """SELECT o.order_no, NULL AS child_no, o.order_no AS ref, '' AS detail, f.at FROM orders o
    JOIN dispatch_times d USING (order_no) CROSS JOIN LATERAL (SELECT {fires} AS at) f
    WHERE o.dispatch_by >= $1::timestamptz - interval '1 day' AND o.dispatch_by < $2::timestamptz + interval '31 days'
        AND (d.waiting > 0 AND o.status <> 'CLOSED' OR d.dispatched_at > f.at)"""
_BEFORE = _DUE.format(fires="o.dispatch_by - make_interval(secs => $4::float8)")
_THAT_DAY = _DUE.format(
    fires="((o.dispatch_by AT TIME ZONE 'Asia/Shanghai')::date + $4::text::time) AT TIME ZONE 'Asia/Shanghai'"
)

FACTS = """
SELECT u.pos, o.channel, o.kind, o.currency, o.payable_minor AS amount_minor, l.order_lines, l.order_qty,
    l.order_weight_g, coalesce(o.start #>> '{address,country}', 'CN') AS country,
    coalesce(o.start #>> '{address,province}', '') AS province, coalesce(o.start #>> '{address,city}', '') AS city,
    coalesce(o.start #>> '{address,district}', '') AS district, coalesce(c.warehouse, '') AS warehouse,
    coalesce(c.carrier, '') AS carrier, coalesce(t.system, '') AS system, coalesce(t.step, '') AS step,
    coalesce(r.type, '') AS return_type, coalesce(r.reason, '') AS return_reason, coalesce(r.fault, '') AS fault
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[]) AS u (pos, order_no, child_no, ref)
JOIN orders o ON o.order_no = u.order_no
CROSS JOIN LATERAL (SELECT count(*)::int AS order_lines, coalesce(sum(qty), 0)::bigint AS order_qty,
    coalesce(sum(qty * weight_g), 0)::bigint AS order_weight_g FROM order_lines i WHERE i.order_no = o.order_no) l
LEFT JOIN child_orders c ON c.child_no = u.child_no
LEFT JOIN tickets t ON $5 = 'ticket_opened' AND t.ticket_id = u.ref
LEFT JOIN return_cases r ON $5 = 'return_applied' AND r.return_no = u.ref"""


@dataclass(frozen=True)
class Happening:
    """`ref`: what it is about: an order, a child, a ticket, a return, a message. `detail`: what else was said."""

    trigger: Trigger
    order_no: str
    child_no: str | None
    ref: str
    detail: str
    at: datetime


async def happened(
    connection: Connection, moment: TriggerMoment, since: datetime, until: datetime, limit: int
) -> list[Happening]:
    """Out of the books, the oldest first."""
    text, more = _question(moment)
    sql = f"SELECT h.* FROM ({text}) h {_TIMES}"  # noqa: S608 - our own words
    rows = await connection.fetch(sql, since, until, limit, *more)
    return [Happening(moment.trigger, **row) for row in rows]


def _question(moment: TriggerMoment) -> tuple[str, tuple[object, ...]]:
    if moment.trigger is Trigger.DEADLINE:
        return (_BEFORE, (float(moment.before_s),)) if moment.before_s is not None else (_THAT_DAY, (moment.at,))
    more = () if moment.after_s is None else (float(moment.after_s),)
    return PAST[moment.trigger], more


async def facts_of(connection: Connection, trigger: Trigger, some: Sequence[Happening]) -> list[dict[str, Any] | None]:
    """What a condition may read of each; None: its order is not in the books."""
    rows = await connection.fetch(
        FACTS, list(range(len(some))), [h.order_no for h in some], [h.child_no for h in some], [h.ref for h in some],
        trigger.value,
    )  # fmt: skip
    known = {row["pos"]: row for row in rows}
    return [None if n not in known else _facts(trigger, known[n], one) for n, one in enumerate(some)]


def _facts(trigger: Trigger, row: Row, one: Happening) -> dict[str, Any]:
    told = {**row, "message": MESSAGES.get(one.detail, "")}
    return {name: told[name] for name in fields_of(trigger)}
