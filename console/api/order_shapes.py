"""What is said of orders over the open API. Amounts in minor units (fen), times as RFC 3339."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from domain.dispatch.holds import HoldKind
from domain.insight.complaints import About
from domain.order import Address, Currency, Id, OrderTime, PayChannel, Text
from domain.strict import Strict
from store.orders.pages import OrderSummary

BuyersHold = Literal[HoldKind.ADDRESS, HoldKind.MESSAGE, HoldKind.DISPUTE, HoldKind.OTHER]
"""What a shop's program may hold for; stock and risk are looked at here."""


class ForSomebody(Strict):
    """`on_behalf_of`: the buyer for whom it is asked, by the shop's own id; without it, the program itself asks."""

    on_behalf_of: Id | None = None


class CancelRequest(ForSomebody):
    reason: Text


class ConfirmRequest(ForSomebody):
    """The buyer, or somebody for them, has the goods."""


class AddressRequest(ForSomebody):
    address: Address
    remark: Text


class HoldRequest(ForSomebody):
    """Nothing of the order, or of one parcel, leaves until somebody of the shop's releases it, or its time is over."""

    kind: BuyersHold
    reason: Text
    remark: Annotated[str, Field(max_length=200)] = ""
    child_no: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    ends_after_s: Annotated[int, Field(ge=60, le=7_776_000)] | None = None


class RefreshRequest(ForSomebody):
    """Outside systems are asked now, at most once in five seconds."""


class PaymentRequest(Strict):
    """The order was paid at its channel already, under another number than ours, as on a marketplace. Finance decides
    about it. `amount_minor` is what the order costs; `merchant_id` who got the money there; `evidence` where the
    payment can be seen."""

    channel: PayChannel
    merchant_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
    transaction_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,64}$")]
    amount_minor: Annotated[int, Field(ge=1, le=10**12)]
    currency: Currency = "CNY"
    paid_at: OrderTime
    evidence: Text


class PaymentTold(BaseModel):
    """Finance is asked under `approval_id`; until it is decided, and booked, the order waits for its payment."""

    order_no: str
    money_no: int
    approval_id: str


class ComplaintRequest(Strict):
    """`complaint_no`: its number at the order's channel, which counts once. Nothing that the buyer wrote is wanted."""

    complaint_no: Id
    about: About
    complained_at: OrderTime


class ComplaintTold(BaseModel):
    order_no: str
    complaint_no: str
    channel: str


class HoldShown(BaseModel):
    """`stopped`: parcels that a warehouse had and that ship again under new numbers; `too_late`: those that ship all
    the same. What has to do with its end is null while it is open."""

    hold_id: str
    kind: str
    source: str
    child_no: str | None
    reason: str
    placed_at: datetime
    ends_at: datetime | None
    stopped: tuple[str, ...]
    too_late: tuple[str, ...]
    ended_at: datetime | None
    ending: str | None


class OrderListed(BaseModel):
    """`next`: give it as `after` for the following page; null on the last one."""

    orders: list[OrderSummary]
    next: str | None


class LineShown(BaseModel):
    line_id: str
    sku: str
    name: str | None
    qty: int
    unit_price_minor: int
    discount_minor: int
    coupon_minor: int
    net_minor: int
    freight_minor: int
    paid_minor: int
    refunded_units: int


class ParcelShown(BaseModel):
    """`lines`: units by line_id. `reasons`: why it is a parcel of its own."""

    child_no: str
    status: str
    warehouse: str
    carrier: str | None
    waybill_no: str | None
    shipped_at: datetime | None
    signed_at: datetime | None
    paid_minor: int
    lines: dict[str, int] | None
    reasons: Any


class PaymentShown(BaseModel):
    channel: str
    transaction_id: str
    merchant_id: str
    amount_minor: int
    currency: str
    paid_at: datetime


class RefundShown(BaseModel):
    refund_no: str
    amount_minor: int
    status: str
    reason: str
    requested_at: datetime
    updated_at: datetime


class OrderInFull(BaseModel):
    order: OrderSummary
    address: Address
    lines: list[LineShown]
    parcels: list[ParcelShown]
    holds: list[HoldShown]
    payments: list[PaymentShown]
    refunds: list[RefundShown]


class MoneyShown(BaseModel):
    """What the books have seen of an order's money."""

    order_no: str
    currency: str
    payable_minor: int
    paid_minor: int
    refunded_minor: int
    payments: list[PaymentShown]
    refunds: list[RefundShown]


class Confirmed(Strict):
    order_no: str
    receipt_confirmed: bool = True
