"""Alipay's replies and notifications, read strictly in what we use; fields we do not use may come and go."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from domain.order import Minor
from providers.alipay.models import TradeState
from providers.amounts import fen, moment

Token = Annotated[str, StringConstraints(pattern=r"^[\x21-\x25\x27-\x7e]{1,128}$")]
"""No `&`: it separates the fields of a signed text."""
Yuan = Annotated[Minor, BeforeValidator(fen)]
Moment = Annotated[datetime, BeforeValidator(moment)]


class Wire(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


class AlipayOutcome(Wire):
    """What every answer begins with, and all that we use of the reply of alipay.trade.close."""

    code: Token
    msg: Annotated[str, Field(max_length=2000)] = ""
    sub_code: Annotated[str, Field(max_length=128)] = ""
    sub_msg: Annotated[str, Field(max_length=2000)] = ""


class Created(Wire):
    """Reply of alipay.trade.precreate."""

    out_trade_no: Token
    qr_code: Token


class WireTrade(Wire):
    """Reply of alipay.trade.query."""

    out_trade_no: Token
    trade_no: Token
    trade_status: TradeState
    total_amount: Yuan
    send_pay_date: Moment | None = None


class Refunded(Wire):
    """Reply of alipay.trade.refund. `refund_fee` is the sum of all refunds of the trade, this one included."""

    out_trade_no: Token
    trade_no: Token
    refund_fee: Yuan
    fund_change: Annotated[str, StringConstraints(pattern=r"^[YN]$")] = "N"
    gmt_refund_pay: Moment | None = None


class FoundRefund(Wire):
    """Reply of alipay.trade.fastpay.refund.query; nothing but the code when there is no such refund."""

    out_trade_no: Token | None = None
    trade_no: Token | None = None
    out_request_no: Token | None = None
    refund_amount: Yuan | None = None
    total_amount: Yuan | None = None
    refund_status: Token | None = None
    gmt_refund_pay: Moment | None = None


class AlipayNotice(Wire):
    """What every notification begins with."""

    notify_id: Token
    notify_time: Moment
    notify_type: Token
    app_id: Token


class TradeNotice(AlipayNotice):
    """A notification of type trade_status_sync. `refund_fee` is the sum of all refunds of the trade, `out_biz_no` the
    number of the refund that caused the notification."""

    seller_id: Token
    out_trade_no: Token
    trade_no: Token
    trade_status: TradeState
    total_amount: Yuan
    gmt_payment: Moment | None = None
    gmt_refund: Moment | None = None
    refund_fee: Yuan | None = None
    out_biz_no: Token | None = None
