"""`kpi`: a month's health report and a week's worst anomalies (R19, R64-R69, R72)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import Servers
from bench.scenarios.plain_yaml import Malformed
from domain.insight.facts import MeasuredOrder, MonthFacts, Payments, Transitions
from domain.insight.health import HealthReport, health_report
from domain.insight.parameters import AnomalyKind, InsightParameters, Points
from domain.insight.periods import NoSuchPeriod, Span, month, week
from domain.insight.severity import Anomaly, Ranked, top
from domain.strict import Strict

Count = Annotated[int, Field(ge=0, le=10**12)]
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


async def play(scenario: Scenario, _servers: Servers) -> Any:
    given = read(KpiIn, block(scenario, "kpi"), "input.kpi")
    span, seven = _periods(given)
    facts = _facts(given, span)
    ranking = top(_anomalies(given), seven, facts.parameters)
    return ByRule(_told(given, health_report(facts), ranking), "the month is not played yet")


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


def _told(given: KpiIn, report: HealthReport, ranking: Sequence[Ranked]) -> dict[str, Any]:
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
        "top5": [{"id": r.anomaly.id, "score": r.score} for r in ranking],
    }
