"""The parent order's status: before payment the payment's, afterwards derived from its children."""

from collections.abc import Iterable

from domain.states import ChildStatus, OrderStatus, PaymentStatus

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


def parent_status(
    payment: PaymentStatus, children: Iterable[ChildStatus], *, refunded: bool = False, confirmed: bool = False
) -> OrderStatus:
    """Status of the parent. `refunded`: every unit's money is back; `confirmed`: the receipt, by buyer or by time.

    Cancelled children do not count; when all are cancelled the order waits as AWAITING_SHIPMENT until the money is
    back. A receipt counts only once everything is shipped. Source: requirements.md, state machines (R33).
    """
    if payment in (PaymentStatus.CLOSED, PaymentStatus.LATE):
        return OrderStatus.CLOSED
    if payment is not PaymentStatus.PAID:
        return OrderStatus.PENDING_PAYMENT
    if refunded:
        return OrderStatus.CLOSED
    return _shipping_status([child for child in children if child is not ChildStatus.CANCELLED], confirmed)


def _shipping_status(live: list[ChildStatus], confirmed: bool) -> OrderStatus:
    shipped = sum(child in SHIPPED_OR_LATER for child in live)
    if not shipped:
        return OrderStatus.AWAITING_SHIPMENT
    if shipped < len(live):
        return OrderStatus.PARTIALLY_SHIPPED
    if confirmed:
        return OrderStatus.COMPLETED
    # At least one must be signed: an order whose parcels were all refused was never delivered.
    if ARRIVED.issuperset(live) and ChildStatus.SIGNED in live:
        return OrderStatus.DELIVERED
    return OrderStatus.SHIPPED
