"""The rows of one month or week, in few statements and one snapshot."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from domain.insight.facts import MeasuredOrder, MonthFacts, OfferedUnits, Payments, RefundTime, Transitions
from domain.insight.parameters import AnomalyKind, InsightParameters
from domain.insight.paths import Habits, OrderWay, way
from domain.insight.periods import Span
from domain.insight.second_opinion import Misfit, defects, fits
from domain.insight.severity import Anomaly, hours_between, kind_of, top
from domain.strict import of
from store.insight.complaints import read_complaints
from store.insight.offers import read_offers
from store.insight.told import read_told, told_orders
from store.insight.ways import read_habits, read_moves
from store.pool import Connection, Pool, Row

LONGEST_S = 60
"""Of one statement: a month of a large shop is more than any page asks for."""

PARAMETERS = "SELECT version, parameters FROM insight_parameters ORDER BY version DESC LIMIT 1"

# Orders placed in the month, or whose parcels were signed for in it. Of each what its parcels, returns and tickets say;
# replacements of returns are the return's, and what was replaced counts as first divided only.
ORDERS = """
WITH chosen AS (
    SELECT order_no FROM orders WHERE placed_at >= $1 AND placed_at < $2
    UNION
    SELECT order_no FROM child_orders WHERE signed_at >= $1 AND signed_at < $2 AND type = 'SHIPMENT'
), kids AS (
    SELECT c.order_no, count(*) FILTER (WHERE c.replaces = '{}')::integer AS first_parcels,
        count(*) FILTER (WHERE c.status <> 'CANCELLED')::integer AS standing,
        bool_and(c.signed_at IS NOT NULL) FILTER (WHERE c.status <> 'CANCELLED') AS all_signed,
        max(c.signed_at) FILTER (WHERE c.status <> 'CANCELLED') AS signed_at,
        bool_and(c.shipped_at IS NOT NULL) FILTER (WHERE c.status <> 'CANCELLED') AS all_shipped,
        max(c.shipped_at) AS shipped_at,
        coalesce(bool_or(c.replan ->> 'because' IN ('merged', 'resplit')), false) AS remade
    FROM chosen JOIN child_orders c USING (order_no) WHERE c.type = 'SHIPMENT' GROUP BY c.order_no
), together AS (
    SELECT DISTINCT a.order_no FROM chosen JOIN child_orders a USING (order_no)
    JOIN child_orders b ON b.order_no = a.order_no AND b.nn > a.nn
        AND b.warehouse = a.warehouse AND b.carrier = a.carrier
        AND b.shipped_at BETWEEN a.shipped_at - interval '24 hours' AND a.shipped_at + interval '24 hours'
    WHERE a.type = 'SHIPMENT' AND b.type = 'SHIPMENT' AND a.status <> 'CANCELLED' AND b.status <> 'CANCELLED'
        AND NOT jsonb_path_exists(a.reasons || b.reasons, '$[*] ? (@.dim == "customs" || @.dim == "logistics")')
), back AS (
    SELECT DISTINCT order_no FROM return_cases JOIN chosen USING (order_no)
), asked AS (
    SELECT order_no, bool_or(action IN ('retry', 'supply', 'give_up') OR owner IS NOT NULL) AS by_hand
    FROM tickets JOIN chosen USING (order_no) GROUP BY order_no
)
SELECT o.order_no, o.placed_at, o.channel,
    o.payment_status = 'PAID' OR (o.payable_minor = 0 AND o.status <> 'PENDING_PAYMENT') AS paid,
    coalesce(o.paid_at, CASE WHEN o.payable_minor = 0 THEN o.placed_at END) AS paid_at,
    o.start #>> '{address,city}' AS city, o.start #>> '{address,province}' AS province,
    CASE WHEN k.all_signed THEN k.signed_at END AS signed_at,
    CASE WHEN k.all_shipped THEN k.shipped_at END AS dispatched_at,
    o.dispatch_by AS promised_at,
    greatest(1, k.first_parcels, k.standing) AS parcels,
    coalesce(k.remade, false) OR t.order_no IS NOT NULL AS unreasonable_split,
    o.status = 'CLOSED' AND k.shipped_at IS NULL AS cancelled_unshipped,
    b.order_no IS NOT NULL AS after_sales, a.order_no IS NOT NULL AS abnormal, coalesce(a.by_hand, false) AS by_hand
