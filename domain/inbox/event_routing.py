"""Where a fact belongs, and what is to become of it before anybody is told: signalled, kept as stale, or parked."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from domain.facts import BUYER_KINDS, COURIER_KINDS, Fact, Kind
from domain.fulfilment.fact_times import is_of_an_earlier_parcel
from domain.fulfilment.parcel_states import can_change, has_left
from domain.states import ChildStatus, OrderStatus

MONEY = frozenset({
    Kind.PAYMENT_SUCCEEDED, Kind.REFUND_SUCCEEDED, Kind.REFUND_ABNORMAL, Kind.REFUND_CLOSED, Kind.CHARGEBACK_OPENED,
    Kind.CHARGEBACK_WON, Kind.CHARGEBACK_LOST,
})  # fmt: skip
"""Always signalled: whether money fits is for the order to say."""
QUIET = frozenset({Kind.WMS_ACCEPTED, Kind.PICKING, Kind.IN_TRANSIT, Kind.OUT_FOR_DELIVERY})
"""Nothing is done about them but to show them: no step waits for one that is a second late."""
MOVEMENT = COURIER_KINDS | {Kind.WAYBILL_RETURNED}


@dataclass(frozen=True)
class Target:
    """`ended`: no workflow listens any more. `child_*`: of the child that the fact is about, as last written.

    `applied`: the order has ended, and this very fact, told by another message, had been applied by it.
    """

    order_no: str
    status: OrderStatus
    ended: bool
    child_no: str | None
    child_status: ChildStatus | None
    applied: bool = False
    return_no: str | None = None
    """The case that listens instead of the order: its refund, its parcel on the way back, its replacement."""
    since: datetime | None = None
    """When the order was paid, or the case applied for: an earlier scan is of somebody else's parcel."""
    waybill_known: bool = False
    """The books have the fact's waybill number, of its carrier, as one under which its child goes."""

    @property
    def listener(self) -> str:
        """Who is signalled: an order by its number, a case as `return/{return_no}` (no order number holds a slash)."""
        return self.order_no if self.return_no is None else f"return/{self.return_no}"


class Disposition(Enum):
    SIGNAL = "signal"
    STALE = "stale"
    """It cannot move the order any more (decision 0005), had moved it when another message told it, or is of a parcel
    that had the same number before."""
    UNKNOWN = "unknown"
    """Its order is not in the books (yet)."""
    CLOSED = "closed"
    """Its order has ended, but money or goods moved: a person has to look."""


def fate(fact: Fact, target: Target | None) -> Disposition:
    if target is None:
        return Disposition.UNKNOWN
    if target.applied or is_of_an_earlier_parcel(fact, target.since):
        return Disposition.STALE
    moot = target.child_status is not None and not can_change(target.child_status, fact.kind)
    if target.ended:
        return Disposition.CLOSED if _asks_somebody(fact, target, moot) else Disposition.STALE
    return Disposition.STALE if moot and fact.kind not in MONEY else Disposition.SIGNAL


def _asks_somebody(fact: Fact, target: Target, moot: bool) -> bool:
    """Whether a person has to look at what came after the end."""
    if fact.kind is Kind.SHORT_PICKED:  # less left the house than was paid for
        return target.child_status is not ChildStatus.CANCELLED
    if fact.kind is Kind.WAYBILL_RETURNED:  # the warehouse's word is slower than the courier's
        return not (target.waybill_known and target.child_status is not None and has_left(target.child_status))
    return fact.kind in MONEY | BUYER_KINDS or (fact.kind in MOVEMENT and not moot)
