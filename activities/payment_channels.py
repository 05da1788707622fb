"""What one payment channel does for an order, and the two that do it: WeChat Pay v3 and Alipay's gateway v2."""

from typing import Literal, Protocol

from activities.customs import DeclareCall
from activities.messages import CreatePayment, PaymentState, RefundCall, RefundState
from domain.clock import Clock
from domain.facts import Kind
from domain.order import PayChannel
from providers import alipay, payment_errors, wechat
from providers.errors import Refused

REFUND_REASON = 80
"""Characters of a refund's reason that every channel takes."""
_WECHAT_STATES: dict[str, Literal["UNPAID", "CLOSED"]] = {
    "NOTPAY": "UNPAID",
    "USERPAYING": "UNPAID",
    "ACCEPT": "UNPAID",
    "PAYERROR": "UNPAID",
    "CLOSED": "CLOSED",
    "REVOKED": "CLOSED",
}
_ALIPAY_STATES: dict[str, Literal["UNPAID", "CLOSED"]] = {"WAIT_BUYER_PAY": "UNPAID", "TRADE_CLOSED": "CLOSED"}
_ENDS: dict[Kind, Literal["SUCCEEDED", "ABNORMAL", "CLOSED"]] = {
    Kind.REFUND_SUCCEEDED: "SUCCEEDED",
    Kind.REFUND_ABNORMAL: "ABNORMAL",
    Kind.REFUND_CLOSED: "CLOSED",
}


class PaymentChannel(Protocol):
    """Every method may be repeated: order and refund numbers are the channel's idempotency keys. All raise
    `ProviderError`."""

    async def create(self, call: CreatePayment) -> str:
        """What the buyer pays with: the text of a QR code, or a prepay_id."""
        ...

    async def query(self, order_no: str) -> PaymentState: ...

    async def close(self, order_no: str) -> bool:
        """True: nobody can begin to pay any more. False: the payment has moved on; its query decides."""
        ...

    async def refund(self, call: RefundCall, *, again: bool) -> RefundState:
        """`again`: an earlier attempt under the same number may have arrived."""
        ...

    async def query_refund(self, call: RefundCall) -> RefundState: ...


class WechatChannel:
    def __init__(self, pay: wechat.WechatPay, merchant_id: str, clock: Clock) -> None:
        self._pay, self._merchant_id, self._clock = pay, merchant_id, clock

    async def create(self, call: CreatePayment) -> str:
        payment = wechat.WechatPayment.model_validate(
            {
                "order_no": call.order_no,
                "description": call.description,
                "amount_minor": call.amount_minor,
                "currency": call.currency,
                "expires_at": call.expires_at,
                "openid": call.openid,
            }
        )
        return await (self._pay.create_jsapi(payment) if call.method == "jsapi" else self._pay.create_native(payment))

    async def query(self, order_no: str) -> PaymentState:
        try:
            trade = await self._pay.query(order_no)
        except payment_errors.NotFound:
            return PaymentState(state="ABSENT")
        if trade.is_paid:
            return PaymentState(state="PAID", fact=wechat.trade_facts(trade)[0])
        return PaymentState(state=_WECHAT_STATES.get(trade.trade_state, "UNKNOWN"))

    async def close(self, order_no: str) -> bool:
        try:
            await self._pay.close(order_no)
        except payment_errors.DecideByQuery:
            return False
        return True

    async def refund(self, call: RefundCall, *, again: bool) -> RefundState:
        if again:
            try:
                return await self.query_refund(call)
            except payment_errors.NotFound:
                pass  # the earlier attempt never arrived
        request = wechat.WechatRefundRequest.model_validate(
            {
                "refund_no": call.refund_no,
                "order_no": call.order_no,
                "refund_minor": call.amount_minor,
                "total_minor": call.paid_minor,
                "currency": call.currency,
                "reason": call.reason,
                "transaction_id": call.transaction_id,
            }
        )
        return self._refund_state(await self._pay.refund(request))

    async def query_refund(self, call: RefundCall) -> RefundState:
        return self._refund_state(await self._pay.query_refund(call.refund_no))

    def _refund_state(self, result: wechat.WechatRefund) -> RefundState:
        found = wechat.refund_facts(result, merchant_id=self._merchant_id, seen_at=self._clock())
        if not found:
            return RefundState(state="PROCESSING")
        return RefundState(state=_ENDS[found[0].kind], fact=found[0])


