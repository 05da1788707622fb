"""The ranking of a week's anomalies, as it is kept and shown (R72)."""

from collections.abc import Mapping, Sequence

from domain.insight.parameters import InsightParameters
from domain.insight.paths import OrderWay
from domain.insight.periods import Span
from domain.insight.severity import Anomaly, Ranked, top
from domain.strict import Strict


class TopEntry(Strict):
    """One of the worst. `what`: system and step of its ticket; `score`: the severity, the sum of the three kinds of
    points, by which they are ranked. Beside it how the order went: `rarity_x10`, tenths of a bit; `hours_beyond`, over
    the p95 of each status; None where nothing is known that moved it, or in a version from before they were told."""

    id: str
    order_no: str
    kind: str
    what: str
    amount_minor: int
    opened_at: str
    hours_open: int
    manual: bool
    kind_points: int
    hour_points: int
    amount_points: int
    score: int
    rarity_x10: int | None = None
    hours_beyond: int | None = None


class WeeklyReport(Strict):
    """`anomalies`: all that appeared in the week."""

    week: str
    parameters_version: int
    anomalies: int
    top: tuple[TopEntry, ...]


def weekly_report(
    week: Span, parameters: InsightParameters, anomalies: Sequence[Anomaly], ways: Mapping[str, OrderWay] | None = None
) -> WeeklyReport:
    """`ways`: by order, of the worst at least."""
    known = ways or {}
    return WeeklyReport(
        week=week.name,
        parameters_version=parameters.version,
        anomalies=sum(a.opened_at in week for a in anomalies),
        top=tuple(
            _entry(found, known.get(found.anomaly.order_no, OrderWay(None, None)))
            for found in top(anomalies, week, parameters)
        ),
    )


def _entry(found: Ranked, way: OrderWay) -> TopEntry:
    it = found.anomaly
    return TopEntry(
        id=it.id, order_no=it.order_no, kind=it.kind.value, what=it.what, amount_minor=it.amount_minor,
        opened_at=it.opened_at.isoformat(), hours_open=it.hours_open, manual=it.manual, kind_points=found.kind_points,
        hour_points=found.hour_points, amount_points=found.amount_points, score=found.score,
        rarity_x10=way.rarity_x10, hours_beyond=way.hours_beyond,
    )  # fmt: skip
