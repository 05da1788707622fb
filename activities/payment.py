"""Payment, at the channel that the order names. An unknown outcome is never taken for a failure: ask, then decide."""

from collections.abc import Mapping

from temporalio import activity

from activities.calls import CreatePayment, PaymentCreated, PaymentQuery, PaymentState, RefundCall, RefundState
from activities.outside import outside
from activities.payment_channels import PaymentChannel, not_configured
from domain.order import PayChannel


class PaymentActivities:
    """`channels`: those of this installation. Every method may be repeated."""

    def __init__(self, channels: Mapping[PayChannel, PaymentChannel]) -> None:
        self._channels = channels

    @activity.defn(name="payment.create")
    async def create(self, call: CreatePayment) -> PaymentCreated:
        async with outside(call):
            return PaymentCreated(code=await self._of(call.channel).create(call))

    @activity.defn(name="payment.query")
    async def query(self, call: PaymentQuery) -> PaymentState:
        async with outside(call):
            return await self._of(call.channel).query(call.order_no)

    @activity.defn(name="payment.close")
    async def close(self, call: PaymentQuery) -> PaymentState:
        """CLOSED: nobody can begin to pay. Anything else: the buyer was faster, as the channel tells it now."""
        async with outside(call):
            channel = self._of(call.channel)
            if await channel.close(call.order_no):
                return PaymentState(state="CLOSED")
            return await channel.query(call.order_no)

    @activity.defn(name="payment.refund")
    async def refund(self, call: RefundCall) -> RefundState:
        async with outside(call):
            return await self._of(call.channel).refund(call, again=call.ask_first or activity.info().attempt > 1)

    @activity.defn(name="payment.query_refund")
    async def query_refund(self, call: RefundCall) -> RefundState:
        async with outside(call):
            return await self._of(call.channel).query_refund(call)

    def _of(self, channel: PayChannel) -> PaymentChannel:
        found = self._channels.get(channel)
        if found is None:
            raise not_configured(channel)
        return found
