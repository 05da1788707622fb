"""Payment channel: WeChat Pay v3. An unknown outcome is never taken for a failure: ask first, then decide."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from temporalio import activity

from activities.calls import CreatePayment, PaymentCreated, PaymentQuery, PaymentState, RefundCall, RefundState
from activities.outside import outside
from domain.facts import Kind
from providers.wechat import client, errors, facts, models

_STATES: dict[str, Literal["UNPAID", "CLOSED"]] = {
    "NOTPAY": "UNPAID",
    "USERPAYING": "UNPAID",
    "ACCEPT": "UNPAID",
    "PAYERROR": "UNPAID",
    "CLOSED": "CLOSED",
    "REVOKED": "CLOSED",
}
_ENDS: dict[Kind, Literal["SUCCEEDED", "ABNORMAL", "CLOSED"]] = {
    Kind.REFUND_SUCCEEDED: "SUCCEEDED",
    Kind.REFUND_ABNORMAL: "ABNORMAL",
    Kind.REFUND_CLOSED: "CLOSED",
}


class PaymentActivities:
    """Every method may be repeated: order and refund numbers are the channel's idempotency keys."""

    def __init__(self, wechat: client.WechatPay, merchant_id: str, clock: Callable[[], datetime]) -> None:
        self._wechat = wechat
        self._merchant_id = merchant_id
        self._clock = clock

    @activity.defn(name="payment.create")
    async def create(self, call: CreatePayment) -> PaymentCreated:
        payment = models.CreatePayment.model_validate(
            {
                "order_no": call.order_no,
                "description": call.description,
                "amount_minor": call.amount_minor,
                "currency": call.currency,
                "expires_at": call.expires_at,
                "openid": call.openid,
            }
        )
        async with outside(call):
            if call.method == "jsapi":
                return PaymentCreated(code=await self._wechat.create_jsapi(payment))
            return PaymentCreated(code=await self._wechat.create_native(payment))

    @activity.defn(name="payment.query")
    async def query(self, call: PaymentQuery) -> PaymentState:
        async with outside(call):
            return await self._query(call.order_no)

    @activity.defn(name="payment.close")
    async def close(self, call: PaymentQuery) -> PaymentState:
        """CLOSED: nobody can pay any more. Anything else: the buyer was faster, as the channel tells it now."""
        async with outside(call):
            try:
                await self._wechat.close(call.order_no)
            except errors.DecideByQuery:
                return await self._query(call.order_no)
            return PaymentState(state="CLOSED")

    @activity.defn(name="payment.refund")
    async def refund(self, call: RefundCall) -> RefundState:
        async with outside(call):
            if activity.info().attempt > 1:
                try:
                    return self._refund_state(await self._wechat.query_refund(call.refund_no))
                except errors.NotFound:
                    pass  # the earlier attempt never arrived
            request = models.RefundRequest.model_validate(
                {
                    "refund_no": call.refund_no,
                    "order_no": call.order_no,
                    "refund_minor": call.amount_minor,
                    "total_minor": call.paid_minor,
                    "currency": call.currency,
                    "reason": call.reason,
                }
            )
            return self._refund_state(await self._wechat.refund(request))

    @activity.defn(name="payment.query_refund")
    async def query_refund(self, call: RefundCall) -> RefundState:
        async with outside(call):
            return self._refund_state(await self._wechat.query_refund(call.refund_no))

    async def _query(self, order_no: str) -> PaymentState:
        try:
            trade = await self._wechat.query(order_no)
        except errors.NotFound:
            return PaymentState(state="ABSENT")
        if trade.is_paid:
            return PaymentState(state="PAID", fact=facts.trade_facts(trade)[0])
        return PaymentState(state=_STATES.get(trade.trade_state, "UNKNOWN"))

    def _refund_state(self, result: models.RefundResult) -> RefundState:
        found = facts.refund_facts(result, merchant_id=self._merchant_id, seen_at=self._clock())
        if not found:
            return RefundState(state="PROCESSING")
        return RefundState(state=_ENDS[found[0].kind], fact=found[0])
