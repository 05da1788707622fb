"""What the client takes and gives. Amounts in fen, times tz-aware."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from domain.order import Minor
from domain.strict import Strict
from providers import payments

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


class WechatPayment(payments.CreatePayment):
    order_no: TradeNo
    amount_minor: Positive
    openid: str | None = None
    """The buyer, needed for JSAPI."""
    attach: Annotated[str, Field(max_length=128)] = ""


class WechatTrade(payments.Trade):
    """REFUND means "paid, and a refund exists", also a partial one."""

    mchid: str
    trade_state: TradeState

    @property
    def is_paid(self) -> bool:
        return self.trade_state in ("SUCCESS", "REFUND")


class WechatRefundRequest(payments.RefundRequest):
    """At most 50 per order, a minute apart."""

    refund_no: RefundNo
    order_no: TradeNo
    refund_minor: Positive
    total_minor: Positive


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


class WechatRefund(payments.RefundResult):
    """PROCESSING only says that it was accepted; ABNORMAL needs a person."""

    refund_id: str
    status: RefundState
