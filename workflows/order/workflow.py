"""An order from placement to the end of its after-sales window. Workflow `Order`, id `order/{order_no}`."""

from collections.abc import Sequence
from contextvars import copy_context
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.dispatch.holds import HoldCause, HoldKind
    from domain.facts import BUYER_KINDS, REFUND_KINDS, Fact, Kind
    from domain.refunds.chargebacks import DESK, ENDS
    from domain.refunds.outside import bank_word
    from domain.states import OrderStatus
    from domain.strict import UnableToRead
    from domain.trust.seals import RELAY, WORKER
    from workflows.approvals.supplied_money import SuppliedMoney
    from workflows.durable.branches import Branches
    from workflows.durable.cancellation import STEP, told
    from workflows.durable.carrying import Own, Table, give
    from workflows.durable.continuing import StepsUnderWay, beginning, until_over
    from workflows.durable.event_queue import EventQueue, apply_alone, write_everything
    from workflows.durable.raw_messages import NO_ARGUMENT, StartRefused, read_only_one
    from workflows.durable.seals import Foreign
    from workflows.durable.signals import read_facts, unread_signal
    from workflows.durable.stalls import Stalls
    from workflows.messages import FACTS, ORDER_WORKFLOW
    from workflows.order.automated import AutomatedActs
    from workflows.order.cancel_decision import CancelDecision
    from workflows.order.changes.readdressing import Readdressing
    from workflows.order.changes.requests import FulfilmentChanges
    from workflows.order.changes.resourcing import Resourcing
    from workflows.order.handlers import OrderHandlers
    from workflows.order.holds.holding import Holding
    from workflows.order.messages import OrderView
    from workflows.order.open_returns import OpenReturns
    from workflows.order.outside_payment import OutsidePayments
    from workflows.order.parcels.parcel import Parcel
    from workflows.order.parcels.parcels import Parcels
    from workflows.order.payment import OrderPayment
    from workflows.order.placement import PaidByNobody, read_start, register, settle
    from workflows.order.refresh import Refresher
    from workflows.order.refunds_owed import RefundsOwed
    from workflows.order.set_aside import SetAside
    from workflows.order.state import OrderState
    from workflows.order.tagging import Tagging
    from workflows.order.view import order_view
    from workflows.order_return_signals import (
        CASE_CLOSED,
        CASE_OPENED,
        STOP_FOR_CASE,
        CaseClosed,
        CaseOpened,
        StopForCase,
    )
    from workflows.refunds.refunds import Refunds

OVER = frozenset({OrderStatus.COMPLETED, OrderStatus.CLOSED})
ADDRESS_CHANGED = HoldCause.ADDRESS_CHANGED
LAST_MOMENT = "money that comes as the order ends goes back"
IN_DISPUTE = "what is in dispute is held"
DISPUTES = frozenset({Kind.CHARGEBACK_OPENED, *ENDS})
PAYMENT_KINDS = frozenset({Kind.PAYMENT_SUCCEEDED, Kind.PAYMENT_CLOSED})


