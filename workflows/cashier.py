"""Money in: the payment is created, awaited, and at the deadline asked for at the channel before anything is closed."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone

from temporalio import workflow

from activities.calls import CreatePayment, PaymentCreated, PaymentQuery, PaymentState
from activities.payment import PaymentActivities
from domain.facts import Fact, Kind
from domain.records import Payment
from domain.states import OrderStatus, Outcome, PaymentStatus
from workflows.book import Book
from workflows.giveback import GiveBack
from workflows.guarded import ATTEMPT_TIMEOUT, GaveUp, Step, StepFailed, guarded, retries

SHANGHAI = timezone(timedelta(hours=8))
Ask = Callable[[PaymentActivities, PaymentQuery], Awaitable[PaymentState]]
ANSWERS = {"query payment": ("UNPAID", "CLOSED", "ABSENT"), "close payment": ("CLOSED", "ABSENT")}
"""What lets an unpaid order go on; anything else, and a payment that does not fit, needs a person (R13)."""


class Cashier:
    """The payment axis of one order."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.cancel_requested = False
        self.free = False
        self.offered = False
        """The buyer can pay, or it is known that somebody must help first."""
        self._watching = False
        self._misfits: set[str] = set()

    @property
    def paid(self) -> bool:
        return self.free or self.book.payment is not None

    async def offer(self) -> None:
        """Creates the payment at the channel, unless the shop does that itself. Runs beside the deadline, which does
        not wait for a channel that is down."""
        await self._create()
        self.offered = True

    async def _create(self) -> None:
        order, policy = self.book.order, self.book.policy
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
            "create payment",
            PaymentCreated,
            "the order stays open until its deadline and closes unless it is paid by other means",
            settled=lambda: not self._open,
        )
        try:
            created = await guarded(
                self.book.tickets,
                step,
                lambda: workflow.execute_activity_method(
                    PaymentActivities.create,
                    call,
                    start_to_close_timeout=ATTEMPT_TIMEOUT,
                    retry_policy=retries(call.backoff_s),
                    summary="create payment",
                ),
            )
        except GaveUp:
            return
        if created is not None and self._open:
            self.book.payment_code = created.code
            self.book.payment_status = PaymentStatus.CREATED
            self.book.touch()

    @property
    def _open(self) -> bool:
        """A payment is still what the order waits for."""
        return self.book.status is OrderStatus.PENDING_PAYMENT and not (self.paid or self.cancel_requested)

    def nothing_to_pay(self) -> None:
        """Coupons cover the whole order: there is no payment to wait for."""
        self.free = self.offered = True
        self.book.payment_status = PaymentStatus.PAID
        self.book.becomes(OrderStatus.AWAITING_SHIPMENT)

    @property
    def deadline(self) -> datetime:
        order, policy = self.book.order, self.book.policy
        flash = order.kind == "flash"
        return order.deadline(policy.flash_payment_timeout_s if flash else policy.payment_timeout_s)

    async def paid_in_time(self) -> bool:
        """True: paid, by callback or found by asking. False: closed at the channel, or paid too late to keep."""
        self.book.now_waits_for(f"payment until {_local(self.deadline)}")
        await self._payment_or_deadline()
        while not self.paid:
            state = await self._ask("query payment", PaymentActivities.query)
            if state.state == "UNPAID" and not self.paid:
                state = await self._ask("close payment", PaymentActivities.close)
            if state.state in ("CLOSED", "ABSENT"):
                break
        return self._keep_or_close()

    def _keep_or_close(self) -> bool:
        """No await between the last look at the payment and the decision: an order ends in one way (N2)."""
        if self.paid and not self.cancel_requested:
            return True
        self.book.held = False
        self.book.becomes(OrderStatus.CLOSED)
        if self.book.payment is not None:  # the buyer cancelled while paying: the money goes back, nothing ships
            self.book.payment_status = PaymentStatus.LATE
        else:
            self.book.payment_status = PaymentStatus.CLOSED
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
        order, policy = self.book.order, self.book.policy
        call = PaymentQuery(backoff_s=policy.retry_backoff_s, channel=order.payment.channel, order_no=order.order_no)
        step = Step(
            order.payment.channel,
            name,
            PaymentState,
            "the order is closed as unpaid; a payment found later is refunded",
            settled=lambda: self.paid,
        )

        async def answer() -> PaymentState:
            state = await workflow.execute_activity_method(
                activity,
                call,
                start_to_close_timeout=ATTEMPT_TIMEOUT,
                retry_policy=retries(call.backoff_s),
                summary=name,
            )
            self._hear_state(state)
            if not self.paid and state.state not in ANSWERS[name]:
                raise StepFailed(f"the channel says {state.state}: neither a payment that fits nor an unpaid order")
            return state

        try:
            state = await guarded(self.book.tickets, step, answer)
        except GaveUp:
            return PaymentState(state="CLOSED")
        if state is None:
            return PaymentState(state="UNKNOWN")
        self._hear_state(state)
        return state

    def _hear_state(self, state: PaymentState) -> None:
        if state.fact is not None and state.fact.key not in self.book.applied | self._misfits:
            self.hear(state.fact)

    def hear(self, fact: Fact) -> None:
        """A payment fact, from a callback or from asking."""
        book = self.book
        before = book.status.value
        if fact.key in book.applied or fact.key in self._misfits:
            book.record(fact, Outcome.DUPLICATE, before, before, None)
        elif fact.kind is not Kind.PAYMENT_SUCCEEDED:
            book.record(fact, Outcome.STALE, before, before, None, "the channel closed the payment")
        elif problem := self._mismatch(fact):
            self._misfits.add(fact.key)
            book.record(fact, Outcome.MISMATCH, before, before, None, problem)
            book.tickets.note(fact.source, "payment does not fit", problem)
        else:
            self._take(fact, before)

    def _take(self, fact: Fact, before: str) -> None:
        book = self.book
        assert fact.amount_minor is not None and fact.currency is not None
        late = book.status is OrderStatus.CLOSED
        book.paid(
            Payment(
                key=fact.key,
                channel=book.order.payment.channel,
                transaction_id=fact.transaction_id or fact.key,
                merchant_id=fact.merchant_id or "",
                amount_minor=fact.amount_minor,
                currency=fact.currency,
                paid_at=fact.occurred_at,
            )
        )
        if late:
            book.payment_status = PaymentStatus.LATE
        else:
            book.payment_status = PaymentStatus.PAID
            if not self.cancel_requested:
                book.becomes(OrderStatus.AWAITING_SHIPMENT)
                book.held = self._watching  # settling follows in this very activation and carries the payment
        book.record(fact, Outcome.APPLIED, before, book.status.value, None)

    def _mismatch(self, fact: Fact) -> str:
        order = self.book.order
        if self.paid:
            return f"order {order.order_no} is paid already by {self.book.payment and self.book.payment.transaction_id}"
        if fact.order_no not in (None, order.order_no):
            return f"the payment names order {fact.order_no}, not {order.order_no}"
        if fact.currency != order.currency:
            return f"paid in {fact.currency}, the order is in {order.currency}"
        if fact.amount_minor != order.payable_minor:
            return f"paid {fact.amount_minor}, payable {order.payable_minor} (minor units)"
        return ""

    async def give_late_payment_back(self, owed: GiveBack) -> None:
        """After closing: money that comes all the same goes back once."""
        if not await self._late_payment():
            return
        book = self.book
        assert book.payment is not None
        book.tickets.note(
            book.order.payment.channel, "late payment",
            f"{book.payment.amount_minor} arrived after the order was closed and is being refunded",
        )  # fmt: skip
        units = {line.line_id: line.qty for line in book.order.lines}
        await owed.late(book.payment, units)

    async def _late_payment(self) -> bool:
        """Listens as long as the channel may repeat its notice. True: money came and is owed back."""
        until = self.book.policy.late_payment_watch_s
        self.book.now_waits_for("a late payment, to give it back")
        if not self.paid:
            try:
                await workflow.wait_condition(
                    lambda: self.paid, timeout=timedelta(seconds=until), timeout_summary="late payment watch"
                )
            except TimeoutError:
                return False
        return True


def _local(at: datetime) -> str:
    """A moment as operators read it."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
