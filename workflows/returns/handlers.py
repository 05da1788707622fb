"""The doors of a case for people: updates with validators, so that a wrong request is refused before it is history.

`workflows/returns/workflow.py` is the case's process; this is everything that people may do to it meanwhile.
"""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.approvals import Decided, Decision
from domain.returns.enums import GOODS_GO_OUT, CaseStatus
from workflows.approvals.handlers import DECIDE_BY_SIGNAL
from workflows.approvals.supplied_money import SuppliedMoney
from workflows.durable.branches import Branches
from workflows.durable.commands import (
    RepeatableCommands,
    keeps_its_key,
    rationed,
    repeatable,
    under_its_key,
    unless_done,
)
from workflows.durable.continuing import signal_heard
from workflows.durable.proofs import money_apart, proven
from workflows.durable.raw_messages import StartRefused, well_formed
from workflows.messages import ResolveTicket, TicketAnswer
from workflows.returns.exchange import Exchange
from workflows.returns.inbound_shipment import InboundShipment
from workflows.returns.inspection import Inspection
from workflows.returns.late_parcel import LateParcel
from workflows.returns.messages import (
    Applied,
    AskSupervisor,
    CancelReturn,
    CheckOutbound,
    EnterWaybill,
    FinishInspection,
    LabelAnswer,
    LowerAmount,
    PayAnswer,
    PayNow,
    PrintLabel,
    Received,
    ReceiveReturn,
    Scanned,
    ScanUnit,
)
from workflows.returns.payout import Payout
from workflows.returns.review import Review
from workflows.returns.state import ReturnState
from workflows.returns.stop_shipping import StopShipping
from workflows.returns.view import applied

TAKE_BACK = frozenset({CaseStatus.APPLIED, CaseStatus.SUPERVISOR_REVIEW, CaseStatus.WAITING_RETURN})


