"""What the client takes and gives, within Alipay's numbers and limits."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from domain.order import Currency
from providers import payments

TradeNo = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_\-]{1,64}$")]
"""The documents allow letters, digits and `_`; `-` is seen in Alipay's own published notifications."""
Positive = Annotated[int, Field(ge=1, le=10**10)]
"""Fen: 0.01 to 100,000,000 yuan."""

TradeState = Literal["WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED"]
RefundState = Literal["SUCCESS", "PROCESSING"]


@dataclass(frozen=True)
class AlipayConfig:
    """`base_url`: https://openapi.alipay.com, without path. Keys: PEM, or bare base64 as Alipay's tools write them.

    `seller_id`: the 2088… number of the merchant that is paid. `notify_url`: https, no query string.
    """

    base_url: str
    app_id: str
    seller_id: str
    private_key: str = field(repr=False)
    alipay_public_key: str = field(repr=False)
    notify_url: str


class AlipayPayment(payments.CreatePayment):
    """Alipay refuses payments after `expires_at` by itself (time_expire)."""

    order_no: TradeNo
    amount_minor: Positive


class AlipayTrade(payments.Trade):
    """TRADE_CLOSED is one that timed out, was closed, or was refunded wholly: in each case there is no money to deliver
    goods for. A partial refund leaves TRADE_SUCCESS."""

    seller_id: str
    trade_state: TradeState

    @property
    def is_paid(self) -> bool:
        return self.trade_state in ("TRADE_SUCCESS", "TRADE_FINISHED")


class AlipayRefundRequest(payments.RefundRequest):
    """`refund_no` is out_request_no: reuse it with the same amount. Refunds of one order must be at least 3 s apart."""

    refund_no: TradeNo
    order_no: TradeNo
    refund_minor: Positive
    total_minor: Positive


class AlipayRefund(payments.RefundResult):
    """PROCESSING says that Alipay took the request, not that money moved: query it, 10 s later or more. There is no
    state of failure: a failed refund is one that the query does not find."""

    status: RefundState
    currency: Currency = "CNY"
