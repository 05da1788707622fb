"""The odd cases of a week by severity (R72): points of the kind, hours open, hundreds of yuan, each capped."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.insight.parameters import AnomalyKind, InsightParameters
from domain.insight.periods import Span

AMOUNT_STEP_MINOR = 10_000
"""100 yuan."""
TOP = 5


@dataclass(frozen=True)
class Anomaly:
    """`amount_minor`: of the order that it is about; `manual`: a person dealt with it; `what`: in the words of its
    ticket, to tell whether it comes again."""

    id: str
    order_no: str
    kind: AnomalyKind
    amount_minor: int
    opened_at: datetime
    hours_open: int
    manual: bool
    what: str = ""


@dataclass(frozen=True)
class Ranked:
    anomaly: Anomaly
    kind_points: int
    hour_points: int
    amount_points: int

    @property
    def score(self) -> int:
        return self.kind_points + self.hour_points + self.amount_points


def ranked(anomaly: Anomaly, parameters: InsightParameters) -> Ranked:
    return Ranked(
        anomaly,
        parameters.severity.get(anomaly.kind, 0),
        min(anomaly.hours_open, parameters.hours_cap),
        min(anomaly.amount_minor // AMOUNT_STEP_MINOR, parameters.amount_cap),
    )


def top(anomalies: Iterable[Anomaly], week: Span, parameters: InsightParameters, most: int = TOP) -> tuple[Ranked, ...]:
    """Of those that appeared in the week; of equal ones the older goes first."""
    found = [ranked(anomaly, parameters) for anomaly in anomalies if anomaly.opened_at in week]
    found.sort(key=lambda r: (-r.score, r.anomaly.opened_at, r.anomaly.id))
    return tuple(found[:most])


REFUND_WORDS = ("refund", "chargeback", "supplied money")
MISMATCH_STEPS = frozenset(
    {
        "reconcile", "conflicting event", "event not applied", "event after close", "parked event",
        "order without workflow", "late parcel", "left though it was stopped", "one owner", "trade bill differs",
        "trade bill lacks",
        "not in the channel's bill", "second opinion", "unread signal",
    }
)  # fmt: skip
SPLIT_SYSTEMS = frozenset({"supplier", "catalog"})
SPLIT_WORDS = ("split", "merge", "short", "source", "untagged", "shared package")


def kind_of(system: str, step: str) -> AnomalyKind:
    """What a ticket is about, for the ranking; told by the system that it names and by what is asked."""
    if any(word in step for word in REFUND_WORDS):
        return AnomalyKind.REFUND_BEFORE_GOODS
    if step in MISMATCH_STEPS or system == "ownership":
        return AnomalyKind.STATE_MISMATCH
    if system in SPLIT_SYSTEMS or any(word in step for word in SPLIT_WORDS):
        return AnomalyKind.SPLIT_DISPUTED
    return AnomalyKind.CUSTOMER_STUCK


def hours_between(opened: datetime, closed: datetime) -> int:
    """Whole hours; never less than none."""
    return max(0, math.floor((closed - opened).total_seconds() / 3600))
