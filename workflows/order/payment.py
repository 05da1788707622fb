"""Money in: the payment is created, awaited, and at the deadline asked for at the channel before anything is closed."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import get_args

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.messages import CreatePayment, PaymentCreated, PaymentQuery, PaymentState
from activities.payment import PaymentActivities
from domain.call_outcome import CallOutcome
from domain.facts import Fact, Kind
from domain.order import PayChannel
from domain.records import Payment
from domain.states import OrderStatus, Outcome, PaymentStatus
from workflows.durable.carrying import ByType, Table
from workflows.durable.guarded import ONE_TRY, GaveUp, Step, StepFailed, attempt, attempt_at_once, guarded, outcome
from workflows.order.refunds_owed import RefundsOwed
from workflows.order.state import NOT_OURS, OrderState
from workflows.refunds.refunds import OUTSIDE

SHANGHAI = timezone(timedelta(hours=8))
Ask = Callable[[PaymentActivities, PaymentQuery], Awaitable[PaymentState]]
CHANNELS = frozenset(get_args(PayChannel))
FOREIGN = "a payment of another channel is not the order's"
NO_CHANNEL = "who is no payment channel tells of no payment"
REFUSED_AS_PAID = "a payment that is refused may have been made"
CREATE = "create payment"
QUERY = "query payment"
ANSWERS = {QUERY: ("UNPAID", "CLOSED", "ABSENT"), "close payment": ("CLOSED", "ABSENT")}
"""What lets an unpaid order go on; anything else, and a payment that does not fit, needs a person (R13)."""


class OrderPayment:
    """The payment axis of one order."""

    CARRIED = Table(
        cancel_requested=bool,
        free=bool,
        offered=bool,
        _in_time=bool | None,
        _over=bool,
        _late_until=datetime | None,
        _mismatched=ByType(list[str], sorted, set),
        left={"state": "wiring", "_watching": "said again by who waits", "at_once": "of an order's first moment"},
    )

    def __init__(self, state: OrderState) -> None:
        self.state = state
        state.on_money_not_ours = self._never_paid
        self.cancel_requested = False
        self.free = False
        self.offered = False
        """The buyer can pay, or it is known that somebody must help first."""
        self.at_once = False
        """It is created in the task that registers the order."""
        self._watching = False
        self._mismatched: set[str] = set()
        self._in_time: bool | None = None
        self._over = False
        """It is decided whether it was paid in time."""
        self._late_until: datetime | None = None

    @property
    def paid(self) -> bool:
        return self.free or self.state.payment is not None

    async def offer(self) -> None:
        """Creates the payment at the channel, unless the shop does that itself. Runs beside the deadline, which does
        not wait for a channel that is down."""
        await self._create()
        self.offered = True

    async def _create(self) -> None:
        order, policy = self.state.order, self.state.policy
        if order.payment.method == "external" or self.paid:
            return
        call = CreatePayment(
            backoff_s=policy.retry_backoff_s,
            channel=order.payment.channel,
            order_no=order.order_no,
            method=order.payment.method,
            description=f"Order {order.order_no}",
            amount_minor=order.payable_minor,
            currency=order.currency,
            expires_at=self.deadline,
            openid=order.payment.openid,
        )
        step = Step(
            order.payment.channel,
            CREATE,
            PaymentCreated,
            "the order stays open until its deadline and closes unless it is paid by other means",
            settled=lambda: not self._open,
            amount_minor=order.payable_minor,
        )
        try:
            created = await guarded(self.state.tickets, step, lambda: self._created(call))
        except GaveUp:
            return
        if created is not None and self._open:
            self.state.payment_code = created.code
            self.state.payment_status = PaymentStatus.CREATED
            self.state.mark_changed()

    async def _created(self, call: CreatePayment) -> PaymentCreated | None:
        """None: it had been created, the answer was lost, and the buyer has paid it by now."""
        try:
            return await self._try_to_create(call)
        except (ActivityError, StepFailed) as error:
            if outcome(error) != CallOutcome.REFUSED or not workflow.patched(REFUSED_AS_PAID):
                raise
            await self._look()
            if self.paid:
                return None
            raise

    async def _try_to_create(self, call: CreatePayment) -> PaymentCreated:
        at_once, self.at_once = self.at_once, False
        if not at_once:
            return await attempt(PaymentActivities.create, call, summary=CREATE)
        riding = self.state.writes_deferred()
        return await attempt_at_once(PaymentActivities.create, call, summary=CREATE, riding=riding)

    async def _look(self) -> None:
        """Once: who has just refused is there, and the step's own ticket follows where this tells nothing."""
        order, policy = self.state.order, self.state.policy
        call = PaymentQuery(backoff_s=policy.retry_backoff_s, channel=order.payment.channel, order_no=order.order_no)
        with suppress(ActivityError):
            state = await attempt(PaymentActivities.query, call, summary=QUERY, retry_policy=ONE_TRY)
            self._apply_state(state)

    @property
    def _open(self) -> bool:
        """A payment is still what the order waits for."""
        return self.state.status is OrderStatus.PENDING_PAYMENT and not (self.paid or self.cancel_requested)

    def nothing_to_pay(self) -> None:
        """Coupons cover the whole order: there is no payment to wait for."""
        self.free = self.offered = True
        self.state.payment_status = PaymentStatus.PAID
        self.state.becomes(OrderStatus.AWAITING_SHIPMENT)

    @property
    def deadline(self) -> datetime:
        order, policy = self.state.order, self.state.policy
        flash = order.kind == "flash"
        return order.deadline(policy.flash_payment_timeout_s if flash else policy.payment_timeout_s)

    async def paid_in_time(self) -> bool:
        """True: paid, by callback or found by asking. False: closed at the channel, or paid too late to keep."""
        if not self._over:
            self._in_time, self._over = await self._paid_in_time(), True
        return bool(self._in_time)

    async def _paid_in_time(self) -> bool:
        self.state.now_waits_for(f"payment until {_local(self.deadline)}")
        await self._payment_or_deadline()
        closing = self.state.tickets.left_open(self.state.order.payment.channel, "close payment") is not None
        while not self.paid:
            state = PaymentState(state="UNPAID") if closing else await self._ask(QUERY, PaymentActivities.query)
            closing = False
            if state.state == "UNPAID" and not self.paid:
                state = await self._ask("close payment", PaymentActivities.close)
            if state.state in ("CLOSED", "ABSENT"):
                break
        return self._keep_or_close()

    def _keep_or_close(self) -> bool:
        """No await between the last look at the payment and the decision: an order ends in one way (N2)."""
        if self.paid and not self.cancel_requested:
            return True
        self.state.defer_writes(False)
        self.state.becomes(OrderStatus.CLOSED)
        if self.state.payment is not None:  # the buyer cancelled while paying: the money goes back, nothing ships
            self.state.payment_status = PaymentStatus.LATE
        else:
            self.state.payment_status = PaymentStatus.CLOSED
        return False

    async def _payment_or_deadline(self) -> None:
        left = self.deadline - workflow.now()
        if left <= timedelta(0):
            return
        self._watching = True
        try:
            await workflow.wait_condition(
                lambda: self.paid or self.cancel_requested, timeout=left, timeout_summary="payment deadline"
            )
        except TimeoutError:
            pass
        finally:
            self._watching = False

    async def _ask(self, name: str, activity: Ask) -> PaymentState:
        order, policy = self.state.order, self.state.policy
        call = PaymentQuery(backoff_s=policy.retry_backoff_s, channel=order.payment.channel, order_no=order.order_no)
        step = Step(
            order.payment.channel,
            name,
            PaymentState,
            "the order is closed as unpaid; a payment found later is refunded",
            settled=lambda: self.paid,
            amount_minor=order.payable_minor,
        )

        async def answer() -> PaymentState:
            state = await attempt(activity, call, summary=name)
            self._apply_state(state)
            if not self.paid and state.state not in ANSWERS[name]:
                raise StepFailed(f"the channel says {state.state}: neither a payment that fits nor an unpaid order")
            return state

        try:
            state = await guarded(self.state.tickets, step, answer)
        except GaveUp:
            return PaymentState(state="CLOSED")
        if state is None:
            return PaymentState(state="UNKNOWN")
        self._apply_state(state)
        return state

    def _apply_state(self, state: PaymentState) -> None:
        if state.fact is not None and not self._known(state.fact):
            self.apply(state.fact)

    def apply(self, fact: Fact) -> None:
        """A payment fact, from a callback or from asking."""
        state = self.state
        before = state.status.value
        if self._known(fact):
            state.record(fact, Outcome.DUPLICATE, before, before, None)
        elif fact.kind is not Kind.PAYMENT_SUCCEEDED:
            state.record(fact, Outcome.STALE, before, before, None, "the channel closed the payment")
        elif problem := self._mismatch(fact):
            self._mismatched.add(fact.key)
            if workflow.patched(OUTSIDE):
                state.outside(fact, problem)
                return
            state.record(fact, Outcome.MISMATCH, before, before, None, problem)
            state.tickets.note(fact.source, "payment does not fit", problem)
        else:
            self._take(fact, before)

    def _known(self, fact: Fact) -> bool:
        return fact.key in self.state.applied or fact.key in self._mismatched

    def _take(self, fact: Fact, before: str) -> None:
        state = self.state
        assert fact.amount_minor is not None and fact.currency is not None
        self._accept(
            Payment(
                key=fact.key,
                channel=state.order.payment.channel,
                transaction_id=fact.transaction_id or fact.key,
                merchant_id=fact.merchant_id or "",
                amount_minor=fact.amount_minor,
                currency=fact.currency,
                paid_at=self._paid_at(fact),
            )
        )
        state.record(fact, Outcome.APPLIED, before, state.status.value, None)

    def decided(self, payment: Payment) -> None:
        """It is the order's by a person's decision."""
        self.state.applied.add(payment.key)
        self._accept(payment)

    def _accept(self, payment: Payment) -> None:
        state = self.state
        late = state.status is OrderStatus.CLOSED
        state.paid(payment)
        if late:
            state.payment_status = PaymentStatus.LATE
        else:
            state.payment_status = PaymentStatus.PAID
            if not self.cancel_requested:
                state.becomes(OrderStatus.AWAITING_SHIPMENT)
                state.defer_writes(self._watching)  # settling follows in this very activation and carries the payment

    def _never_paid(self, payment: Payment) -> None:
        """It was not the order's, which waits on for its own, or is closed as unpaid."""
        state = self.state
        self._mismatched.add(payment.key)
        if state.status is OrderStatus.CLOSED:
            state.payment_status = PaymentStatus.CLOSED
            return
        state.payment_status = PaymentStatus.CREATED if state.payment_code else PaymentStatus.NONE
        state.becomes(OrderStatus.PENDING_PAYMENT)
        self._in_time, self._over = None, False

    def _paid_at(self, fact: Fact) -> datetime:
        """Scans are measured by it: nobody can have paid after we have heard of it."""
        now, skew = workflow.now(), timedelta(seconds=self.state.policy.clock_skew_s)
        ahead = fact.occurred_at - now > skew
        return now if ahead and workflow.patched("a fact's own time is not believed") else fact.occurred_at

    def _mismatch(self, fact: Fact) -> str:
        order = self.state.order
        if self.paid:
            payment = self.state.payment
            return f"order {order.order_no} is paid already by {payment and payment.transaction_id}"
        if problem := self._not_told_by_its_channel(fact):
            return problem
        if fact.order_no not in (None, order.order_no):
            return f"the payment names order {fact.order_no}, not {order.order_no}"
        if fact.currency != order.currency:
            return f"paid in {fact.currency}, the order is in {order.currency}"
        if fact.amount_minor != order.payable_minor:
            return f"paid {fact.amount_minor}, payable {order.payable_minor} (minor units)"
        return ""

    def _not_told_by_its_channel(self, fact: Fact) -> str:
        ours = self.state.order.payment.channel
        if fact.source in CHANNELS and fact.source != ours and workflow.patched(FOREIGN):
            return f"paid through {fact.source}, the order is to be paid through {ours}"
        if fact.source not in CHANNELS and workflow.patched(NO_CHANNEL):
            return f"{fact.source} tells that it is paid; who takes its money is {ours}"
        if fact.transaction_id is None and workflow.patched(NO_CHANNEL):
            return f"the payment that {fact.source} tells names no transaction"
        return ""

    def owes_late_money(self, owed: RefundsOwed) -> bool:
        """Money was taken after closing, and nobody has been asked to give it back: it came while the last write was
        under way."""
        late = self.state.payment is not None and self.state.payment_status is PaymentStatus.LATE
        return late and not owed.late_is_asked

    async def give_late_payment_back(self, owed: RefundsOwed) -> None:
        """After closing: money that comes all the same goes back once."""
        state = self.state
        while True:
            if not await self._late_payment():
                return
            if not workflow.patched(NOT_OURS):
                break
            await state.flushed()
            if state.payment is not None:
                break
        assert state.payment is not None
        if not owed.late_is_asked:
            state.tickets.note(
                state.order.payment.channel, "late payment",
                f"{state.payment.amount_minor} arrived after the order was closed and is being refunded",
            )  # fmt: skip
        units = {line.line_id: line.qty for line in state.order.lines}
        await owed.late(state.payment, units)

    async def _late_payment(self) -> bool:
        """Listens as long as the channel may repeat its notice. True: money came and is owed back."""
        if self._late_until is None:
            self._late_until = workflow.now() + timedelta(seconds=self.state.policy.late_payment_watch_s)
            self.state.now_waits_for("a late payment, to give it back")
        if not self.paid:
            left = self._late_until - workflow.now()
            try:
                await workflow.wait_condition(
                    lambda: self.paid, timeout=max(left, timedelta(0)), timeout_summary="late payment watch"
                )
            except TimeoutError:
                return False
        return True


def _local(at: datetime) -> str:
    """A moment as operators read it."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
