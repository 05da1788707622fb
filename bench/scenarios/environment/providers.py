"""The outside systems of one environment: they answer from a script and note every attempt at the environment's time.

Errors leave through the real `activities/provider_errors.py`, so that waits, retries and batches are production's.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio import activity

from activities import messages
from activities.connectors import SystemAnswer
from activities.courier import Follow
from activities.customs import DeclareCall, Declared
from activities.payment import insist_on_end, until_ended
from activities.provider_errors import each, outside
from bench.waybills import waybill
from domain.facts import Fact, Kind
from providers.errors import ProviderError, Unavailable
from store.polling.due import Subject

Answer = ProviderError | None
"""None: it works."""

MERCHANT = "1900000001"
"""Who we are at the channel."""


@dataclass(frozen=True)
class Attempt:
    """One call. `key`: what it was about; `at`: when it began; `number`: from 1, within one step."""

    step: str
    key: str
    at: datetime
    number: int


class ScriptedSystems:
    """`script("wms.push", ...)` says how the next calls of an activity go; after that they work."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []
        self.payments: dict[str, Fact] = {}
        """What the buyer has paid at the channel, by order number: known there from `occurred_at` on."""
        self.closed: list[str] = []
        """Order numbers whose payment was closed at the channel."""
        self.refund_answers: list[str] = []
        """How the next refunds stand when they are asked for; then they have succeeded."""
        self.ended: dict[str, Fact] = {}
        """What the channel says of refunds that have come to an end, by refund number."""
        self.asked_first: list[str] = []
        """Refund numbers that were to be asked about before they are asked for again."""
        self.refunds: dict[str, int] = {}
        """Minor units given back, by refund number: asked for twice under one number is once."""
        self.declared: dict[str, DeclareCall] = {}
        """Customs declarations as the channel got them, by child number."""
        self.pushed: list[str] = []
        self.streets: dict[str, str] = {}
        """Where the warehouse sends each child it was pushed."""
        self.refund_calls: list[messages.RefundCall] = []
        self.booked: list[str] = []
        self.intercepts: dict[str, str] = {}
        """What an interception answers, by child number; else `cancelled`."""
        self._script: defaultdict[str, list[Answer]] = defaultdict(list)

    def script(self, step: str, *answers: Answer) -> None:
        self._script[step] += answers

    def pays(self, order_no: str, amount_minor: int, at: datetime, *, currency: str = "CNY") -> Fact:
        """The buyer pays at the channel at `at`; returns what its callback would say."""
        number = f"42{order_no}"
        paid = Fact(
            key=f"wechat:pay:{number}", kind=Kind.PAYMENT_SUCCEEDED, source="wechat", occurred_at=at,
            order_no=order_no, transaction_id=number, merchant_id=MERCHANT, amount_minor=amount_minor,
            currency=currency,
        )  # fmt: skip
        self.payments[order_no] = paid
        return paid

    def of(self, step: str) -> list[Attempt]:
        return [a for a in self.attempts if a.step == step]

    def activities(self) -> list[Callable[..., Awaitable[Any]]]:
        return [
            self.create, self.query, self.close, self.refund, self.query_refund, self.refund_outcome, self.declare,
            self.push, self.cancel, self.wms_query, self.book, self.void, self.subscribe, self.courier_query,
        ]  # fmt: skip

    def _begin(self, key: str) -> datetime:
        """Notes the attempt and lets it fail as scripted."""
        info = activity.info()
        at, step = info.current_attempt_scheduled_time, info.activity_type
        self.attempts.append(Attempt(step, key, at, info.attempt))
        answers = self._script[step]
        if answers and (error := answers.pop(0)) is not None:
            raise error
        return at

    # --- the payment channel -----------------------------------------------------------------------------------------

    @activity.defn(name="payment.create")
    async def create(self, call: messages.CreatePayment) -> messages.PaymentCreated:
        async with outside(call):
            self._begin(call.order_no)
        return messages.PaymentCreated(code=f"weixin://wxpay/bizpayurl?pr={call.order_no}")

    @activity.defn(name="payment.query")
    async def query(self, call: messages.PaymentQuery) -> messages.PaymentState:
        async with outside(call):
            return self._state(call.order_no, self._begin(call.order_no))

    @activity.defn(name="payment.close")
    async def close(self, call: messages.PaymentQuery) -> messages.PaymentState:
        async with outside(call):
            at = self._begin(call.order_no)
        if self._state(call.order_no, at).state == "UNPAID":
            self.closed.append(call.order_no)
        return self._state(call.order_no, at)

    def _state(self, order_no: str, at: datetime) -> messages.PaymentState:
        paid = self.payments.get(order_no)
        # In whole seconds, as the files count: a payment a second after the deadline is not known at the deadline,
        # however long this machine takes to ask.
        if paid is not None and paid.occurred_at <= at.replace(microsecond=0):
            return messages.PaymentState(state="PAID", fact=paid)
        return messages.PaymentState(state="CLOSED" if order_no in self.closed else "UNPAID")

    @activity.defn(name="customs.declare")
    async def declare(self, call: DeclareCall) -> Declared:
        async with outside(call):
            self._begin(call.child_no)
        self.declared[call.child_no] = call
        return Declared(reference=f"15{call.child_no}")

    async def answer_for_payment(self, subject: Subject) -> SystemAnswer:
        """The channel asked by its connector's loop."""
        paid = self.payments.get(subject.number)
        at = activity.info().current_attempt_scheduled_time
        return SystemAnswer((paid,) if paid is not None and paid.occurred_at <= at else ())

    @activity.defn(name="payment.refund")
    async def refund(self, call: messages.RefundCall) -> messages.RefundState:
        async with outside(call):
            self._begin(call.refund_no)
        if call.ask_first:
            self.asked_first.append(call.refund_no)
        self.refund_calls.append(call)
        self.refunds.setdefault(call.refund_no, call.amount_minor)
        return self._refunded(call)

    @activity.defn(name="payment.query_refund")
    async def query_refund(self, call: messages.RefundCall) -> messages.RefundState:
        async with outside(call):
            self._begin(call.refund_no)
        return self._refunded(call)

    @activity.defn(name="payment.refund_outcome")
    async def refund_outcome(self, call: messages.RefundCall) -> messages.RefundState:
        async with until_ended(call):
            self._begin(call.refund_no)
        return insist_on_end(call, self._refunded(call))

    def _refunded(self, call: messages.RefundCall) -> messages.RefundState:
        state = self.refund_answers.pop(0) if self.refund_answers else "SUCCEEDED"
        if state == "PROCESSING":
            return messages.RefundState(state="PROCESSING")
        ended = Fact(
            key=f"{call.channel}:refund:{call.refund_no}:{state}", kind=Kind[f"REFUND_{state}"], source=call.channel,
            occurred_at=activity.info().current_attempt_scheduled_time, order_no=call.order_no,
            refund_no=call.refund_no, amount_minor=self.refunds.get(call.refund_no), currency=call.currency,
        )  # fmt: skip
        self.ended[call.refund_no] = ended
        return messages.RefundState.model_validate({"state": state, "fact": ended})

    # --- warehouse, carrier, courier ---------------------------------------------------------------------------------

    @activity.defn(name="wms.push")
    async def push(self, call: messages.PushBatch) -> messages.PushOutcomes:
        async def one(item: messages.Outbound) -> messages.Pushed:
            self._begin(item.child_no)
            self.pushed.append(item.child_no)
            self.streets[item.child_no] = item.address.street
            return messages.Pushed(wms_ref=f"W{item.child_no}")

        def outcome(
            item: messages.Outbound, done: messages.Pushed | None, failed: messages.Failure | None
        ) -> messages.PushOutcome:
            return messages.PushOutcome(child_no=item.child_no, done=done, failed=failed)

        return messages.PushOutcomes(items=await each(call, call.items, one, outcome))

    @activity.defn(name="wms.cancel")
    async def cancel(self, call: messages.ChildCall) -> messages.InterceptOutcome:
        async with outside(call):
            self._begin(call.child_no)
        return messages.InterceptOutcome.model_validate({"result": self.intercepts.get(call.child_no, "cancelled")})

    @activity.defn(name="wms.query")
    async def wms_query(self, call: messages.ChildCall) -> messages.Facts:
        async with outside(call):
            self._begin(call.child_no)
        return messages.Facts(facts=())

    @activity.defn(name="carrier.book")
    async def book(self, call: messages.BookBatch) -> messages.BookOutcomes:
        async def one(item: messages.Booking) -> messages.Booked:
            self._begin(item.child_no)
            self.booked.append(item.child_no)
            return messages.Booked(
                waybill_no=waybill(item.child_no), carrier="YTO", tms_ref=f"T{item.child_no}", label_format="ZPL",
                label_b64="XlhBXlha",
            )  # fmt: skip

        def outcome(
            item: messages.Booking, done: messages.Booked | None, failed: messages.Failure | None
        ) -> messages.BookOutcome:
            return messages.BookOutcome(child_no=item.child_no, done=done, failed=failed)

        return messages.BookOutcomes(items=await each(call, call.items, one, outcome))

    @activity.defn(name="carrier.void")
    async def void(self, call: messages.VoidCall) -> bool:
        async with outside(call):
            self._begin(call.child_no)
        return True

    @activity.defn(name="courier.subscribe")
    async def subscribe(self, call: Follow) -> None:
        async with outside(call):
            self._begin(call.waybill_no)

    @activity.defn(name="courier.query")
    async def courier_query(self, call: messages.ParcelQuery) -> messages.Facts:
        async with outside(call):
            self._begin(call.waybill_no)
        return messages.Facts(facts=())


def no_answer(step: str) -> ProviderError:
    """How a call fails that may be repeated."""
    return Unavailable("scripted", "NO_ANSWER", f"{step} does not answer")
