"""What other systems may hear of an order: a closed catalogue of events, each with its payload (R05, R74).

Payloads carry ids, states and amounts; names, addresses, phone numbers and free text never leave through here. The
contract for receivers is docs/contract/subscriptions.md.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from domain.order import Minor
from domain.returns.enums import CaseStatus, ReturnType
from domain.returns.offers import Ends
from domain.states import ChildStatus, OrderStatus, PaymentStatus
from domain.strict import Strict
from domain.tickets import Severity

MAX_BYTES = 20_000
"""A whole message, exclusive (Standard Webhooks, payload size)."""
LONGEST = 200
"""Characters of any one text: what a provider made up must not make a message too long to be sent."""


class EventType(StrEnum):
    ORDER_STATUS = "order.status_changed"
    PARCEL_STATUS = "parcel.status_changed"
    PAYMENT_RECEIVED = "payment.received"
    REFUND_SUCCEEDED = "refund.succeeded"
    REFUND_ABNORMAL = "refund.abnormal"
    TICKET_OPENED = "ticket.opened"
    RETURN_STATUS = "return.status_changed"
    AUTOMATION_FIRED = "automation.fired"
    OFFER_MADE = "offer.made"


class SubscriberRole(StrEnum):
    """Who listens (R74)."""

    MARKETING = "marketing"
    SALES = "sales"
    WAREHOUSE = "warehouse"
    FINANCE = "finance"
    OTHER = "other"


USUAL: Mapping[SubscriberRole, tuple[EventType, ...]] = {
    SubscriberRole.MARKETING: (EventType.ORDER_STATUS, EventType.OFFER_MADE),
    SubscriberRole.SALES: (
        EventType.ORDER_STATUS,
        EventType.PARCEL_STATUS,
        EventType.PAYMENT_RECEIVED,
        EventType.REFUND_SUCCEEDED,
        EventType.RETURN_STATUS,
    ),
    SubscriberRole.WAREHOUSE: (EventType.PARCEL_STATUS, EventType.RETURN_STATUS),
    SubscriberRole.FINANCE: (EventType.PAYMENT_RECEIVED, EventType.REFUND_SUCCEEDED, EventType.REFUND_ABNORMAL),
    SubscriberRole.OTHER: (),
}
"""What a role hears unless it asks for something else."""


def must_acknowledge(role: SubscriberRole, event: EventType) -> bool:
    """Finance has to confirm every refund that succeeded; no confirmation becomes a ticket (R05)."""
    return role is SubscriberRole.FINANCE and event is EventType.REFUND_SUCCEEDED


class Payload(Strict):
    """`seq` rises within one order: of two events about the same thing the one with the higher `seq` is newer."""

    order_no: str | None
    seq: int


class OfOrder(Payload):
    order_no: str


class OrderStatusChanged(OfOrder):
    """`from_status` is null when the order has just come into the books."""

    channel: str
    channel_order_no: str
    buyer_id: str
    from_status: OrderStatus | None
    to_status: OrderStatus
    payment_status: PaymentStatus


class ParcelStatusChanged(OfOrder):
    """`from_status` is null when the split has just made the parcel."""

    child_no: str
    warehouse: str
    from_status: ChildStatus | None
    to_status: ChildStatus
    carrier: str | None = None
    waybill_no: str | None = None
    shipped_at: AwareDatetime | None = None
    signed_at: AwareDatetime | None = None


class PaymentReceived(OfOrder):
    """`payment_status` LATE: the order was closed already, and the money will go back."""

    channel: str
    merchant_id: str
    transaction_id: str
    amount_minor: Minor
    currency: str
    paid_at: AwareDatetime
    payment_status: PaymentStatus


class RefundMoved(OfOrder):
    """`refund.succeeded`: the money is back with the buyer. `refund.abnormal`: the channel could not pay it out."""

    refund_no: str
    amount_minor: Minor
    currency: str


class TicketOpened(Payload):
    """A person is needed. The error itself stays inside: it may quote what a buyer or a provider wrote.

    `seq` 0: it was not opened in the course of an order; `order_no` null: it belongs to none.
    """

    ticket_id: str
    child_no: str | None
    system: str
    step: str
    severity: Severity


class ReturnStatusChanged(OfOrder):
    """`from_status` is null when the application has just become a case. `seq` rises within one return."""

    return_no: str
    return_type: ReturnType
    from_status: CaseStatus | None
    to_status: CaseStatus


class AutomationFired(OfOrder):
    """An automation whose action is to tell of it. `seq` 0: it was not in the course of the order."""

    automation: str
    trigger: str
    child_no: str | None = None


class OfferMade(OfOrder):
    """A buyer is to hear that units can be replaced instead of repaired (以换代修). `by`: the channel that the buyer
    has agreed to; `expires`: the last day. `seq` 0."""

    buyer_id: str
    by: str
    line_id: str
    units: tuple[int, ...]
    ends: Ends
    expires: date


PAYLOADS: Mapping[EventType, type[Payload]] = {
    EventType.ORDER_STATUS: OrderStatusChanged,
    EventType.PARCEL_STATUS: ParcelStatusChanged,
    EventType.PAYMENT_RECEIVED: PaymentReceived,
    EventType.REFUND_SUCCEEDED: RefundMoved,
    EventType.REFUND_ABNORMAL: RefundMoved,
    EventType.TICKET_OPENED: TicketOpened,
    EventType.RETURN_STATUS: ReturnStatusChanged,
    EventType.AUTOMATION_FIRED: AutomationFired,
    EventType.OFFER_MADE: OfferMade,
}


@dataclass(frozen=True)
class Published:
    """One event, ready to be sent: `body` is the very text that is signed, the same at every attempt."""

    event_id: str
    type: EventType
    body: str


def published(event: EventType, at: AwareDatetime, data: Payload, *happening: str | int) -> Published:
    """`happening` tells this event from any other of its type and order; writing it down twice gives the same id."""
    plain = data.model_dump(mode="json")
    shortened = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in plain.items()}
    envelope = {"type": event.value, "timestamp": at.isoformat(), "data": shortened}
    body = json.dumps(envelope, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Published(_event_id(data.order_no, event, happening), event, body)


def _event_id(order_no: str | None, event: EventType, happening: tuple[str | int, ...]) -> str:
    named = json.dumps([order_no, event.value, *happening])
    return f"evt_{hashlib.sha256(named.encode()).hexdigest()[:32]}"
