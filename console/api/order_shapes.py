"""What is said of orders over the open API. Amounts in minor units (fen), times as RFC 3339."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from domain.order import Address, Id, Text
from domain.strict import Strict
from store.orders.pages import OrderSummary


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


class RefreshRequest(ForSomebody):
    """Outside systems are asked now, at most once in five seconds."""


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