@workflow.defn(name=ORDER_WORKFLOW)
class Order(OrderHandlers):
    """One order, one workflow. Machines signal `facts`; people update; anybody may query `view`."""

    CARRIED = Table(
        _state=Own(),
        _payment=Own(),
        _refunds=Own(),
        _outside_payments=Own(),
        _tagging=Own(),
        _refunds_owed=Own(),
        _parcels=Own(),
        approvals=Own(),
        changes=Own(),
        _supplied_money=Own(),
        _cancel_decision=Own(),
        _set_aside=Own(),
        _open_returns=Own(),
        _refresher=Own(),
        commands=Own(),
        holding=Own(),
        _automated=Own(),
        _events=Own(),
        _registered=bool,
        _receipt_by=str | None,
        _receipt_due=datetime | None,
        left={
            "_refusal": "refused starts have no next run",
            "_branches": "started anew",
            "_cancelling": "no handler runs while a run ends",
            "readdressing": "it keeps nothing",
            "steps": "none is under way",
            "_beginning": "the start message goes along by itself",
        },
    )

    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        self.steps = StepsUnderWay()
        self._beginning = begun = beginning(raw)
        self._refusal: StartRefused | None = None
        self._events = EventQueue(self._apply)
        self._branches = Branches()
        self._open_returns = OpenReturns(self._branches)
        self._registered = False
        self._receipt_by: str | None = None
        self._receipt_due: datetime | None = None
        self._cancelling = False
        try:
            self._state = OrderState(read_start(begun.raw, goes_on=begun.state is not None))
        except StartRefused as refusal:
            self._refusal = refusal
            return
        self._payment = OrderPayment(self._state)
        self._refunds = Refunds(self._state)
        self._outside_payments = OutsidePayments(self._state, self._payment, self._refunds, self._branches)
        self._tagging = Tagging(self._state)
        self._refunds_owed = RefundsOwed(self._state.order.order_no, self._refunds)
        self._parcels = Parcels(self._state, self._branches.take_on, self._give_back)
        self._parcels.source_elsewhere = Resourcing(self._state, self._parcels, self._branches).find
        self._state.child_states = self._parcels.states
        self._refresher = Refresher(self._state, self._payment, self._parcels, self._apply)
        self.changes = FulfilmentChanges(self._state, self._parcels, self.approvals, self._branches)
        self._supplied_money = SuppliedMoney(self._state, self.approvals, self._branches)
        self._cancel_decision = CancelDecision(
            self._state, self.approvals, self._branches,
            self._worth_of_cancelling, self._too_late_to_cancel, self._cancel_as_agreed,
        )  # fmt: skip
        self._set_aside = SetAside(self._state, self._parcels, self.changes, self._refunds_owed)
        self._open_returns.serve(self._state, self._parcels, self._set_aside)
        self.holding = Holding(self._state, self._parcels, self.changes, self._set_aside, self._branches)
        self._automated = AutomatedActs(
            self._state, self._parcels, self.holding, self._branches,
            self._worth_of_cancelling, self._why_not_cancel, self._cancel_for,
        )  # fmt: skip
        self.readdressing = Readdressing(
            self._state, self._payment, self._parcels, self.changes, lambda: self.holding.caused(ADDRESS_CHANGED)
        )  # fmt: skip
        if begun.state is not None:
            give(self, begun.state)

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> str:
        return await until_over(
            self._process(), lambda: self._is_quiet, lambda: self._beginning.next_one(self), self._refuse_cancellation
        )

    def _refuse_cancellation(self) -> None:
        if self._refusal is None:
            number = self._state.order.order_no
            self._state.tickets.note("temporal", STEP, told(f"order {number}", f"oms order cancel {number}"))

    async def _process(self) -> str:
        """From the beginning, or from where the run before stood: every step does what is left of it."""
        await self._admit()
        self._offer_payment()
        while await self._payment.paid_in_time():
            if await self._fulfil():
                await self._receipt()
                await self._after_sales_window()
                break
        else:
            await self._give_late_payment_back()
        return await self._end()

    # --- the business process ----------------------------------------------------------------------------------------

    async def _admit(self) -> None:
        """Into the books, or refused with nothing changed."""
        if self._registered:
            self._go_on()
            return
        try:
            if self._refusal is not None:
                raise self._refusal
            registered = await register(self._state.order, self._beginning.raw)
        except StartRefused as refusal:
            self._refusal = refusal
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise refusal.error() from None
        self._state.priced, self._state.policy = registered.priced, registered.policy
        self._tagging.untagged = registered.untagged
        self._payment.at_once = registered.offers_at_once
        self._registered = True
        self._listen()

    def _listen(self) -> None:
        self._branches.ask_about = self._state.duty_broke
        self._state.show()
        self._branches.start(self._state.run_projector())
        self._branches.start(self._events.consume(self._state))

    def _offer_payment(self) -> None:
        if self._payment.offered:
            return
        if self._state.order.payable_minor == 0:
            self._payment.nothing_to_pay()
        else:
            self._branches.start(self._payment.offer())

    async def _fulfil(self) -> bool:
        """Reserve and split, then every parcel for itself until all have left the warehouse or will not. False: the
        payment was not the order's, which waits on for its own."""
        if self._tagging.waits and not await self._tagging.complete():
            self._state.becomes(OrderStatus.CLOSED)
            self._parcels.open(())
            await self._tagging.give_back(self._refunds_owed)
            return True
        if not self._parcels.by_number:
            if not self._payment.paid:
                return False
            self._state.now_waits_for("warehouse and carrier")
            try:
                settled = await settle(self._state)
            except PaidByNobody:
                self._payment.cancel_requested |= self._cancelling
                return False
            self.holding.look_at_risk(settled)
            self._parcels.open(settled.children)
            for parcel in self._parcels.by_number.values():
                self._branches.start(parcel.run())
            self._parcels.roll_up()
        await self._branches.until(
            lambda: self._parcels.all_left_or_cancelled and not self._refunds.busy and self._open_returns.quiet
        )
        return True

    async def _receipt(self) -> None:
        """By the buyer, or by itself some days after the last parcel was shipped."""
        if self._state.status in OVER:
            return
        if self._parcels.all_cancelled:
            self._state.becomes(OrderStatus.CLOSED)
            return
        while True:
            self._state.now_waits_for("receipt")
            states = [p.state for p in self._parcels.by_number.values()]
            if self._receipt_due is None:
                shipped = max(state.shipped_at or workflow.now() for state in states if state.shipped)
                self._receipt_due = shipped + timedelta(seconds=self._state.policy.receipt_s)
            await self._open_returns.receipt(self._receipt_due, lambda: self._receipt_by is not None)
            self._receipt_due = None
            if self._parcels.all_left_or_cancelled:
                break  # else: missing units are shipped by others after all
            await self._branches.until(lambda: self._parcels.all_left_or_cancelled)
        if not self._open_returns.close_if_all_is_back():
            self._state.becomes(OrderStatus.COMPLETED)

    async def _after_sales_window(self) -> None:
        if self._state.status is OrderStatus.CLOSED:
            return
        self._state.now_waits_for("the end of the after-sales window")
        await self._open_returns.window(timedelta(seconds=self._state.policy.window_s))

    async def _give_late_payment_back(self) -> None:
        """Paid after closing: the order never ships and never reopens; the money goes back once (R13, N1)."""
        self._parcels.open(())  # there will be no parcels: what was told about some is news for a person
        await self._payment.give_late_payment_back(self._refunds_owed)

    async def _end(self) -> str:
        """Everything heard is written, every handler has answered, then the workflow closes."""
        if self._state.tickets.attention:
            self._state.now_waits_for("answers to its tickets")
        await write_everything(self._state, self._events, self._branches)
        while self._payment.owes_late_money(self._refunds_owed) and workflow.patched(LAST_MOMENT):
            await self._payment.give_late_payment_back(self._refunds_owed)
            await write_everything(self._state, self._events, self._branches)
        self._branches.end()
        return self._state.status.value

    # --- from one run to the next ------------------------------------------------------------------------------------

    @property
    def _is_quiet(self) -> bool:
        """Everything heard is applied and written, and whoever waits waits for the world, for people or for a time."""
        return (
            self._registered
            and self.steps.count == 0
            and self._events.empty
            and self._state.all_flushed
            and not (self._state.deferred or self.changes.executing or self._cancel_decision.executing)
            and self._parcels.nobody_stops_one
            and self._open_returns.nothing_is_being_stopped
            and self.holding.nothing_is_being_stopped
            and self._automated.nothing_is_under_way
            and self._refunds.may_go_on_later
        )

    def _go_on(self) -> None:
        self._listen()
        for parcel in self._parcels.go_on():
            self._branches.start(parcel.run())
        self._refunds.go_on(self._branches.take_on)
        self._set_aside.go_on(self._branches.take_on)
        self._open_returns.go_on()
        self.changes.go_on()
        self._supplied_money.go_on()
        self._cancel_decision.go_on()
        self.holding.go_on()

    # --- events ------------------------------------------------------------------------------------------------------

    def _hear(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Facts from machines, through the relay, are applied in order, once the order is in the books; what cases say
        counts at once."""
        if not self._beginning.seals.hold(arguments, RELAY if name == FACTS else WORKER):
            self._events.take([Foreign(name[:60])])
            return
        if name == FACTS:
            if self._refusal is None:
                self._state.cause = copy_context()
            self._events.take(read_facts(arguments))
            return
        try:
            if name == CASE_OPENED:
                self._open_returns.case_opened(read_only_one(CaseOpened, arguments, "signal"))
            elif name == CASE_CLOSED:
                self._open_returns.case_closed(read_only_one(CaseClosed, arguments, "signal"))
            elif name == STOP_FOR_CASE:
                self._open_returns.stop_for_case(read_only_one(StopForCase, arguments, "signal"))
            else:
                raise UnableToRead("an order knows no such signal")
        except UnableToRead as error:
            self._events.take([unread_signal(name, arguments, str(error))])

    def _apply(self, fact: Fact) -> None:
        apply_alone(self._state, fact, self._apply_one)

    def _apply_one(self, fact: Fact) -> None:
        if fact.kind in PAYMENT_KINDS:
            self._payment.apply(fact)
        elif fact.kind in REFUND_KINDS:
            self._refunds.apply(fact)
        elif fact.kind in BUYER_KINDS:
            self.holding.buyer_says(fact)
        elif fact.kind is Kind.AUTOMATION:
            self._automated.obey(fact)
        elif fact.kind in DISPUTES and fact.source == DESK:
            self.holding.at_desk(fact)
        elif fact.kind is Kind.CHARGEBACK_OPENED:
            self._state.outside(fact, f"chargeback {fact.chargeback_no}")
            if workflow.patched(IN_DISPUTE):
                self.holding.by_fact(HoldKind.DISPUTE, f"chargeback {fact.chargeback_no} is open")
        elif fact.kind in ENDS:
            self._state.outside(fact, "the books say what came of it", bank_word(fact))
            if fact.kind is Kind.CHARGEBACK_WON and workflow.patched(IN_DISPUTE):
                self.holding.caused(HoldCause.DISPUTE_WON)
        else:
            self._parcels.apply(fact)

    # --- what it shows and gives -------------------------------------------------------------------------------------

    @property
    def stalls(self) -> Stalls:
        return self._state.stalls

    @workflow.query
    def view(self) -> OrderView:
        if self._refusal is not None:
            raise ApplicationError(str(self._refusal), type=self._refusal.kind)
        return order_view(self._state, self._parcels, workflow.now())

    async def _give_back(self, parcel: Parcel, units: dict[str, int], reason: str) -> None:
        await self._refunds_owed.units(self._parcels, parcel, units, reason)