class WechatCustoms:
    """Declares parts of payments at customs through WeChat Pay; the part's key is the child number."""

    def __init__(self, pay: wechat.WechatPay) -> None:
        self._pay = pay

    async def declare(self, call: DeclareCall) -> str:
        request = wechat.CustomsRequest.model_validate(
            {
                "order_no": call.order_no,
                "transaction_id": call.transaction_id,
                "sub_order_no": call.child_no,
                "product_minor": call.product_fee_minor,
                "transport_minor": call.transport_fee_minor,
                "duty_minor": call.tax_minor,
            }
        )
        return (await self._pay.declare_customs(request)).sub_order_id


class AlipayChannel:
    """QR codes only. Before the buyer scans the code there is no trade: a query says ABSENT, and there is nothing to
    close; the code ends by itself at its expiry, and money that comes until then is a late payment."""

    def __init__(self, pay: alipay.Alipay, seller_id: str, clock: Clock) -> None:
        self._pay, self._seller_id, self._clock = pay, seller_id, clock

    async def create(self, call: CreatePayment) -> str:
        if call.method != "native" or call.currency != "CNY":
            text = f"order {call.order_no}: Alipay is used for QR codes in CNY, not for {call.method}, {call.currency}"
            raise Refused("alipay", "NOT_OFFERED", text)
        return await self._pay.create_qr(
            alipay.AlipayPayment(
                order_no=call.order_no,
                description=call.description,
                amount_minor=call.amount_minor,
                expires_at=call.expires_at,
            )
        )

    async def query(self, order_no: str) -> PaymentState:
        try:
            trade = await self._pay.query(order_no)
        except payment_errors.NotFound:
            return PaymentState(state="ABSENT")
        if found := alipay.trade_facts(trade):
            return PaymentState(state="PAID", fact=found[0])
        return PaymentState(state=_ALIPAY_STATES.get(trade.trade_state, "UNKNOWN"))

    async def close(self, order_no: str) -> bool:
        try:
            await self._pay.close(order_no)
        except payment_errors.DecideByQuery:
            return False
        return True

    async def refund(self, call: RefundCall, *, again: bool) -> RefundState:
        return await (self.query_refund(call) if again else self._refund(call))

    async def query_refund(self, call: RefundCall) -> RefundState:
        """Alipay has no state of failure: a refund that failed is one that its query does not find, the same as one
        that never arrived. Both are repeated under the same number and amount, which never pays back twice."""
        try:
            return self._refund_state(await self._pay.query_refund(call.order_no, call.refund_no, call.transaction_id))
        except payment_errors.NotFound:
            return await self._refund(call)

    async def _refund(self, call: RefundCall) -> RefundState:
        request = alipay.AlipayRefundRequest(
            refund_no=call.refund_no,
            order_no=call.order_no,
            refund_minor=call.amount_minor,
            total_minor=call.paid_minor,
            reason=call.reason[:REFUND_REASON],
            transaction_id=call.transaction_id,
        )
        return self._refund_state(await self._pay.refund(request))

    def _refund_state(self, result: alipay.AlipayRefund) -> RefundState:
        found = alipay.refund_facts(result, merchant_id=self._seller_id, seen_at=self._clock())
        return RefundState(state="SUCCEEDED", fact=found[0]) if found else RefundState(state="PROCESSING")


def not_configured(channel: PayChannel) -> Refused:
    """An order that this installation cannot be paid for: final, and for a person to see."""
    name = f"OMS_{channel.upper()}_BASE_URL"
    text = f"this installation has no {channel}: set {name} and its other variables, restart the worker, then retry"
    return Refused(channel, "NOT_CONFIGURED", text)
