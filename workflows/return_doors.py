"""The doors of a case for people: updates with validators, so that a wrong request is refused before it is history.

`workflows/returns.py` is the case's process; this is everything that people may do to it meanwhile.
"""

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.approvals import Decided, Decision
from domain.returns.words import GOODS_GO_OUT, CaseStatus
from workflows.branches import Branches
from workflows.case_book import CaseBook
from workflows.messages import ResolveTicket
from workflows.return_admission import Refused
from workflows.return_desk import Desk
from workflows.return_late import LateParcel
from workflows.return_messages import (
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
from workflows.return_money import Money
from workflows.return_replacement import Replacement
from workflows.return_review import Review
from workflows.return_road import Road
from workflows.return_stopping import Stopping
from workflows.return_view import applied

TAKE_BACK = frozenset({CaseStatus.APPLIED, CaseStatus.SUPERVISOR_REVIEW, CaseStatus.WAITING_RETURN})


class Doors:
    """The parts stand before any handler runs (`Return.__init__`); a refused start has none of them but `_refused`."""

    _refused: Refused | None
    _open: bool
    _taken_back_by: CancelReturn | None
    _branches: Branches
    _book: CaseBook
    _review: Review
    _desk: Desk
    _road: Road
    _stopping: Stopping
    _money: Money
    _replacement: Replacement
    _late: LateParcel

    @workflow.update
    async def apply(self) -> Applied:
        """Answers once the application is a case, or refuses with all reasons (`ReturnRefused`)."""
        await workflow.wait_condition(lambda: self._refused is not None or self._open)
        if self._refused is not None:
            raise self._refused.error()
        return applied(self._book)

    @workflow.update
    async def decide(self, decision: Decision) -> Decided:
        """A supervisor or finance decides. Answered at once, also when refused."""
        await self._ready()
        return await self._review.approvals.decide(decision)

    @decide.validator
    def _check_decision(self, decision: Decision) -> None:
        self._check_open()
        self._review.approvals.check(decision)

    @workflow.signal
    async def decide_by_signal(self, raw: RawValue) -> None:
        """The same from clients that can only signal."""
        await self._ready()
        if self._refused is None:
            await self._review.approvals.by_signal(raw)

    @workflow.update
    async def cancel(self, message: CancelReturn) -> None:
        """The buyer takes it back, as long as nothing has been handed over."""
        await self._only_party(message.by, "cancel")
        self._taken_back_by = message
        self._book.tell(message.by, "taken back", "BUYER", reason=message.reason)
        self._book.audit(message.by, "return.cancel", reason=message.reason)
        await self._review.withdraw_all(message.by, "the application was taken back")
        await self._branches.until(lambda: self._book.status is CaseStatus.CANCELLED_BY_BUYER)
        await self._book.saved()

    @cancel.validator
    def _check_cancel(self, message: CancelReturn) -> None:
        self._check_open()
        if self._book.status not in TAKE_BACK or self._road.handed_over_at or self._stopping.stopped:
            raise self._not_now("too late to take it back")

    @workflow.update
    async def lower(self, message: LowerAmount) -> None:
        """Staff lower the amount; everybody who had agreed is asked again."""
        self._money.lower(message)
        await self._review.withdraw_all(message.by, f"lowered to {message.amount_minor}")
        await self._book.saved()

    @lower.validator
    def _check_lower(self, message: LowerAmount) -> None:
        self._check_open()
        self._money.may_lower(message)

    @workflow.update
    async def enter_waybill(self, message: EnterWaybill) -> Received:
        """The goods are on their way. After the case has closed unsent, a linked case takes them in (N6)."""
        if self._late.watching:
            return await self._late.comes(message.parcel)
        self._road.enter_waybill(message)
        await self._book.saved()
        return Received(return_no=self._book.return_no)

    @enter_waybill.validator
    def _check_waybill(self, message: EnterWaybill) -> None:
        self._check_open()
        expected = self._book.status in (CaseStatus.WAITING_RETURN, CaseStatus.IN_RETURN)
        if not (expected or self._late.watching) or self._taken_back_by is not None:
            raise self._not_now("no goods are awaited")

    @workflow.update
    async def receive(self, message: ReceiveReturn) -> Received:
        """The desk has the parcel. `return_no` of the answer: the linked case, when this one had closed unsent."""
        if self._late.watching:
            await self._desk.check(message)
            return await self._late.comes(None)
        await self._desk.receive(message)
        await self._book.saved()
        return Received(return_no=self._book.return_no)

    @receive.validator
    def _check_receive(self, message: ReceiveReturn) -> None:
        self._check_open()
        if not self._desk.code:
            raise self._not_now("it is not approved: no goods are awaited")

    @workflow.update
    async def scan(self, message: ScanUnit) -> Scanned:
        """One unit at the inspection desk; also a wrong code is answered, not refused, so that it can be counted."""
        answer = await self._desk.scan(message)
        await self._book.saved()
        return answer

    @scan.validator
    def _check_scan(self, message: ScanUnit) -> None:
        self._check_open()
        if not self._desk.received:
            raise self._not_now("the goods have not been received")

    @workflow.update
    async def finish_inspection(self, message: FinishInspection) -> None:
        await self._desk.finish(message)
        await self._book.saved()

    @finish_inspection.validator
    def _check_finish(self, message: FinishInspection) -> None:
        self._check_open()
        if not self._desk.received or self._desk.inspected:
            raise self._not_now("there is no inspection to finish")

    @workflow.update
    async def ask_supervisor(self, message: AskSupervisor) -> None:
        self._money.dispute(message)
        await self._book.saved()

    @ask_supervisor.validator
    def _check_dispute(self, message: AskSupervisor) -> None:
        self._check_open()
        if self._money.paying or not self._desk.received:
            raise self._not_now("there is nothing to dispute")

    @workflow.update
    async def check_outbound(self, message: CheckOutbound) -> None:
        self._replacement.check(message)
        await self._book.saved()

    @check_outbound.validator
    def _check_check(self, message: CheckOutbound) -> None:
        self._check_open()
        if self._book.status is not CaseStatus.REPLACEMENT_QC:
            raise self._not_now("there is no replacement to check")

    @workflow.update
    async def print_label(self, message: PrintLabel) -> LabelAnswer:
        await self._ready()
        if self._book.type not in GOODS_GO_OUT:
            return LabelAnswer(result="NOT_AN_EXCHANGE")
        return await self._replacement.print_label(message.by)

    @workflow.update
    async def pay(self, message: PayNow) -> PayAnswer:
        """Somebody asks for the money; it answers what stands in the way. Paying is the case's own business."""
        await self._ready()
        found = self._money.ask()
        self._book.tell(message.by, "asked for the money", result=found.value)
        if found.value not in ("OK", "DUPLICATE"):
            self._book.audit(message.by, "return.refused", what="pay", code=found.value)
        await self._book.saved()
        return PayAnswer(result=found.value)

    @workflow.update
    async def resolve_ticket(self, message: ResolveTicket) -> None:
        self._book.tickets.resolve(message)
        await self._book.saved()

    @resolve_ticket.validator
    def _check_resolution(self, message: ResolveTicket) -> None:
        self._check_open()
        self._book.tickets.insist(message)

    async def _ready(self) -> None:
        await workflow.wait_condition(lambda: self._refused is not None or self._open)

    def _check_open(self) -> None:
        if not self._open:
            raise ApplicationError("the case is not in the books yet: try again in a moment", type="NotNow")

    async def _only_party(self, by: str, what: str) -> None:
        """A stranger's step is written down before it is refused."""
        actor = self._book.applicant
        if by not in (actor.id, actor.on_behalf_of):
            self._book.audit(by, "return.refused", what=what, code="FORBIDDEN")
            await self._book.saved()
            raise ApplicationError("only who applied may do this", type="FORBIDDEN")

    def _not_now(self, why: str) -> ApplicationError:
        text = f"return {self._book.return_no} is {self._book.status.value}: {why}"
        return ApplicationError(text, type="NotNow")