FROM chosen JOIN orders o USING (order_no) LEFT JOIN kids k USING (order_no) LEFT JOIN together t USING (order_no)
LEFT JOIN back b USING (order_no) LEFT JOIN asked a USING (order_no)"""

# A transition is known from the first time it was written down; what the nightly comparison saw at a source and nobody
# has written down since counts against us (as in the view sync_accuracy). An order may stand several times among the
# late ones: to name each once would sort a million rows.
TRANSITIONS = """
WITH told AS (
    SELECT order_no, key, min(recorded_at) - min(occurred_at) <= interval '300 seconds' AS in_step FROM order_events
    WHERE outcome IN ('APPLIED', 'HELD', 'STALE') AND source <> 'stock' AND occurred_at >= $1 AND occurred_at < $2
    GROUP BY order_no, key
    UNION ALL
    SELECT order_no, expected, false FROM drifts WHERE healed_at IS NULL AND kind NOT IN ('view', 'workflow')
        AND day >= ($1 AT TIME ZONE 'Asia/Shanghai')::date AND day < ($2 AT TIME ZONE 'Asia/Shanghai')::date
)
SELECT count(*)::integer AS total, count(*) FILTER (WHERE in_step)::integer AS in_step,
    coalesce(array_agg(order_no) FILTER (WHERE NOT in_step), '{}') AS late,
    (SELECT count(*)::integer FROM order_events
        WHERE outcome = 'MISMATCH' AND occurred_at >= $1 AND occurred_at < $2) AS unfit,
    (SELECT count(*)::integer FROM generate_series(($1 AT TIME ZONE 'Asia/Shanghai')::date,
        ($2 AT TIME ZONE 'Asia/Shanghai')::date - 1, interval '1 day') AS d (day)
        WHERE NOT EXISTS (SELECT FROM reconciliations r WHERE r.day = d.day::date)) AS days_not_compared
FROM told"""

PAYMENTS = """
SELECT count(*)::integer AS total, count(*) FILTER (WHERE late)::integer AS late_ones,
    coalesce(array_agg(order_no) FILTER (WHERE late), '{}') AS late
FROM (SELECT order_no, booked_at - paid_at > interval '300 seconds' AS late FROM payments
    WHERE paid_at >= $1 AND paid_at < $2) p"""

CLOSURES = """
SELECT order_no, coalesce(close_reason, status) AS ending FROM return_cases WHERE ended_at >= $1 AND ended_at < $2"""

REFUNDS = """
SELECT r.order_no, c.applied_at, r.updated_at AS paid_back_at FROM refunds r LEFT JOIN return_cases c USING (return_no)
WHERE r.status = 'SUCCEEDED' AND r.updated_at >= $1 AND r.updated_at < $2 ORDER BY r.refund_no"""

ANOMALIES = """
SELECT t.ticket_id, t.order_no, t.system, t.step, t.opened_at, t.resolved_at, o.payable_minor,
    coalesce(t.action IN ('retry', 'supply', 'give_up'), false) OR t.owner IS NOT NULL AS manual
