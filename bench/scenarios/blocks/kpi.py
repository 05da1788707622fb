"""`kpi`: a month's health report and a week's worst anomalies (R19, R64-R69, R72).

The month stands in the tables as if it were over; a person asks for both reports, the worker builds them, and what was
kept is read back. That they are built by themselves at their hour: tests/workflows/test_insight.py.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from bench.insight.planting import (
    PlantedOrder,
    PlantedReturn,
    PlantedTicket,
    plant_news,
    plant_orders,
    plant_payments,
    plant_returns,
    plant_tickets,
)
from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import ScenarioEnvironment, Servers
from bench.scenarios.plain_yaml import Malformed
from domain.access.desk import BuildReportNow, SetInsight
from domain.insight.facts import MeasuredOrder, MonthFacts, Payments, Transitions
from domain.insight.health import HealthReport, health_report
from domain.insight.parameters import AnomalyKind, InsightParameters, Points
from domain.insight.periods import NoSuchPeriod, Span, month, week
from domain.insight.severity import Anomaly
from domain.insight.weekly import WeeklyReport, weekly_report
from domain.strict import Strict
from starter.clients.desk import DeskClient
from store.insight.reports import ReportStore

Count = Annotated[int, Field(ge=0, le=10**12)]
MOST_ROWS = 200_000
ASKED_BY = {
    "refund_before_goods": ("wechat", "refund"),
    "customer_stuck": ("qimen", "push"),
    "state_mismatch": ("qimen", "reconcile"),
    "split_disputed": ("supplier", "confirm"),
}
"""System and step of a ticket of each kind."""
Name = Annotated[str, Field(min_length=1, max_length=100)]


class SyncIn(Strict):
    source_transitions: Count
    mirrored_within_300s: Count
    target_bp: Count


class DelayIn(Strict):
    paid: Count
    over_300s: Count
    target_ppm: Count


class KpiOrderIn(Strict):
    id: Name
    city: Name
    placed: AwareDatetime
    signed: AwareDatetime | None = None
    children: Annotated[int, Field(ge=1, le=1_000)]
    after_sales: bool = False
    unreasonable_split: bool = False
    cancelled_unshipped: bool = False


class AbnormalIn(Strict):
    id: Name
    order: Name
    kind: Literal["refund_before_goods", "customer_stuck", "state_mismatch", "split_disputed"]
    amount: Count
    opened: AwareDatetime
    manual: bool
    hours_open: Annotated[int, Field(ge=0, le=100_000)]


class KpiIn(Strict):
    month: Name
    week: Name
    city_tier: dict[Name, Name]
    sync: SyncIn
    payment_delay: DelayIn
    orders: tuple[KpiOrderIn, ...]
    case_closures: tuple[Name, ...] = ()
    abnormal: tuple[AbnormalIn, ...] = ()
    severity: dict[Literal["refund_before_goods", "customer_stuck", "state_mismatch", "split_disputed"], Points]
    hours_cap: Points
    amount_cap: Points


async def play(scenario: Scenario, servers: Servers) -> Any:
    given = read(KpiIn, block(scenario, "kpi"), "input.kpi")
    span, seven = _periods(given)
    facts = _facts(given, span)
    if why := _why_not(given):
        ranking = weekly_report(seven, facts.parameters, _anomalies(given))
        return ByRule(_told(given, health_report(facts), ranking), why)
    async with servers.house(proofs_demanded=True) as house:
        house.has_a_known_fault("orders that nobody has lived have no stock and no shares")
        await house.office.open_for_business()
        await _plant(house, given, span)
        desk = DeskClient(house.temporal, prover=house.prover)
        await desk.do(SetInsight(parameters=_parameters(given)), 1, "u-ops")
        await desk.do(BuildReportNow(report="health", period=given.month), 1, "u-ops")
        await desk.do(BuildReportNow(report="weekly", period=given.week), 1, "u-ops")
        return await _kept(house, given)


async def _kept(house: ScenarioEnvironment, given: KpiIn) -> dict[str, Any]:
    reports = ReportStore(house.pool)
    health, weekly = await reports.read("health", given.month), await reports.read("weekly", given.week)
    assert health is not None and weekly is not None
    return _told(given, HealthReport.model_validate_json(health.text), WeeklyReport.model_validate_json(weekly.text))


async def _plant(house: ScenarioEnvironment, given: KpiIn, span: Span) -> None:
    number = {order.id: f"KPI-{n:06}" for n, order in enumerate(given.orders)}
    amounts = {a.order: a.amount for a in given.abnormal}
    await plant_orders(
        house.pool,
        [
            PlantedOrder(
                number[o.id], o.city, o.placed, o.placed, o.signed, o.signed, o.children, o.unreasonable_split,
                o.cancelled_unshipped, amounts.get(o.id, 10_000),
            )
            for o in given.orders
        ],
    )  # fmt: skip
    numbers = list(number.values())
    sync, delay = given.sync, given.payment_delay
    late = sync.source_transitions - sync.mirrored_within_300s
    await plant_news(house.pool, numbers, span.since, told=sync.source_transitions, late=late)
    await plant_payments(house.pool, numbers, span.since, paid=delay.paid, late=delay.over_300s)
    await plant_returns(house.pool, _returns(given, number, span))
    await plant_tickets(
        house.pool,
        [
            PlantedTicket(a.id, number[a.order], *ASKED_BY[a.kind], a.opened, timedelta(hours=a.hours_open), a.manual)
            for a in given.abnormal
        ],
    )


def _returns(given: KpiIn, number: dict[str, str], span: Span) -> list[PlantedReturn]:
    """Each order that is to have one has one; how they ended is spread over them."""
    owners = [number[order.id] for order in given.orders if order.after_sales]
    ended = [PlantedReturn(owners[n % len(owners)], span.since, how) for n, how in enumerate(given.case_closures)]
    return ended + [PlantedReturn(owner, span.since) for owner in owners[len(ended) :]]


def _why_not(given: KpiIn) -> str:
    """Why the books cannot hold such a month; empty: they can."""
    rows = given.sync.source_transitions + given.payment_delay.paid + len(given.orders)
    amounts = {(a.order, a.amount) for a in given.abnormal}
    impossible = {
        "nothing was ordered, so nobody could be told anything": not given.orders,
        "returns ended that are no order's": given.case_closures and not any(o.after_sales for o in given.orders),
        f"more than {MOST_ROWS} rows": rows > MOST_ROWS,
        "anomalies of orders that the file lacks": {a.order for a in given.abnormal} - {o.id for o in given.orders},
        "two anomalies with one id": len({a.id for a in given.abnormal}) < len(given.abnormal),
        "signed for, and never sent": any(o.signed is not None and o.cancelled_unshipped for o in given.orders),
        "an order has one amount": len(amounts) > len({a.order for a in given.abnormal}),
    }
    return next((why for why, so in impossible.items() if so), "")


def _periods(given: KpiIn) -> tuple[Span, Span]:
    try:
        return month(given.month), week(given.week)
    except NoSuchPeriod as error:
        raise Malformed(f"input.kpi: {error}") from None


def _parameters(given: KpiIn) -> InsightParameters:
    return InsightParameters(
        city_tiers=given.city_tier, other_tier=None, hours_cap=given.hours_cap, amount_cap=given.amount_cap,
        severity={AnomalyKind(name): points for name, points in given.severity.items()},
    )  # fmt: skip


def _anomalies(given: KpiIn) -> list[Anomaly]:
    return [
        Anomaly(a.id, a.order, AnomalyKind(a.kind), a.amount, a.opened, a.hours_open, a.manual) for a in given.abnormal
    ]


def _facts(given: KpiIn, span: Span) -> MonthFacts:
    if given.sync.mirrored_within_300s > given.sync.source_transitions:
        raise Malformed("input.kpi.sync: more mirrored than there were")
    if given.payment_delay.over_300s > given.payment_delay.paid:
        raise Malformed("input.kpi.payment_delay: more late than were paid")
    if len({order.id for order in given.orders}) < len(given.orders):
        raise Malformed("input.kpi.orders: an id stands twice")
    return MonthFacts(
        month=span,
        as_of=span.until,
        parameters=_parameters(given),
        orders=[
            MeasuredOrder(
                o.id, o.placed, city=o.city, signed_at=o.signed, parcels=o.children, after_sales=o.after_sales,
                unreasonable_split=o.unreasonable_split, cancelled_unshipped=o.cancelled_unshipped,
            )
            for o in given.orders
        ],
        transitions=Transitions(given.sync.source_transitions, given.sync.mirrored_within_300s),
        payments=Payments(given.payment_delay.paid, given.payment_delay.over_300s),
        closures=given.case_closures,
        anomalies=[a for a in _anomalies(given) if a.opened_at in span],
    )  # fmt: skip


def _told(given: KpiIn, report: HealthReport, ranking: WeeklyReport) -> dict[str, Any]:
    accuracy, delay = report.figure("sync_accuracy_bp").value, report.figure("payment_delay_ppm").value
    fulfilment = report.figure("fulfilment_minutes")
    return {
        "sync_accuracy_bp": accuracy,
        "sync_target_met": None if accuracy is None else accuracy >= given.sync.target_bp,
        "payment_delay_ppm": delay,
        "payment_delay_target_met": None if delay is None else delay <= given.payment_delay.target_ppm,
        "fulfilment_minutes_by_tier": {part.name: part.value for part in fulfilment.parts},
        "fulfilment_minutes_all": fulfilment.value,
        "split_rate_bp": report.figure("split_rate_bp").value,
        "split_reasonable_score_x10": report.figure("split_reasonable_score_x10").value,
        "after_sales_rate_bp": report.figure("after_sales_rate_bp").value,
        "closure_bp": {part.name: part.value for part in report.figure("closure_bp").parts},
        "manual_rate_bp": report.figure("manual_rate_bp").value,
        "top5": [{"id": entry.id, "score": entry.score} for entry in ranking.top],
    }
