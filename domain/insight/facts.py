"""Plain rows that a report is computed from, as the store reads them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.insight.parameters import InsightParameters
from domain.insight.periods import Span
from domain.insight.severity import Anomaly


@dataclass(frozen=True, slots=True)
class MeasuredOrder:
    """One order. Times are None where nobody has told; `signed_at`, `dispatched_at` of the last parcel, once all are.

    `parcels`: as first divided, or as they stand, whichever is more; `fits`: the second opinion on its status, None
    where there is nothing to judge by.
    """

    order_no: str
    placed_at: datetime
    channel: str = ""
    paid: bool = True
    paid_at: datetime | None = None
    city: str | None = None
    province: str | None = None
    signed_at: datetime | None = None
    dispatched_at: datetime | None = None
    promised_at: datetime | None = None
    parcels: int = 1
    unreasonable_split: bool = False
    cancelled_unshipped: bool = False
    after_sales: bool = False
    abnormal: bool = False
    by_hand: bool = False
    fits: bool | None = None
    complaints: int = 0

    @property
    def counts(self) -> bool:
        """Among the paid orders of its month."""
        return self.paid and not self.cancelled_unshipped


@dataclass(frozen=True)
class Transitions:
    """What sources said that moves a status: in our books within 300 s, or later; `unfit`: it fitted no order, and has
    its ticket; `days_not_compared`: days of the month without a reconciliation."""

    total: int = 0
    in_step: int = 0
    unfit: int = 0
    days_not_compared: int = 0


@dataclass(frozen=True)
class Payments:
    total: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class RefundTime:
    """`applied_at`: of its return; None: it has none."""

    order_no: str
    applied_at: datetime | None
    paid_back_at: datetime


@dataclass(frozen=True, slots=True)
class OfferedUnits:
    """Units that were offered a replacement in the month, and what became of them. `unasked`: units under warranty
    whose offer would have fallen into it, and whose buyers had not agreed to hear of any."""

    taken: int = 0
    refused: int = 0
    unanswered: int = 0
    waiting: int = 0
    refunded: int = 0
    unasked: int = 0
    unasked_refunded: int = 0

    @property
    def answered(self) -> int:
        return self.taken + self.refused + self.unanswered


@dataclass(frozen=True)
class MonthFacts:
    """Everything that one month's report is made of. `orders`: placed in it, or signed for in it; `closures`: how each
    return ended that ended in it; `complaint_sources`: channels that tell of complaints; `as_of`: what is due by then
    is judged."""

    month: Span
    as_of: datetime
    parameters: InsightParameters
    orders: Sequence[MeasuredOrder]
    transitions: Transitions = Transitions()
    payments: Payments = Payments()
    closures: Sequence[str] = ()
    refunds: Sequence[RefundTime] = ()
    anomalies: Sequence[Anomaly] = ()
    offers: OfferedUnits = OfferedUnits()
    complaint_sources: Collection[str] = ()
