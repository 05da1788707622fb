"""What the client takes and gives: the names of WeChat Pay's models, so that one activity can serve both channels."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from domain.order import Currency, Minor
from domain.strict import Strict

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


class CreatePayment(Strict):
    """`order_no` becomes out_trade_no. The same number with the same parameters may be created again."""

    order_no: TradeNo
    description: Annotated[str, Field(min_length=1, max_length=127)]
    amount_minor: Positive
    currency: Literal["CNY"] = "CNY"
    expires_at: AwareDatetime
    """Alipay refuses later payments by itself (time_expire)."""


class Trade(Strict):
    """A payment as Alipay sees it. TRADE_CLOSED is one that timed out, was closed, or was refunded wholly: in each case
    there is no money to deliver goods for. A partial refund leaves TRADE_SUCCESS."""

    order_no: str
    seller_id: str
    trade_state: TradeState
    transaction_id: str | None = None
    amount_minor: Minor | None = None
    currency: Currency | None = None
    paid_at: AwareDatetime | None = None

    @property
    def is_paid(self) -> bool:
        return self.trade_state in ("TRADE_SUCCESS", "TRADE_FINISHED")


class RefundRequest(Strict):
    """`refund_no` (out_request_no) is the idempotency key: reuse it, with the same amount, on every repeat. Refunds of
    one order must be at least 3 s apart."""

    refund_no: TradeNo
    order_no: TradeNo
    refund_minor: Positive
    total_minor: Positive
    currency: Literal["CNY"] = "CNY"
    reason: Annotated[str, Field(max_length=80)] = ""


class RefundResult(Strict):
    """A refund's state. PROCESSING says that Alipay took the request, not that money moved: query it, 10 s later or
    more. There is no state of failure: a failed refund is one that the query does not find."""

    refund_no: str
    order_no: str
    transaction_id: str
    status: RefundState
    refund_minor: Minor
    total_minor: Minor
    currency: Currency = "CNY"
    succeeded_at: AwareDatetime | None = None
