"""Facts: what an outside system says has happened. The one shape in which events reach an order."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from domain.order import Currency, Id, Minor
from domain.strict import Strict


class Kind(StrEnum):
    """Closed catalogue of events (R01)."""

    PAYMENT_SUCCEEDED = "PAYMENT_SUCCEEDED"
    PAYMENT_CLOSED = "PAYMENT_CLOSED"
    REFUND_SUCCEEDED = "REFUND_SUCCEEDED"
    REFUND_ABNORMAL = "REFUND_ABNORMAL"
    REFUND_CLOSED = "REFUND_CLOSED"
    STOCK_ARRIVED = "STOCK_ARRIVED"
    WMS_ACCEPTED = "WMS_ACCEPTED"
    WMS_REJECTED = "WMS_REJECTED"
    PICKING = "PICKING"
    PACKED = "PACKED"
    SHORT_PICKED = "SHORT_PICKED"
    WAYBILL_RETURNED = "WAYBILL_RETURNED"
    """The warehouse handed the parcel out and told its waybill number (物流单号回传 = SHIPPED)."""
    INTERCEPTED = "INTERCEPTED"
    """The warehouse confirmed that it cancelled the outbound order."""
    INTERCEPT_REFUSED = "INTERCEPT_REFUSED"
    COLLECTED = "COLLECTED"
    IN_TRANSIT = "IN_TRANSIT"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    SIGNED = "SIGNED"
    COURIER_EXCEPTION = "COURIER_EXCEPTION"
    DELIVERY_REFUSED = "DELIVERY_REFUSED"
    RETURNED_TO_SENDER = "RETURNED_TO_SENDER"
    CUSTOMS_RELEASED = "CUSTOMS_RELEASED"
    """Customs let the parcel in (放行)."""
    CUSTOMS_REFUSED = "CUSTOMS_REFUSED"


class Fact(Strict):
    """One thing that happened, told by one source.

    `key` is the business key of the happening (`wechat:pay:{transaction_id}`, `kuaidi100:{waybill}:SIGNED`): two
    messages about the same happening carry the same key, whatever their own ids. It is what an order dedupes on.
    Exactly the ids needed to find the order are set: `order_no`, else `child_no`, else `waybill_no`, else `refund_no`.
    """

    key: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Kind
    source: Id
    occurred_at: AwareDatetime
    order_no: str | None = None
    child_no: str | None = None
    waybill_no: str | None = None
    refund_no: str | None = None
    # payment evidence
    transaction_id: str | None = None
    merchant_id: str | None = None
    amount_minor: Minor | None = None
    currency: Currency | None = None
    # warehouse and courier evidence
    carrier: str | None = None
    actual: dict[str, int] | None = None
    """Units really picked or shipped, by line_id."""
    note: Annotated[str, Field(max_length=300)] = ""
    inbox_id: int | None = None
    """Row of the inbox that carried the fact; set by the relay, absent for facts from a query."""
