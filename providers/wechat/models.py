"""What the client takes and gives. Amounts in fen, times tz-aware."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from domain.order import Currency, Minor
from domain.strict import Strict

TradeNo = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_\-|*]{6,32}$")]
RefundNo = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_\-|*@]{1,64}$")]
Positive = Annotated[int, Field(ge=1, le=10**12)]

TradeState = Literal["SUCCESS", "REFUND", "NOTPAY", "CLOSED", "REVOKED", "USERPAYING", "PAYERROR", "ACCEPT"]
RefundState = Literal["SUCCESS", "CLOSED", "PROCESSING", "ABNORMAL"]


@dataclass(frozen=True)
class CustomsPlace:
    """`place`: WeChat's code of the customs office (SHANGHAI_ZS, ZHENGZHOU_BS …). `merchant_no`: our record there."""

    place: str
    merchant_no: str
    base_url: str = ""
    """Host of the global API; empty: the same as for payments."""


@dataclass(frozen=True)
class WechatConfig:
    """`platform_keys`: serial → PEM. Empty means certificate mode; `certificates=True` adds it beside fixed keys.

    `notify_url`: https, no query string; payment and refund callbacks both go there.
    """

    base_url: str
    mchid: str
    appid: str
    serial_no: str
    private_key: str = field(repr=False)
    apiv3_key: str = field(repr=False)
    platform_keys: dict[str, str] = field(repr=False)
    notify_url: str
    certificates: bool = False
    customs: "CustomsPlace | None" = None
    """Where cross-border payments are declared; None: nowhere."""

    @property
    def certificate_mode(self) -> bool:
        return self.certificates or not self.platform_keys


class CreatePayment(Strict):
    """`order_no` becomes out_trade_no. The same number with the same parameters may be created again."""

    order_no: TradeNo
    description: Annotated[str, Field(min_length=1, max_length=127)]
    amount_minor: Positive
    currency: Literal["CNY"] = "CNY"
    expires_at: AwareDatetime
    openid: str | None = None
    """The buyer, needed for JSAPI."""
    attach: Annotated[str, Field(max_length=128)] = ""


class Trade(Strict):
    """A payment as WeChat Pay sees it. REFUND means "paid, and a refund exists", also a partial one."""

    order_no: str
    mchid: str
    trade_state: TradeState
    transaction_id: str | None = None
    amount_minor: Minor | None = None
    currency: Currency | None = None
    paid_at: AwareDatetime | None = None

    @property
    def is_paid(self) -> bool:
        return self.trade_state in ("SUCCESS", "REFUND")


class RefundRequest(Strict):
    """`refund_no` is the idempotency key: reuse it on every repeat. At most 50 per order, a minute apart."""

    refund_no: RefundNo
    order_no: TradeNo
    refund_minor: Positive
    total_minor: Positive
    currency: Literal["CNY"] = "CNY"
    reason: Annotated[str, Field(max_length=80)] = ""


class CustomsRequest(Strict):
    """A part of a payment to declare. `sub_order_no` is the key: the same part may be sent again."""

    order_no: TradeNo
    transaction_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,32}$")]
    sub_order_no: TradeNo
    product_minor: Minor
    transport_minor: Minor
    duty_minor: Minor = 0

    @property
    def order_minor(self) -> int:
        """What WeChat wants stated: exactly product plus transport."""
        return self.product_minor + self.transport_minor


CustomsState = Literal["UNDECLARED", "SUBMITTED", "PROCESSING", "SUCCESS", "FAIL", "EXCEPT"]


class CustomsResult(Strict):
    """How far the customs office's system has the payment document. Not the release of the goods."""

    sub_order_no: str
    sub_order_id: str
    state: CustomsState
    note: str = ""


class RefundResult(Strict):
    """A refund's state. PROCESSING only says that it was accepted; ABNORMAL needs a person."""

    refund_no: str
    order_no: str
    refund_id: str
    transaction_id: str
    status: RefundState
    refund_minor: Minor
    total_minor: Minor
    currency: Currency
    succeeded_at: AwareDatetime | None = None
