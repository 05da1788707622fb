"""An after-sales case from application to its end. Workflow `Return`, id `return/{return_no}`, a peer of its order."""

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from domain.facts import Fact
    from domain.returns.words import GOODS_COME_BACK, GOODS_GO_OUT, CaseStatus
    from workflows.branches import Branches
    from workflows.case_book import CaseBook
    from workflows.case_over import CaseOver
    from workflows.case_signals import RETURN_WORKFLOW, Stopped
    from workflows.hearing import Hearing, write_everything
    from workflows.messages import FactBatch
    from workflows.order import REFUND_KINDS
    from workflows.return_admission import Refused, Start, admit, issue_code, read_start
    from workflows.return_desk import Desk
    from workflows.return_doors import Doors
    from workflows.return_late import LateParcel
    from workflows.return_messages import CancelReturn, CaseState
    from workflows.return_money import Money
    from workflows.return_replacement import Replacement
    from workflows.return_review import Review
    from workflows.return_road import Road
    from workflows.return_stopping import Stopping
    from workflows.return_ties import close_order_if_all_is_back, tell_closed, tell_opened
    from workflows.return_view import case_state


@workflow.defn(name=RETURN_WORKFLOW)
class Return(Doors):
    """One case, one workflow. Machines signal `facts`, people update, anybody may query `view`."""

    @workflow.init
    def __init__(self, raw: RawValue) -> None:
        self._refused: Refused | None = None
        self._hearing = Hearing(self._hear)
        self._branches = Branches()
        self._taken_back_by: CancelReturn | None = None
        self._open = False
        try:
            self._start: Start = read_start(raw)
        except Refused as refused:
            self._refused = refused
            return
        self._book = CaseBook(self._start.return_no, self._start.order_no)
        self._review = Review(self._book, lambda: self._taken_back_by is not None)
        self._desk = Desk(self._book, lambda: self._review.parties)
        self._road = Road(self._book, self._branches, self._desk, lambda: self._taken_back_by is not None)
        self._stopping = Stopping(self._book, self._branches)
        self._money = Money(self._book, self._branches, self._review, self._desk, self._stopping)
        self._replacement = Replacement(self._book, self._branches, self._desk)
        self._late = LateParcel(self._book, self._branches)

    @workflow.run
    async def run(self, raw: RawValue) -> str:
        await self._take_in()
        try:
            await self._stopping.run()
            if self._start.reopens is None:
                await self._review.application()
            await self._goods()
            await self._settle()
        except CaseOver as over:
            self._close(over)
        return await self._end()

    # --- the business process ----------------------------------------------------------------------------------------

    async def _take_in(self) -> None:
        """Units and money are held for the case, or it is refused with nothing changed."""
        try:
            if self._refused is not None:
                raise self._refused
            self._book.opens(await admit(self._start))
        except Refused as refused:
            self._refused = refused
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise refused.error() from None
        self._open = True
        self._book.show()
        self._branches.start(self._book.project())
        self._branches.start(self._hearing.listen())
        await tell_opened(self._book)

    async def _goods(self) -> None:
        """They come back, are received and inspected. Refunds without goods have none."""
        if self._book.type not in GOODS_COME_BACK:
            return
        code = await issue_code(self._book.return_no)
        self._desk.expects(self._stopping.still_to_come(self._book.lines), code)
        self._road.expect(left=not self._book.case.unshipped)
        if self._start.reopens is not None:
            self._road.came_late(self._start.parcel)
        else:
            await self._road.handed_over(forgive=bool(self._stopping.stopped))
        await self._road.received()
        await self._road.inspected()

    async def _settle(self) -> None:
        """Money for goods, or goods for goods."""
        if self._book.type in GOODS_GO_OUT:
            await self._review.clear()
            await self._replacement.send()
        else:
            await self._money.pay()

    def _close(self, over: CaseOver) -> None:
        self._book.close_reason = over.reason
        self._book.happens(over.event, by=over.by, role=over.role, reason=over.reason)

    async def _end(self) -> str:
        """The order hears of it; a parcel that comes after all opens a linked case; then everything is written."""
        refunded = self._money.refunded_units()
        await tell_closed(self._book, refunded)
        if self._book.status is CaseStatus.CLOSED_NOT_SENT:
            await self._late.watch()
        await write_everything(self._book, self._hearing, self._branches)
        if refunded:
            await close_order_if_all_is_back(self._book)
        self._branches.end()
        return self._book.status.value

    # --- hearing -----------------------------------------------------------------------------------------------------

    @workflow.signal
    def facts(self, batch: FactBatch) -> None:
        """Facts from machines, through the relay. Heard in order, once the case is in the books."""
        self._hearing.take(batch.facts)

    def _hear(self, fact: Fact) -> None:
        if fact.kind in REFUND_KINDS:
            self._money.refunds.hear(fact)
        elif self._replacement.is_meant(fact):
            self._replacement.hear(fact)
        elif self._late.watching:
            self._late.hear(fact)
        else:
            self._road.hear(fact)

    @workflow.signal
    def stopped(self, message: Stopped) -> None:
        """The order's answer: what will not ship."""
        if self._refused is None:
            self._stopping.hear(message)

    @workflow.query
    def view(self) -> CaseState:
        if self._refused is not None:
            raise self._refused.error()
        return case_state(self._book, self._review, self._desk, self._replacement, self._start, workflow.now())
