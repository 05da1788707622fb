"""Where a fact belongs, and what is to become of it before anybody is told: signalled, kept as stale, or parked."""

from dataclasses import dataclass
from enum import Enum

from domain.child_axis import can_change
from domain.facts import Fact, Kind
from domain.states import ChildStatus, OrderStatus

MONEY = frozenset({Kind.PAYMENT_SUCCEEDED, Kind.REFUND_SUCCEEDED, Kind.REFUND_ABNORMAL, Kind.REFUND_CLOSED})
"""Always signalled: whether money fits is for the order to say."""
MOVEMENT = frozenset(
    {
        Kind.WAYBILL_RETURNED,
        Kind.COLLECTED,
        Kind.IN_TRANSIT,
        Kind.OUT_FOR_DELIVERY,
        Kind.SIGNED,
        Kind.COURIER_EXCEPTION,
        Kind.DELIVERY_REFUSED,
        Kind.RETURNED_TO_SENDER,
    }
)


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

    @property
    def listener(self) -> str:
        """Who is signalled: an order by its number, a case as `return/{return_no}` (no order number holds a slash)."""
        return self.order_no if self.return_no is None else f"return/{self.return_no}"


class Fate(Enum):
    SIGNAL = "signal"
    STALE = "stale"
    """It cannot move the order any more (decision 0005), or had moved it when another message told it."""
    UNKNOWN = "unknown"
    """Its order is not in the books (yet)."""
    CLOSED = "closed"
    """Its order has ended, but money or goods moved: a person has to look."""


def fate(fact: Fact, target: Target | None) -> Fate:
    if target is None:
        return Fate.UNKNOWN
    if target.applied:
        return Fate.STALE
    moot = target.child_status is not None and not can_change(target.child_status, fact.kind)
    if target.ended:
        return Fate.CLOSED if fact.kind in MONEY or (fact.kind in MOVEMENT and not moot) else Fate.STALE
    return Fate.STALE if moot and fact.kind not in MONEY else Fate.SIGNAL
