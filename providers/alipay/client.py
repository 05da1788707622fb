"""The payment client: QR code, query, close, refund (docs/providers.md; opendocs 当面付, alipay.trade.*)."""

from datetime import date
from typing import Any

import httpx

from domain.clock import Clock
from providers.alipay.bills import trade_bill
from providers.alipay.errors import SYSTEM
from providers.alipay.gateway import Gateway
from providers.alipay.models import (
    AlipayConfig,
    AlipayPayment,
    AlipayRefund,
    AlipayRefundRequest,
    AlipayTrade,
    RefundState,
)
from providers.alipay.wire import AlipayOutcome, Created, FoundRefund, Refunded, WireTrade
from providers.amounts import stamp, yuan
from providers.bills import Bill
from providers.errors import UnknownOutcome
from providers.http import DEADLINE_S
from providers.payment_errors import NotFound

_NOT_IN_SUBJECT = str.maketrans("/=&", "   ")


class Alipay:
    """Every method makes one call and never repeats it by itself.

    All raise `Refused`, `Unavailable`, `UnknownOutcome` or a subclass (`providers/payment_errors.py`).
    """

    def __init__(
        self, config: AlipayConfig, http: httpx.AsyncClient, clock: Clock, *, deadline_s: float = DEADLINE_S
    ) -> None:
        """Raises `UnableToLoadKey` for a wrong configured key."""
        self._config, self._http, self._clock = config, http, clock
        self._gateway = Gateway(config, http, clock, deadline_s)

    async def create_qr(self, payment: AlipayPayment) -> str:
        """The link to show as a QR code; good until `payment.expires_at`, at most two hours, and created again by the
        same call. No trade exists before the buyer scans it."""
        subject = payment.description.translate(_NOT_IN_SUBJECT).strip()
        asked = {
            "out_trade_no": payment.order_no,
            "total_amount": yuan(payment.amount_minor),
            "subject": subject or payment.order_no,
            # A wrong seller_id setting shows here, not when the paid order's notification is refused.
            "seller_id": self._config.seller_id,
            "time_expire": stamp(payment.expires_at),
        }
        created = await self._gateway.call(Created, "alipay.trade.precreate", asked, notify_url=self._config.notify_url)
        _same("order", payment.order_no, created.out_trade_no)
        return created.qr_code

    async def query(self, order_no: str) -> AlipayTrade:
        """The trade's state. Raises `NotFound` for a number never created, or whose code nobody scanned yet."""
        found = await self._gateway.call(WireTrade, "alipay.trade.query", {"out_trade_no": order_no})
        _same("order", order_no, found.out_trade_no)
        trade = AlipayTrade(
            order_no=found.out_trade_no,
            seller_id=self._config.seller_id,
            trade_state=found.trade_status,
            transaction_id=found.trade_no,
            amount_minor=found.total_amount,
            currency="CNY",
            paid_at=found.send_pay_date,
        )
        # The time of payment is optional in the documents: the money counts even so, as of now.
        return trade.model_copy(update={"paid_at": self._clock()}) if trade.is_paid and not trade.paid_at else trade

    async def close(self, order_no: str) -> None:
        """Afterwards the trade cannot be paid. A code that nobody scanned is fine too: it has no trade to close and
        ends by itself at `expires_at`, and a payment until then is a late one.

        Raises `DecideByQuery` when the trade does not wait for its buyer: closed already, or the buyer was faster.
        """
        try:
            await self._gateway.call(AlipayOutcome, "alipay.trade.close", {"out_trade_no": order_no})
        except NotFound:
            return

    async def refund(self, request: AlipayRefundRequest) -> AlipayRefund:
        """Pay back. SUCCESS only when this very call moved the money (fund_change Y); PROCESSING for a repeat or an
        unknown outcome: then query. The same `refund_no` never pays back twice."""
        asked: dict[str, Any] = {
            **_trade(request.order_no, request.transaction_id),
            "refund_amount": yuan(request.refund_minor),
            "out_request_no": request.refund_no,
        }
        if request.reason:
            asked["refund_reason"] = request.reason
        told = await self._gateway.call(Refunded, "alipay.trade.refund", asked)
        _same_trade(request.order_no, request.transaction_id, told.out_trade_no, told.trade_no)
        has_moved = told.fund_change == "Y"
        if has_moved and told.refund_fee < request.refund_minor:
            raise _malformed(
                f"refund {request.refund_no} of {request.refund_minor}, but only {told.refund_fee} went back"
            )
        return AlipayRefund(
            refund_no=request.refund_no,
            order_no=request.order_no,
            transaction_id=told.trade_no,
            status="SUCCESS" if has_moved else "PROCESSING",
            refund_minor=request.refund_minor,
            total_minor=request.total_minor,
            succeeded_at=told.gmt_refund_pay if has_moved else None,
        )

    async def query_refund(self, order_no: str, refund_no: str, transaction_id: str | None = None) -> AlipayRefund:
        """The refund's state; ask 10 s after the refund or later.

        Raises `NotFound` when Alipay did not receive it or it failed: repeat it with the same number and amount.
        """
        trade = _trade(order_no, transaction_id)
        asked = {**trade, "out_request_no": refund_no, "query_options": ["gmt_refund_pay"]}
        found = await self._gateway.call(FoundRefund, "alipay.trade.fastpay.refund.query", asked)
        if found.out_request_no is None and found.refund_status is None:
            raise NotFound(SYSTEM, "REFUND_NOT_EXIST", f"no refund {refund_no} of order {order_no}, or it failed")
        if found.trade_no is None or found.refund_amount is None or found.total_amount is None:
            raise _malformed(f"refund {refund_no} is told without its trade or amounts")
        _same_trade(order_no, transaction_id, found.out_trade_no, found.trade_no)
        _same("refund", refund_no, found.out_request_no)
        status: RefundState = "SUCCESS" if found.refund_status == "REFUND_SUCCESS" else "PROCESSING"
        return AlipayRefund(
            refund_no=refund_no,
            order_no=order_no,
            transaction_id=found.trade_no,
            status=status,
            refund_minor=found.refund_amount,
            total_minor=found.total_amount,
            succeeded_at=found.gmt_refund_pay if status == "SUCCESS" else None,
        )

    def trade_bill(self, day: date) -> Bill:
        """Every payment and refund of a day in Beijing time; made after nine the next morning."""
        return trade_bill(self._gateway, self._config, self._http, day)


def _trade(order_no: str, transaction_id: str | None) -> dict[str, str]:
    """By Alipay's own number where it is another trade than the order's."""
    return {"out_trade_no": order_no} if transaction_id is None else {"trade_no": transaction_id}


def _same_trade(order_no: str, transaction_id: str | None, told_order: str | None, told_trade: str | None) -> None:
    if transaction_id is None:
        _same("order", order_no, told_order)
    else:
        _same("trade", transaction_id, told_trade)


def _same(what: str, asked: str, told: str | None) -> None:
    if told != asked:
        raise _malformed(f"asked for {what} {asked}, told of {told}")


def _malformed(text: str) -> UnknownOutcome:
    return UnknownOutcome(SYSTEM, "MALFORMED", text)
