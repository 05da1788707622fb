"""Payment, at the channel that the order names. An unknown outcome is never taken for a failure: ask, then decide."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.messages import (
    FULL,
    CreatePayment,
    PaymentCreated,
    PaymentQuery,
    PaymentState,
    RefundCall,
    RefundState,
)
from activities.payment_channels import PaymentChannel, not_configured
from activities.provider_errors import as_application_error, note_failure, outside
from domain.order import PayChannel
from providers.errors import ProviderError, Refused

MOST_AT_ONCE = 20
"""Of the hundred workflow tasks that a worker does at a time."""


class RefundBooks(Protocol):
    """`store.reserved_refunds.ReservedRefunds`."""

    async def why_not(self, refund_no: str, order_no: str, amount_minor: int, currency: str, channel: str) -> str: ...

    async def transaction_of(self, refund_no: str) -> str | None: ...


class PaymentActivities:
    """`channels`: those of this installation. `books`: their word on a refund. Every method may be repeated."""

    def __init__(self, channels: Mapping[PayChannel, PaymentChannel], books: RefundBooks) -> None:
        self._channels = channels
        self._books = books
        self._at_once = 0

    @activity.defn(name="payment.create")
    async def create(self, call: CreatePayment) -> PaymentCreated:
        with self._room():
            async with outside(call):
                return PaymentCreated(code=await self._of(call.channel).create(call))

    @contextmanager
    def _room(self) -> Iterator[None]:
        """A try at once holds a workflow task: a channel that hangs must not hold all of them, so that no order hears
        anything."""
        if not (activity.in_activity() and activity.info().is_local):
            yield
            return
        if self._at_once >= MOST_AT_ONCE:
            raise ApplicationError(f"{MOST_AT_ONCE} payments are being created at once", type=FULL, non_retryable=True)
        self._at_once += 1
        try:
            yield
        finally:
            self._at_once -= 1

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
        """Refused, finally, unless the books have reserved exactly this."""
        async with outside(call):
            call = await self._reserved(call)
            return await self._of(call.channel).refund(call, again=call.ask_first or activity.info().attempt > 1)

    @activity.defn(name="payment.query_refund")
    async def query_refund(self, call: RefundCall) -> RefundState:
        """Alipay's way of asking how a refund stands may pay it, so the books are asked here, too."""
        async with outside(call):
            call = await self._reserved(call)
            return await self._of(call.channel).query_refund(call)

    @activity.defn(name="payment.refund_outcome")
    async def refund_outcome(self, call: RefundCall) -> RefundState:
        """Repeated until the refund has ended."""
        async with until_ended(call):
            call = await self._reserved(call)
            return insist_on_end(call, await self._of(call.channel).query_refund(call))

    async def _reserved(self, call: RefundCall) -> RefundCall:
        """As the books have it, with the payment that it is of. Raises `Refused`."""
        why = await self._books.why_not(call.refund_no, call.order_no, call.amount_minor, call.currency, call.channel)
        if why:
            raise Refused("books", "NOT_RESERVED", why)
        if call.transaction_id is not None:
            return call
        return call.model_copy(update={"transaction_id": await self._books.transaction_of(call.refund_no)})

    def _of(self, channel: PayChannel) -> PaymentChannel:
        found = self._channels.get(channel)
        if found is None:
            raise not_configured(channel)
        return found


def insist_on_end(call: RefundCall, state: RefundState) -> RefundState:
    """Raises for a refund that is still under way: an activity's retries leave no events in a history."""
    if state.fact is not None:
        return state
    text = f"refund {call.refund_no} is still {state.state}"
    raise ApplicationError(text, type=state.state, category=ApplicationErrorCategory.BENIGN)


@asynccontextmanager
async def until_ended(call: RefundCall) -> AsyncIterator[None]:
    """A channel that is down is asked as seldom as one that says "still under way", at the caller's pauses; a refusal
    is final."""
    try:
        yield
    except Refused as error:
        raise as_application_error(call, error) from error
    except ProviderError as error:
        note_failure(error)
        raise ApplicationError(str(error), error.code, type=error.outcome) from error