class ReturnHandlers(RepeatableCommands):
    """The parts stand before any handler runs (`Return.__init__`); a refused start has none of them but `_refused`."""

    _refused: StartRefused | None
    _open: bool
    _taken_back_by: CancelReturn | None
    _branches: Branches
    _state: ReturnState
    _review: Review
    _inspection: Inspection
    _inbound_shipment: InboundShipment
    _stop_shipping: StopShipping
    _payout: Payout
    _exchange: Exchange
    _late_parcel: LateParcel
    _supplied_money: SuppliedMoney

    @workflow.update
    async def apply(self) -> Applied:
        """Answers once the application is a case, or refuses with all reasons (`ReturnRefused`)."""
        await workflow.wait_condition(lambda: self._refused is not None or self._open)
        if self._refused is not None:
            raise self._refused.error()
        return applied(self._state)

    @apply.validator
    @well_formed
    def _check_apply(self) -> None:
        """Whoever asks is told."""

    @workflow.update
    @keeps_its_key
    async def decide(self, decision: Decision) -> Decided:
        """A supervisor or finance decides. Answered at once, also when refused."""
        await self._ready()
        return await self._review.approvals.decide(decision)

    @decide.validator
    @well_formed
    @under_its_key
    def _check_decision(self, decision: Decision) -> None:
        self._check_open()
        self._review.approvals.check(decision)

    @workflow.signal(dynamic=True)
    async def signalled(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Every signal, raw (workflows/durable/signals.py); `decide_by_signal` is the same as `decide`."""
        signal_heard()
        if name != DECIDE_BY_SIGNAL:
            self._hear(name, arguments)
            return
        await self._ready()
        if self._refused is None:
            await self._review.approvals.by_signal(arguments)

    def _hear(self, name: str, arguments: Sequence[RawValue]) -> None: ...

    @workflow.update
    @proven("return.cancel", "_check_cancel")
    @repeatable("_check_cancel")
    async def cancel(self, message: CancelReturn) -> None:
        """The buyer takes it back, as long as nothing has been handed over."""
        await self._only_party(message.by, "cancel")
        self._taken_back_by = message
        self._state.log(message.by, "taken back", "BUYER", reason=message.reason)
        self._state.audit(message.by, "return.cancel", reason=message.reason)
        await self._review.withdraw_all(message.by, "the application was taken back")
        await self._branches.until(lambda: self._state.status not in TAKE_BACK)
        if self._state.status is not CaseStatus.CANCELLED_BY_BUYER and workflow.patched("taken back too late"):
            self._taken_back_by = None
            raise self._not_now("too late to take it back")
        await self._branches.until(lambda: self._state.status is CaseStatus.CANCELLED_BY_BUYER)
        await self._state.flushed()

    @cancel.validator
    @well_formed
    @unless_done
    def _check_cancel(self, message: CancelReturn) -> None:
        self._check_open()
        state = self._state
        if state.status not in TAKE_BACK or self._inbound_shipment.handed_over_at or self._stop_shipping.stopped:
            raise self._not_now("too late to take it back")
        # The desk may have had the parcel before anybody named a waybill, and the supervisor is asked again.
        if state.goods_here:
            raise self._not_now("too late to take it back: its goods are here")

    @workflow.update
    @proven("return.lower", "_check_lower")
    @repeatable("_check_lower")
    async def lower(self, message: LowerAmount) -> None:
        """Staff lower the amount; everybody who had agreed is asked again."""
        self._payout.lower(message)
        await self._review.withdraw_all(message.by, f"lowered to {message.amount_minor}")
        await self._state.flushed()

    @lower.validator
    @well_formed
    @unless_done
    def _check_lower(self, message: LowerAmount) -> None:
        self._check_open()
        self._payout.may_lower(message)

    @workflow.update
    @proven("return.enter_waybill", "_check_waybill")
    @repeatable("_check_waybill")
    async def enter_waybill(self, message: EnterWaybill) -> Received:
        """The goods are on their way. After the case has closed unsent, a linked case takes them in (N6)."""
        await self._inspection.insist_it_left(message.by)
        if self._late_parcel.watching:
            return await self._late_parcel.admit(message.parcel)
        self._inbound_shipment.enter_waybill(message)
        await self._state.flushed()
        return Received(return_no=self._state.return_no)

    @enter_waybill.validator
    @well_formed
    @unless_done
    def _check_waybill(self, message: EnterWaybill) -> None:
        self._check_open()
        expected = self._state.status in (CaseStatus.WAITING_RETURN, CaseStatus.IN_RETURN)
        if not (expected or self._late_parcel.watching) or self._taken_back_by is not None:
            raise self._not_now("no goods are awaited")

    @workflow.update
    @proven("return.receive", "_check_receive")
    @repeatable("_check_receive")
    async def receive(self, message: ReceiveReturn) -> Received:
        """The desk has the parcel. `return_no` of the answer: the linked case, when this one had closed unsent."""
        await self._inspection.check(message)
        left = await self._inspection.insist_it_left(message.by)
        if self._late_parcel.watching:
            return await self._late_parcel.admit(None)
        self._inspection.receive(message, left)
        await self._state.flushed()
        return Received(return_no=self._state.return_no)

    @receive.validator
    @well_formed
    @unless_done
    def _check_receive(self, message: ReceiveReturn) -> None:
        self._check_open()
        if not self._inspection.code:
            raise self._not_now("it is not approved: no goods are awaited")

    @workflow.update
    @proven("return.scan", "_check_scan")
    @keeps_its_key
    async def scan(self, message: ScanUnit) -> Scanned:
        """One unit at the inspection desk; also a wrong code is answered, not refused, so that it can be counted."""
        answer = await self._inspection.scan(message)
        await self._state.flushed()
        return answer

    @scan.validator
    @well_formed
    @rationed
    def _check_scan(self, message: ScanUnit) -> None:
        self._check_open()
        if not self._inspection.received:
            raise self._not_now("the goods have not been received")

    @workflow.update
    @proven("return.finish_inspection", "_check_finish")
    @repeatable("_check_finish")
    async def finish_inspection(self, message: FinishInspection) -> None:
        await self._inspection.finish(message)
        await self._state.flushed()

    @finish_inspection.validator
    @well_formed
    @unless_done
    def _check_finish(self, message: FinishInspection) -> None:
        self._check_open()
        if not self._inspection.received or self._inspection.inspected:
            raise self._not_now("there is no inspection to finish")

    @workflow.update
    @proven("return.ask_supervisor", "_check_dispute")
    @repeatable("_check_dispute")
    async def ask_supervisor(self, message: AskSupervisor) -> None:
        self._payout.dispute(message)
        await self._state.flushed()

    @ask_supervisor.validator
    @well_formed
    @unless_done
    def _check_dispute(self, message: AskSupervisor) -> None:
        self._check_open()
        if self._payout.paying or not self._inspection.received:
            raise self._not_now("there is nothing to dispute")
        self._payout.may_dispute()

    @workflow.update
    @proven("return.check_outbound", "_check_check")
    @repeatable("_check_check")
    async def check_outbound(self, message: CheckOutbound) -> None:
        if message.by in self._review.parties and workflow.patched("another person checks what goes out"):
            await self._inspection.insist_on_another(message.by, "check the replacement")
        self._exchange.check(message)
        await self._state.flushed()

    @check_outbound.validator
    @well_formed
    @unless_done
    def _check_check(self, message: CheckOutbound) -> None:
        self._check_open()
        if self._state.status is not CaseStatus.REPLACEMENT_QC:
            raise self._not_now("there is no replacement to check")

    @workflow.update
    @proven("return.print_label", "_check_print")
    @keeps_its_key
    async def print_label(self, message: PrintLabel) -> LabelAnswer:
        await self._ready()
        if self._refused is not None:
            raise self._refused.error()
        if self._state.type not in GOODS_GO_OUT:
            return LabelAnswer(result="NOT_AN_EXCHANGE")
        return await self._exchange.print_label(message.by)

    @print_label.validator
    @well_formed
    @rationed
    def _check_print(self, message: PrintLabel) -> None:
        """The answer says what is missing."""

    @workflow.update
    @proven("return.pay", "_check_pay")
    @keeps_its_key
    async def pay(self, message: PayNow) -> PayAnswer:
        """Somebody asks for the money; it answers what stands in the way. Paying is the case's own business."""
        await self._ready()
        if self._refused is not None:
            raise self._refused.error()
        found = self._payout.ask()
        self._state.log(message.by, "asked for the money", result=found.value)
        if found.value not in ("OK", "DUPLICATE"):
            self._state.audit(message.by, "return.refused", what="pay", code=found.value)
        await self._state.flushed()
        return PayAnswer(result=found.value)

    @pay.validator
    @well_formed
    @rationed
    def _check_pay(self, message: PayNow) -> None:
        """The answer says what stands in the way."""

    @workflow.update
    @proven("return.resolve_ticket", "_check_resolution", row=money_apart)
    @repeatable("_check_resolution")
    async def resolve_ticket(self, message: ResolveTicket) -> TicketAnswer:
        return await self._supplied_money.resolve(message)

    @resolve_ticket.validator
    @well_formed
    @unless_done
    def _check_resolution(self, message: ResolveTicket) -> None:
        self._check_open()
        self._supplied_money.check(message)

    async def _ready(self) -> None:
        await workflow.wait_condition(lambda: self._refused is not None or self._open)

    def _check_open(self) -> None:
        if not self._open:
            raise ApplicationError("the case is not in the books yet: try again in a moment", type="NotNow")

    async def _only_party(self, by: str, what: str) -> None:
        """A stranger's step is written down before it is refused."""
        actor = self._state.applicant
        if by not in (actor.id, actor.on_behalf_of):
            self._state.audit(by, "return.refused", what=what, code="FORBIDDEN")
            await self._state.flushed()
            raise ApplicationError("only who applied may do this", type="FORBIDDEN")

    def _not_now(self, why: str) -> ApplicationError:
        text = f"return {self._state.return_no} is {self._state.status.value}: {why}"
        return ApplicationError(text, type="NotNow")
