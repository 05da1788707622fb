"""The payment channel: one trade an order, refunds by number, and the facts that its callbacks would carry."""

from datetime import datetime
from typing import Any, Literal

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.messages import FULL, CreatePayment, PaymentCreated, PaymentQuery, PaymentState, RefundCall, RefundState
from activities.payment import insist_on_end, until_ended
from activities.provider_errors import outside
from domain.facts import Fact, Kind
from tests.workflows.world.faults import Faults

Trade = Literal["NOTPAY", "SUCCESS", "CLOSED", "USERPAYING", "ODD"]
ENDS = {"SUCCEEDED": Kind.REFUND_SUCCEEDED, "ABNORMAL": Kind.REFUND_ABNORMAL, "CLOSED": Kind.REFUND_CLOSED}


class Channel:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.trades: dict[str, Trade] = {}
        self.captured: dict[str, Fact] = {}
        self.closed: list[str] = []
        """Every order number that was asked to be closed, in turn."""
        self.refund_calls: list[RefundCall] = []
        self.refunds: dict[str, int] = {}
        """Refunds accepted, by number: asking twice under one number is one refund."""
        self.refund_answers: list[str] = []
        """What the next refund calls and queries answer; then SUCCEEDED."""
        self.pays_while_closing: Fact | None = None
        self.has_no_room = False
        """For tries at once."""

    def activities(self) -> list[Any]:
        return [self.create, self.query, self.close, self.refund, self.query_refund, self.refund_outcome]

    def pay(
        self, order_no: str, amount: int, at: datetime, transaction: str | None = None, currency: str = "CNY"
    ) -> Fact:
        """The buyer pays; returns the fact that the channel's callback would carry."""
        number = transaction or f"42{order_no}"
        paid = Fact(
            key=f"wechat:pay:{number}", kind=Kind.PAYMENT_SUCCEEDED, source="wechat", occurred_at=at, order_no=order_no,
            transaction_id=number, merchant_id="1900000001", amount_minor=amount, currency=currency,
        )  # fmt: skip
        self.trades[order_no] = "SUCCESS"
        self.captured.setdefault(order_no, paid)
        return paid

    @activity.defn(name="payment.create")
    async def create(self, call: CreatePayment) -> PaymentCreated:
        if self.has_no_room and activity.info().is_local:
            raise ApplicationError("no room", type=FULL, non_retryable=True)
        async with outside(call):
            self._faults.attempt("create")
        self.trades.setdefault(call.order_no, "NOTPAY")
        return PaymentCreated(code=f"weixin://wxpay/bizpayurl?pr={call.order_no}")

    @activity.defn(name="payment.query")
    async def query(self, call: PaymentQuery) -> PaymentState:
        async with outside(call):
            self._faults.attempt("query")
        return self._state(call.order_no)

    @activity.defn(name="payment.close")
    async def close(self, call: PaymentQuery) -> PaymentState:
        async with outside(call):
            self._faults.attempt("close")
        self.closed.append(call.order_no)
        if self.pays_while_closing is not None:
            self.trades[call.order_no], self.captured[call.order_no] = "SUCCESS", self.pays_while_closing
        if self.trades.get(call.order_no) == "NOTPAY":
            self.trades[call.order_no] = "CLOSED"
        return self._state(call.order_no)

    def _state(self, order_no: str) -> PaymentState:
        trade = self.trades.get(order_no)
        if trade == "SUCCESS":
            return PaymentState(state="PAID", fact=self.captured[order_no])
        words: dict[str | None, Any] = {None: "ABSENT", "CLOSED": "CLOSED", "ODD": "UNKNOWN"}
        return PaymentState(state=words.get(trade, "UNPAID"))

    @activity.defn(name="payment.refund")
    async def refund(self, call: RefundCall) -> RefundState:
        self.refund_calls.append(call)
        async with outside(call):
            self._faults.attempt("refund")
        before = self.refunds.setdefault(call.refund_no, call.amount_minor)
        assert before == call.amount_minor, f"{call.refund_no} was asked for with two amounts"
        return self._refund_state(call)

    @activity.defn(name="payment.query_refund")
    async def query_refund(self, call: RefundCall) -> RefundState:
        async with outside(call):
            self._faults.attempt("query refund")
        return self._refund_state(call)

    @activity.defn(name="payment.refund_outcome")
    async def refund_outcome(self, call: RefundCall) -> RefundState:
        async with until_ended(call):
            self._faults.attempt("query refund")
        return insist_on_end(call, self._refund_state(call))

    def _refund_state(self, call: RefundCall) -> RefundState:
        state = self.refund_answers.pop(0) if self.refund_answers else "SUCCEEDED"
        if state == "PROCESSING":
            return RefundState(state="PROCESSING")
        fact = self.refund_fact(call.order_no, call.refund_no, state, activity.info().started_time)
        return RefundState.model_validate({"state": state, "fact": fact})

    def refund_fact(self, order_no: str, refund_no: str, state: str, at: datetime) -> Fact:
        """What the channel's callback about a refund would carry."""
        return Fact(
            key=f"wechat:refund:{refund_no}:{state}", kind=ENDS[state], source="wechat", occurred_at=at,
            order_no=order_no, refund_no=refund_no, amount_minor=self.refunds.get(refund_no), currency="CNY",
        )  # fmt: skip
