"""WeChat Pay's JSON, read strictly in what we use; fields we do not use may come and go."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from domain.order import Currency, Minor
from providers.wechat.models import CustomsResult, CustomsState, RefundState, TradeState, WechatRefund, WechatTrade

Token = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]


class Wire(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


class Created(Wire):
    code_url: Token | None = None
    prepay_id: Token | None = None


class TradeAmount(Wire):
    total: Minor
    currency: Currency = "CNY"


class WireTrade(Wire):
    """Reply of the query and decrypted resource of TRANSACTION.SUCCESS."""

    mchid: Token
    out_trade_no: Token
    trade_state: TradeState
    transaction_id: Token | None = None
    amount: TradeAmount | None = None
    success_time: AwareDatetime | None = None

    def trade(self) -> WechatTrade:
        return WechatTrade(
            order_no=self.out_trade_no,
            mchid=self.mchid,
            trade_state=self.trade_state,
            transaction_id=self.transaction_id,
            amount_minor=self.amount.total if self.amount else None,
            currency=self.amount.currency if self.amount else None,
            paid_at=self.success_time,
        )


class RefundAmount(Wire):
    refund: Minor
    total: Minor
    # The callback leaves the currency out; domestic refunds are in CNY only.
    currency: Currency = "CNY"


class WireRefund(Wire):
    """Reply of refund and refund query."""

    refund_id: Token
    out_refund_no: Token
    transaction_id: Token
    out_trade_no: Token
    status: RefundState
    amount: RefundAmount
    success_time: AwareDatetime | None = None

    def result(self) -> WechatRefund:
        return WechatRefund(
            refund_no=self.out_refund_no,
            order_no=self.out_trade_no,
            refund_id=self.refund_id,
            transaction_id=self.transaction_id,
            status=self.status,
            refund_minor=self.amount.refund,
            total_minor=self.amount.total,
            currency=self.amount.currency,
            succeeded_at=self.success_time,
        )


class RefundNotice(WireRefund):
    """Decrypted resource of REFUND.*: names the merchant, and calls the state `refund_status`."""

    mchid: Token
    status: RefundState = Field(validation_alias="refund_status")


class WireCustoms(Wire):
    """Reply of a customs declaration."""

    state: CustomsState
    out_trade_no: Token
    transaction_id: Token
    sub_order_no: Token
    sub_order_id: Token
    explanation: Annotated[str, Field(max_length=512)] = ""

    def result(self) -> CustomsResult:
        return CustomsResult(
            sub_order_no=self.sub_order_no, sub_order_id=self.sub_order_id, state=self.state, note=self.explanation
        )


class Sealed(Wire):
    algorithm: Token
    ciphertext: Annotated[str, Field(max_length=1_048_576)]
    nonce: Annotated[str, Field(max_length=64)]
    associated_data: Annotated[str, Field(max_length=256)] = ""


class WechatNotice(Wire):
    """Body of a callback."""

    id: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]
    create_time: AwareDatetime
    event_type: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]
    resource: Sealed


class ListedCertificate(Wire):
    serial_no: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{1,40}$")]
    encrypt_certificate: Sealed


class Certificates(Wire):
    data: Annotated[list[ListedCertificate], Field(min_length=1, max_length=20)]


class ErrorBody(Wire):
    code: Annotated[str, Field(max_length=64)] = ""
    message: Annotated[str, Field(max_length=2000)] = ""
