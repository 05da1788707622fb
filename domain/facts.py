"""Facts: what an outside system says has happened. The one shape in which events reach an order."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

from domain.automation.acts import Asked
from domain.order import Currency, Id, Minor
from domain.strict import Strict


class Kind(StrEnum):
    """Closed catalogue of events (R01)."""

    PAYMENT_SUCCEEDED = "PAYMENT_SUCCEEDED"
    PAYMENT_CLOSED = "PAYMENT_CLOSED"
    REFUND_SUCCEEDED = "REFUND_SUCCEEDED"
    REFUND_ABNORMAL = "REFUND_ABNORMAL"
    REFUND_CLOSED = "REFUND_CLOSED"
    CHARGEBACK_OPENED = "CHARGEBACK_OPENED"
    """The buyer's bank, or the channel for it, wants money back (拒付)."""
    CHARGEBACK_WON = "CHARGEBACK_WON"
    """It was decided for us: the money stays (申诉成功)."""
    CHARGEBACK_LOST = "CHARGEBACK_LOST"
    """The money is gone for good (申诉失败)."""
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
    BUYER_ADDRESS = "BUYER_ADDRESS"
    """The buyer has asked the channel to send it elsewhere (买家改地址)."""
    BUYER_REMARK = "BUYER_REMARK"
    """The buyer has told the channel something (买家留言)."""
    BUYER_REFUND = "BUYER_REFUND"
    """The buyer has asked the channel for the money back (买家申请退款)."""
    AUTOMATION = "AUTOMATION"
    """An automation of ours wants something done about the order: nobody outside may say so."""


OURS_ALONE = frozenset({Kind.AUTOMATION})
"""Kinds that no message from outside is mapped to."""
REFUND_KINDS = frozenset({Kind.REFUND_SUCCEEDED, Kind.REFUND_ABNORMAL, Kind.REFUND_CLOSED})
BUYER_KINDS = frozenset({Kind.BUYER_ADDRESS, Kind.BUYER_REMARK, Kind.BUYER_REFUND})
"""What the buyer wants of an order; the same may be wanted again."""
COURIER_KINDS = frozenset(
    {
        Kind.COLLECTED,
        Kind.IN_TRANSIT,
        Kind.OUT_FOR_DELIVERY,
        Kind.SIGNED,
        Kind.COURIER_EXCEPTION,
        Kind.DELIVERY_REFUSED,
        Kind.RETURNED_TO_SENDER,
    }
)
"""Scans of a parcel: of one number, which another parcel may have had before."""
FIRST, LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


def _in_the_calendar(at: datetime) -> datetime:
    """A moment at the calendar's edge has no UTC, and would break whoever computes with it or stores it."""
    return min(max(at, FIRST), LAST)


class Fact(Strict):
    """One thing that happened, told by one source.

    `key` is the business key of the happening (`wechat:pay:{transaction_id}`, `kuaidi100:{waybill}:SIGNED`): two
    messages about the same happening carry the same key, whatever their own ids. It is what an order dedupes on.
    Exactly the ids needed to find the order are set: `order_no`, else `child_no`, else `waybill_no`, else `refund_no`.
    """

    key: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Kind
    source: Id
    occurred_at: Annotated[AwareDatetime, AfterValidator(_in_the_calendar)]
    order_no: str | None = None
    child_no: str | None = None
    waybill_no: str | None = None
    refund_no: str | None = None
    chargeback_no: str | None = None
    """The bank's or channel's number; a chargeback names its order by `order_no`."""
    # payment evidence
    transaction_id: str | None = None
    merchant_id: str | None = None
    amount_minor: Minor | None = None
    currency: Currency | None = None
    # warehouse and courier evidence
    carrier: str | None = None
    actual: dict[str, int] | None = None
    """Units really picked or shipped, by line_id."""
    actual_items: dict[str, int] | None = None
    """The same by article, from a warehouse that names no lines."""
    note: Annotated[str, Field(max_length=300)] = ""
    asked: Asked | None = None
    """Of `AUTOMATION`: who wants what done."""
    inbox_id: int | None = None
    """Row of the inbox that carried the fact; set by the relay, absent for facts from a query."""
