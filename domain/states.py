"""State names of every axis. Goods and money never share a status (docs/requirements.md, State machines)."""

from enum import StrEnum


class OrderStatus(StrEnum):
    PENDING_PAYMENT = "PENDING_PAYMENT"
    AWAITING_SHIPMENT = "AWAITING_SHIPMENT"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    COMPLETED = "COMPLETED"
    CLOSED = "CLOSED"


class PaymentStatus(StrEnum):
    NONE = "NONE"
    CREATED = "CREATED"
    PAID = "PAID"
    CLOSED = "CLOSED"
    LATE = "LATE"
    """Paid after the order was closed: owed back in full."""


class ChildStatus(StrEnum):
    CREATED = "CREATED"
    RISK_HOLD = "RISK_HOLD"
    BACKORDER = "BACKORDER"
    CUSTOMS_HOLD = "CUSTOMS_HOLD"
    RELEASED = "RELEASED"
    PICKING = "PICKING"
    PACKED = "PACKED"
    SHIPPED = "SHIPPED"
    IN_TRANSIT = "IN_TRANSIT"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    SIGNED = "SIGNED"
    INTERCEPTING = "INTERCEPTING"
    CANCELLED = "CANCELLED"
    EXCEPTION = "EXCEPTION"
    REFUSED = "REFUSED"


class RefundStatus(StrEnum):
    REQUESTED = "REQUESTED"
    ACCEPTED = "ACCEPTED"
    SUCCEEDED = "SUCCEEDED"
    ABNORMAL = "ABNORMAL"
    CLOSED = "CLOSED"


class Outcome(StrEnum):
    """What became of one event."""

    APPLIED = "APPLIED"
    HELD = "HELD"
    STALE = "STALE"
    DUPLICATE = "DUPLICATE"
    MISMATCH = "MISMATCH"
    """Amount, currency, merchant or order does not fit: facts kept, nothing moved, a ticket opened."""
