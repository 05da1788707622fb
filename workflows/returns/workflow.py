"""An after-sales case from application to its end. Workflow `Return`, id `return/{return_no}`, a peer of its order."""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from domain.facts import REFUND_KINDS, Fact
    from domain.returns.enums import GOODS_COME_BACK, GOODS_GO_OUT, CaseStatus
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
    from workflows.messages import FACTS
    from workflows.order_return_signals import LEFT, RETURN_WORKFLOW, STOPPED, Left, Stopped
    from workflows.returns.admission import Start, admit, issue_code, read_start
    from workflows.returns.exchange import Exchange
    from workflows.returns.handlers import ReturnHandlers
    from workflows.returns.inbound_shipment import InboundShipment
    from workflows.returns.inspection import Inspection
    from workflows.returns.late_parcel import LateParcel
    from workflows.returns.messages import CancelReturn, CaseState
    from workflows.returns.order_link import close_order_if_all_is_back, notify_closed, notify_opened
    from workflows.returns.payout import Payout
    from workflows.returns.review import Review
    from workflows.returns.state import ReturnEnded, ReturnState
    from workflows.returns.stop_shipping import StopShipping
    from workflows.returns.undoing import undo_what_is_here
    from workflows.returns.view import case_state


@workflow.defn(name=RETURN_WORKFLOW)
class Return(ReturnHandlers):
    """One case, one workflow. Machines signal `facts`, people update, anybody may query `view`."""

    CARRIED = Table(
        _state=Own(),
        _stop_shipping=Own(),
        _review=Own(),
        _inspection=Own(),
        _inbound_shipment=Own(),
        _payout=Own(),
        _exchange=Own(),
        _late_parcel=Own(),
        _supplied_money=Own(),
        commands=Own(),
        _events=Own(),
        _taken_back_by=CancelReturn | None,
        _open=bool,
        _asked_again=bool,
        _agreed=bool,
        _closed=bool,
        _order_told=bool,
        left={
            "_refused": "refused starts have no next run",
            "_branches": "started anew",
            "_start": "the start message goes along by itself", "_beginning": "the start message goes along by itself",
            "steps": "none is under way",
        },
    )  # fmt: skip

    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        self.steps = StepsUnderWay()
        self._beginning = begun = beginning(raw)
        self._refused: StartRefused | None = None
        self._events = EventQueue(self._apply)
        self._branches = Branches()
        self._taken_back_by: CancelReturn | None = None
        self._open = False
        self._asked_again = False
        self._agreed = False
        self._closed = False
        self._order_told = False
        try:
            self._start: Start = read_start(begun.raw, goes_on=begun.state is not None)
        except StartRefused as refused:
            self._refused = refused
            return
        self._state = ReturnState(self._start.return_no, self._start.order_no)
        self._stop_shipping = StopShipping(self._state, self._branches)
        self._review = Review(self._state, lambda: self._taken_back_by is not None, lambda: self._stop_shipping.late)
        self._inspection = Inspection(self._state, lambda: self._review.parties)
        self._inbound_shipment = InboundShipment(
            self._state, self._branches, self._inspection, lambda: self._taken_back_by is not None,
            self._stop_shipping.still_to_come,
        )  # fmt: skip
        self._payout = Payout(self._state, self._branches, self._review, self._inspection, self._stop_shipping)
        self._exchange = Exchange(self._state, self._branches, self._inspection)
        self._late_parcel = LateParcel(self._state, self._branches)
        self._supplied_money = SuppliedMoney(self._state, self._review.approvals, self._branches)
        if begun.state is not None:
            give(self, begun.state)

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> str:
        return await until_over(
            self._process(), lambda: self._is_quiet, lambda: self._beginning.next_one(self), self._refuse_cancellation
        )

    def _refuse_cancellation(self) -> None:
        if self._refused is None:
            number = self._state.return_no
            self._state.tickets.note("temporal", STEP, told(f"return {number}", f"oms return cancel {number}"))

    async def _process(self) -> str:
        """From the beginning, or from where the run before stood: every step does what is left of it."""
        await self._admit()
        if not self._closed:
            try:
                await self._agree()
                await self._goods()
                await self._settle()
            except ReturnEnded as over:
                self._close(over)
            self._closed = True
        return await self._end()

    # --- the business process ----------------------------------------------------------------------------------------

    async def _admit(self) -> None:
        """Units and money are held for the case, or it is refused with nothing changed."""
        if self._open:
            self._listen()
            self._payout.go_on()
            self._supplied_money.go_on()
            return
        try:
            if self._refused is not None:
                raise self._refused
            self._state.opens(await admit(self._start))
        except StartRefused as refused:
            self._refused = refused
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise refused.error() from None
        self._open = True
        self._listen()
        await notify_opened(self._state)

    def _listen(self) -> None:
        self._branches.ask_about = self._state.duty_broke
        self._state.show()
        self._branches.start(self._state.run_projector())
        self._branches.start(self._events.consume(self._state))

    async def _agree(self) -> None:
        """What has not left is kept back, and the supervisor agrees: in the order that the policy says. Asked first,
        what could not be stopped is asked about again."""
        if self._agreed:
            return
        asks_first = not self._state.policy.stop_before_asking
        if not asks_first:
            await self._stop_shipping.run()
        if self._start.reopens is None:
            await self._review.application()
        if asks_first and self._state.case.unshipped:
            await self._stop_shipping.run()
            self._review.unless_taken_back()
            if self._stop_shipping.late:
                if not self._asked_again:
                    self._asked_again = True
                    self._state.version += 1
                await self._review.application()
        self._agreed = True

    async def _goods(self) -> None:
        """They come back, are received and inspected. Refunds without goods have none."""
        if self._state.type not in GOODS_COME_BACK:
            return
        if not self._inbound_shipment.expected:
            code = await issue_code(self._state.return_no)
            self._inspection.expects(self._stop_shipping.still_to_come(self._state.lines), code)
            self._inbound_shipment.expect(left=not self._state.case.unshipped)
        if self._start.reopens is not None:
            self._inbound_shipment.came_late(self._start.parcel)
        else:
            await self._inbound_shipment.handed_over(forgive=bool(self._stop_shipping.stopped))
        await self._inbound_shipment.received()
        await self._inbound_shipment.inspected()

    async def _settle(self) -> None:
        """Money for goods, or goods for goods."""
        if self._state.type in GOODS_GO_OUT:
            if not self._exchange.begun:
                await self._review.clear()
            await self._exchange.send()
        else:
            if not self._payout.begun:
                await self._stop_shipping.until_left(lambda: self._taken_back_by is not None)
                self._review.unless_taken_back()
            await self._payout.pay()

    def _close(self, over: ReturnEnded) -> None:
        self._state.close_reason = over.reason
        self._state.happens(over.event, by=over.by, role=over.role, reason=over.reason)
        undo_what_is_here(self._state, self._inspection)

    async def _end(self) -> str:
        """The order hears of it; a parcel that comes after all opens a linked case; then everything is written."""
        refunded = self._payout.refunded_units()
        if not self._order_told:
            if self._stop_shipping.stopped and workflow.patched("let go before the order hears"):
                await self._state.flushed()  # what the order pays back itself the books must not find held by the case
            await notify_closed(self._state, refunded, self._payout.paid_back())
            self._order_told = True
        if self._state.status is CaseStatus.CLOSED_NOT_SENT:
            await self._late_parcel.watch()
        elif self._inspection.nothing_came and workflow.patched("goods that were given up are listened for"):
            await self._state.flushed()
            if refunded:
                await close_order_if_all_is_back(self._state)
            await self._late_parcel.watch()
        await write_everything(self._state, self._events, self._branches)
        if refunded:
            await close_order_if_all_is_back(self._state)
        self._branches.end()
        return self._state.status.value

    @property
    def _is_quiet(self) -> bool:
        """Everything heard is applied and written, and whoever waits waits for the world, for people or for a time."""
        return (
            self._open
            and self.steps.count == 0
            and self._events.empty
            and self._state.all_flushed
            and not self._state.deferred
            and self._payout.refunds.may_go_on_later
        )

    # --- events ------------------------------------------------------------------------------------------------------

    def _hear(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Facts from machines, through the relay, are applied in order, once the case is in the books; what its order
        answers counts at once."""
        if not self._beginning.seals.hold(arguments, RELAY if name == FACTS else WORKER):
            self._events.take([Foreign(name[:60])])
            return
        if name == FACTS:
            self._events.take(read_facts(arguments))
            return
        try:
            if name not in (STOPPED, LEFT):
                raise UnableToRead("a return knows no such signal")
            answer = read_only_one(Stopped if name == STOPPED else Left, arguments, "signal")
        except UnableToRead as error:
            self._events.take([unread_signal(name, arguments, str(error))])
            if self._refused is None and name in (STOPPED, LEFT):
                self._stop_shipping.cannot_read()
            return
        if self._refused is not None:
            return
        if isinstance(answer, Stopped):
            self._stop_shipping.apply(answer)
        else:
            self._stop_shipping.have_left()

    def _apply(self, fact: Fact) -> None:
        apply_alone(self._state, fact, self._apply_one)

    def _apply_one(self, fact: Fact) -> None:
        if fact.kind in REFUND_KINDS:
            self._payout.refunds.apply(fact)
        elif self._exchange.is_meant(fact):
            self._exchange.apply(fact)
        elif self._exchange.former.is_meant(fact) and workflow.patched("former replacements are listened to"):
            self._exchange.former.apply(fact)
        elif self._late_parcel.watching:
            self._late_parcel.apply(fact)
        else:
            self._inbound_shipment.apply(fact)

    @property
    def stalls(self) -> Stalls:
        return self._state.stalls

    @workflow.query
    def view(self) -> CaseState:
        if self._refused is not None:
            raise self._refused.error()
        return case_state(self._state, self._review, self._inspection, self._exchange, self._start, workflow.now())
