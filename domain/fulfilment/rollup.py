"""The parent order's status between payment and receipt: a pure function of its children."""

from collections.abc import Iterable

from domain.states import ChildStatus, OrderStatus

OWN = frozenset({OrderStatus.PENDING_PAYMENT, OrderStatus.COMPLETED, OrderStatus.CLOSED})
"""Statuses that children cannot change: payment, receipt and closing are steps of the order itself."""

SHIPPED_OR_LATER = frozenset(
    {
        ChildStatus.SHIPPED,
        ChildStatus.IN_TRANSIT,
        ChildStatus.OUT_FOR_DELIVERY,
        ChildStatus.EXCEPTION,
        ChildStatus.REFUSED,
        ChildStatus.SIGNED,
    }
)
ARRIVED = frozenset({ChildStatus.SIGNED, ChildStatus.REFUSED})
"""A refused parcel is not on its way to the buyer any more: it goes on as a return."""


def parent_status(current: OrderStatus, children: Iterable[ChildStatus]) -> OrderStatus:
    """Status of a parent that stands at `current`, from the statuses of all its children.

    Cancelled children do not count. When all are cancelled the order stays AWAITING_SHIPMENT until the money is back
    and the order closes itself. Source: docs/requirements.md, State machines (R33).
    """
    live = [child for child in children if child is not ChildStatus.CANCELLED]
    if current in OWN:
        return current
    shipped = sum(child in SHIPPED_OR_LATER for child in live)
    if not shipped:
        return OrderStatus.AWAITING_SHIPMENT
    if shipped < len(live):
        return OrderStatus.PARTIALLY_SHIPPED
    # At least one must be signed: an order whose parcels were all refused was never delivered.
    if ARRIVED.issuperset(live) and ChildStatus.SIGNED in live:
        return OrderStatus.DELIVERED
    return OrderStatus.SHIPPED
