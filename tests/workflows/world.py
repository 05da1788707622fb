"""A small outside world for workflow tests: fakes under the real activities' names, each with its own ledger.

The rules come from `domain`, as in the real store; what is faked is where things are kept. `fail` makes a step fail a
number of times, the way the real activities report it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.calls import (
    BookBatch, Booked, BookOutcome, BookOutcomes, ChildCall, CreatePayment, Facts, InterceptOutcome, ParcelQuery,
    PaymentCreated, PaymentQuery, PaymentState, PushBatch, Pushed, PushOutcome, PushOutcomes, RefundCall, RefundState,
)  # fmt: skip
from activities.store import Register
from domain.facts import Fact, Kind
from domain.policy import Policy
from domain.pricing import price
from domain.records import OrderWrite, Registered, Settled, SettlePayment
from domain.retries import delay_before_retry
from domain.splitting import split
from domain.states import ChildStatus


class World:
    """One order's surroundings. Everything that the outside did or was told is in a public list or counter."""

    def __init__(self, policy: Policy | None = None, stock: dict[str, int] | None = None) -> None:
        self.policy = policy or Policy()
        self.stock = stock
        self.calls: Counter[str] = Counter()
        self.started: defaultdict[str, list[datetime]] = defaultdict(list)
        self.writes: list[OrderWrite] = []
        self.trade = "NOTPAY"
        self.captured: Fact | None = None
        self.refunds: dict[str, int] = {}
        self.refund_answers: list[str] = []
        self.intercept = "cancelled"
        self.pushed: list[str] = []
        self.booked: list[str] = []
        self.voided: list[str] = []
        self.found: list[Fact] = []
        self.refuse_register = ""
        self._failures: dict[str, list[str]] = {}

    def fail(self, step: str, times: int, kind: str = "retry") -> None:
        self._failures[step] = [kind] * times

    def pay(self, order_no: str, amount: int, at: datetime, transaction: str = "4200001") -> Fact:
        """The buyer pays; returns the fact that the channel's callback would carry."""
        self.trade = "SUCCESS"
        self.captured = Fact(
            key=f"wechat:pay:{transaction}", kind=Kind.PAYMENT_SUCCEEDED, source="wechat", occurred_at=at,
            order_no=order_no, transaction_id=transaction, merchant_id="1900000001", amount_minor=amount, currency="CNY",
        )  # fmt: skip
        return self.captured

    @property
    def last(self) -> OrderWrite:
        return self.writes[-1]

    def activities(self) -> Sequence[Callable[..., Any]]:
        return [
            self.register, self.settle, self.write, self.allocate, self.create, self.query, self.close, self.refund,
            self.query_refund, self.push, self.cancel, self.wms_query, self.book, self.void, self.courier_query,
        ]  # fmt: skip

    def _step(self, step: str, backoff_s: Sequence[int] = (1,), spacing_s: int = 0) -> None:
        self.calls[step] += 1
        self.started[step].append(activity.info().current_attempt_scheduled_time)
        if self._failures.get(step):
            kind = self._failures[step].pop()
            wait = delay_before_retry(activity.info().attempt, backoff_s, spacing_s)
            raise ApplicationError(
                f"{step} does not answer", "FAKE", type=kind, non_retryable=kind == "refused",
                next_retry_delay=timedelta(seconds=wait),
            )  # fmt: skip

    # --- store -------------------------------------------------------------------------------------------------------

    @activity.defn(name="store.register")
    async def register(self, message: Register) -> Registered:
        if self.refuse_register:
            raise ApplicationError("refused by the store", type=self.refuse_register, non_retryable=True)
        order = message.order
        tags = {line.line_id: line.tags for line in order.lines if line.tags is not None}
        self._priced = price(order, tags)
        self._order_no = order.order_no
        deadline = order.deadline(
            self.policy.flash_payment_timeout_s if order.kind == "flash" else self.policy.payment_timeout_s
        )
        return Registered(order_no=order.order_no, priced=self._priced, policy=self.policy, pay_deadline=deadline)

    @activity.defn(name="store.settle")
    async def settle(self, message: SettlePayment) -> Settled:
        self.calls["settle"] += 1
        self.writes.append(message.write)
        stock = self.stock or {line.line_id: line.qty for line in self._priced.lines}
        return Settled(children=split(self._order_no, self._priced, stock, self.policy.split_priority))

    @activity.defn(name="store.write")
    async def write(self, message: OrderWrite) -> None:
        self.writes.append(message)

    @activity.defn(name="store.allocate_backorder")
    async def allocate(self, order_no: str, child_no: str) -> bool:
        self.calls["allocate"] += 1
        return True

    # --- payment -----------------------------------------------------------------------------------------------------

    @activity.defn(name="payment.create")
    async def create(self, call: CreatePayment) -> PaymentCreated:
        self._step("create", call.backoff_s)
        return PaymentCreated(code="weixin://wxpay/bizpayurl?pr=test")

    @activity.defn(name="payment.query")
    async def query(self, call: PaymentQuery) -> PaymentState:
        self._step("query", call.backoff_s)
        return self._trade()

    @activity.defn(name="payment.close")
    async def close(self, call: PaymentQuery) -> PaymentState:
        self._step("close", call.backoff_s)
        if self.trade == "NOTPAY":
            self.trade = "CLOSED"
        return self._trade()

    def _trade(self) -> PaymentState:
        if self.trade == "SUCCESS":
            return PaymentState(state="PAID", fact=self.captured)
        return PaymentState(state="CLOSED" if self.trade == "CLOSED" else "UNPAID")

    @activity.defn(name="payment.refund")
    async def refund(self, call: RefundCall) -> RefundState:
        self._step("refund", call.backoff_s, call.min_spacing_s)
        self.refunds[call.refund_no] = call.amount_minor
        return self._refund_state(call)

    @activity.defn(name="payment.query_refund")
    async def query_refund(self, call: RefundCall) -> RefundState:
        self._step("query refund", call.backoff_s)
        return self._refund_state(call)

    def _refund_state(self, call: RefundCall) -> RefundState:
        state = self.refund_answers.pop(0) if self.refund_answers else "SUCCEEDED"
        if state == "PROCESSING":
            return RefundState(state="PROCESSING")
        kind = {"SUCCEEDED": Kind.REFUND_SUCCEEDED, "ABNORMAL": Kind.REFUND_ABNORMAL}[state]
        fact = Fact(
            key=f"wechat:refund:{call.refund_no}:{state}", kind=kind, source="wechat",
            occurred_at=activity.info().started_time, order_no=call.order_no, refund_no=call.refund_no,
            amount_minor=call.amount_minor, currency="CNY",
        )  # fmt: skip
        return RefundState.model_validate({"state": state, "fact": fact})

    # --- warehouse, carrier, courier ---------------------------------------------------------------------------------

    @activity.defn(name="wms.push")
    async def push(self, call: PushBatch) -> PushOutcomes:
        self._step("push", call.backoff_s)
        self.pushed += [item.child_no for item in call.items]
        return PushOutcomes(items=tuple(PushOutcome(child_no=i.child_no, done=Pushed(wms_ref="W1")) for i in call.items))

    @activity.defn(name="wms.cancel")
    async def cancel(self, call: ChildCall) -> InterceptOutcome:
        self._step("cancel", call.backoff_s)
        return InterceptOutcome.model_validate({"result": self.intercept})

    @activity.defn(name="wms.query")
    async def wms_query(self, call: ChildCall) -> Facts:
        self._step("wms query")
        return Facts(facts=tuple(f for f in self.found if f.child_no == call.child_no))

    @activity.defn(name="carrier.book")
    async def book(self, call: BookBatch) -> BookOutcomes:
        self._step("book", call.backoff_s)
        self.booked += [item.child_no for item in call.items]
        return BookOutcomes(
            items=tuple(
                BookOutcome(
                    child_no=i.child_no,
                    done=Booked(
                        waybill_no=f"YT{i.child_no[-2:]}0000001", carrier="YTO", tms_ref="T-1",
                        label_format="ZPL", label_b64="XlhBXlha",
                    ),
                )
                for i in call.items
            )
        )  # fmt: skip

    @activity.defn(name="carrier.void")
    async def void(self, call: ChildCall) -> bool:
        self._step("void", call.backoff_s)
        self.voided.append(call.child_no)
        return True

    @activity.defn(name="courier.query")
    async def courier_query(self, call: ParcelQuery) -> Facts:
        self._step("courier query")
        return Facts(facts=tuple(f for f in self.found if f.waybill_no == call.waybill_no))


def status_of(world: World, child_no: str) -> ChildStatus:
    return next(c.status for c in world.last.children if c.child_no == child_no)
