"""The steps that an order takes by itself: payment, receipt, closing. Between them its parcels lead
(`domain/fulfilment/rollup.py`)."""

from enum import StrEnum
from typing import NamedTuple

from domain.states import OrderStatus

S = OrderStatus


class OrderStep(StrEnum):
    PAID = "paid, or nothing to pay"
    NOT_PAID = "not paid by the deadline, or cancelled"
    ALL_CANCELLED = "every parcel cancelled, or never split"
    RECEIVED = "receipt confirmed, or its time is over"
    ALL_BACK = "every unit returned"


class OrderMove(NamedTuple):
    before: frozenset[OrderStatus]
    after: OrderStatus


STEPS: dict[OrderStep, OrderMove] = {
    OrderStep.PAID: OrderMove(frozenset({S.PENDING_PAYMENT}), S.AWAITING_SHIPMENT),
    OrderStep.NOT_PAID: OrderMove(frozenset({S.PENDING_PAYMENT}), S.CLOSED),
    OrderStep.ALL_CANCELLED: OrderMove(frozenset({S.AWAITING_SHIPMENT}), S.CLOSED),
    OrderStep.RECEIVED: OrderMove(frozenset({S.SHIPPED, S.DELIVERED}), S.COMPLETED),
    OrderStep.ALL_BACK: OrderMove(frozenset({S.SHIPPED, S.DELIVERED, S.COMPLETED}), S.CLOSED),
}
NOT_ALL_GONE = frozenset({S.PENDING_PAYMENT, S.AWAITING_SHIPMENT, S.PARTIALLY_SHIPPED})
"""Where something may still be cancelled, or sent elsewhere."""
RECEIVABLE = STEPS[OrderStep.RECEIVED].before
"""Where a buyer may confirm receipt."""