FROM tickets t JOIN orders o USING (order_no) WHERE t.opened_at >= $1 AND t.opened_at < $2
ORDER BY t.opened_at, t.ticket_id"""

STANDING = "SELECT order_no, payable_minor, updated_at FROM orders WHERE order_no = ANY ($1) ORDER BY order_no"


@dataclass(frozen=True)
class MonthRows:
    """One month as the tables have it; `facts()` makes the plain rows of it, which takes a core for a while."""

    month: Span
    as_of: datetime
    parameters: InsightParameters
    orders: list[Row]
    transitions: Row
    payments: Row
    closures: list[Row]
    refunds: list[Row]
    anomalies: tuple[Anomaly, ...]
    told: list[Row]
    offers: OfferedUnits
    offered: tuple[str, ...]
    sources: frozenset[str]
    complaints: Mapping[str, int]

    def facts(self) -> MonthFacts:
        told, paid, of_order = self.transitions, self.payments, self.complaints.get
        opinions = {order.order_no: fits(order) for order in told_orders(self.told)}
        return MonthFacts(
            month=self.month,
            as_of=self.as_of,
            parameters=self.parameters,
            orders=[
                MeasuredOrder(**row, fits=opinions.get(row["order_no"]), complaints=of_order(row["order_no"], 0))
                for row in self.orders
            ],
            transitions=Transitions(told["total"], told["in_step"], told["unfit"], told["days_not_compared"]),
            payments=Payments(paid["total"], paid["late_ones"]),
            closures=[row["ending"] for row in self.closures],
            refunds=[RefundTime(**row) for row in self.refunds],
            anomalies=self.anomalies,
            offers=self.offers,
            complaint_sources=self.sources,
        )


@dataclass(frozen=True)
class WeekRows:
    """`ways`: of the orders of the worst, where anything has moved them."""

    parameters: InsightParameters
    anomalies: tuple[Anomaly, ...]
    ways: Mapping[str, OrderWay]


class PeriodReader:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def month(self, month: Span, as_of: datetime) -> MonthRows:
        async with self._snapshot() as connection:
            between = (month.since, month.until)
            transitions = await connection.fetchrow(TRANSITIONS, *between, timeout=LONGEST_S)
            payments = await connection.fetchrow(PAYMENTS, *between, timeout=LONGEST_S)
            assert transitions is not None and payments is not None
            return MonthRows(
                month, as_of, await read_parameters(connection),
                await connection.fetch(ORDERS, *between, timeout=LONGEST_S), transitions, payments,
                await connection.fetch(CLOSURES, *between, timeout=LONGEST_S),
                await connection.fetch(REFUNDS, *between, timeout=LONGEST_S),
                await _anomalies(connection, month), await read_told(connection, *between, placed=True),
                *await read_offers(connection, month, as_of), *await read_complaints(connection, month),
            )  # fmt: skip

    async def week(self, week: Span) -> WeekRows:
        """Tickets that were opened in it, and what nobody has opened one about: of orders last written to in it,
        statuses that their facts do not lead to. Of the worst, how their orders went."""
        async with self._snapshot() as connection:
            parameters, asked = await read_parameters(connection), await _anomalies(connection, week)
            found = defects(told_orders(await read_told(connection, week.since, week.until, placed=False)))
            rows = await connection.fetch(STANDING, list(found), timeout=LONGEST_S)
            anomalies = (*asked, *(_unnoticed(row, found[row["order_no"]], week) for row in rows))
            worst = [one.anomaly.order_no for one in top(anomalies, week, parameters)]
            habits = await read_habits(connection, week.until) if worst else Habits()
            moves = await read_moves(connection, worst, week.until)
        return WeekRows(parameters, anomalies, {no: way(own, habits, week.until) for no, own in moves.items()})

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Connection]:
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            # A million events are grouped in memory rather than sorted on disk.
            await connection.execute(f"SET LOCAL statement_timeout = '{LONGEST_S}s'; SET LOCAL work_mem = '128MB'")
            yield connection


async def read_parameters(connection: Connection) -> InsightParameters:
    row = await connection.fetchrow(PARAMETERS)
    if row is None:
        return InsightParameters()
    return of(InsightParameters, row["parameters"]).model_copy(update={"version": row["version"]})


async def _anomalies(connection: Connection, span: Span) -> tuple[Anomaly, ...]:
    """What is still open at the end of the span is as old as it is then."""
    rows = await connection.fetch(ANOMALIES, span.since, span.until, timeout=LONGEST_S)
    return tuple(
        Anomaly(
            row["ticket_id"], row["order_no"], kind_of(row["system"], row["step"]), row["payable_minor"],
            row["opened_at"], hours_between(row["opened_at"], row["resolved_at"] or span.until), row["manual"],
            f"{row['system']}: {row['step']}",
        )
        for row in rows
    )  # fmt: skip


def _unnoticed(row: Row, what: tuple[Misfit, ...], week: Span) -> Anomaly:
    return Anomaly(
        f"second-opinion {row['order_no']}", row["order_no"], AnomalyKind.STATE_MISMATCH, row["payable_minor"],
        row["updated_at"], hours_between(row["updated_at"], week.until), False, f"second opinion: {', '.join(what)}",
    )  # fmt: skip
