"""Units that have not left yet are stopped at the warehouse, by their order, before any money goes back (R31, S22)."""

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.return_calls import ReturnedLine
from domain.returns.models import UnitRange
from domain.returns.words import ReturnType
from workflows.branches import Branches
from workflows.case_book import CaseBook
from workflows.case_signals import STOP_FOR_CASE, StopForCase, Stopped, Units
from workflows.messages import order_workflow_id


class Stopping:
    """`stopped`: units that will not ship. What could not be stopped has to come back like any other return."""

    def __init__(self, book: CaseBook, branches: Branches) -> None:
        self.book = book
        self._branches = branches
        self._answer: Stopped | None = None
        self.stopped: tuple[UnitRange, ...] = ()

    def hear(self, message: Stopped) -> None:
        self._answer = self._answer or message

    async def run(self) -> None:
        case = self.book.case
        if not case.unshipped:
            return
        self.book.now_waits_for("the warehouse, to stop it")
        await self._ask()
        stopped = {unit for run in (self._answer.units if self._answer else ()) for unit in run.each()}
        mine = [(run.line_id, unit) for run in case.units for unit in range(run.first_unit, run.end)]
        self.stopped = ranges([unit for unit in mine if unit in stopped])
        late = [unit for unit in mine if unit not in stopped]
        self.book.tell("system", "stopped at the warehouse", stopped=len(mine) - len(late), too_late=len(late))
        if late and case.type is ReturnType.CANCEL_UNSHIPPED:
            self.book.type = ReturnType.RETURN_REFUND  # a refused intercept turns the child into a return

    async def _ask(self) -> None:
        case = self.book.case
        if case.order_ended:
            return
        units = tuple(Units(line_id=r.line_id, first_unit=r.first_unit, units=r.units) for r in case.units)
        order = workflow.get_external_workflow_handle(order_workflow_id(case.order_no))
        try:
            await order.signal(STOP_FOR_CASE, StopForCase(return_no=self.book.return_no, units=units))
        except FailureError:  # the order has ended meanwhile: nothing of it can be stopped any more
            return
        await self._branches.until(lambda: self._answer is not None)

    def still_to_come(self, lines: tuple[ReturnedLine, ...]) -> tuple[ReturnedLine, ...]:
        """The case's lines without the units that were stopped."""
        gone = {(r.line_id, unit) for r in self.stopped for unit in range(r.first_unit, r.end)}
        left = []
        for line in lines:
            units = [
                (line.line_id, u) for r in line.units for u in range(r.first_unit, r.end)
                if (line.line_id, u) not in gone
            ]  # fmt: skip
            if units:
                left.append(line.model_copy(update={"units": ranges(units)}))
        return tuple(left)


def ranges(units: list[tuple[str, int]]) -> tuple[UnitRange, ...]:
    return tuple(UnitRange(line_id=line_id, first_unit=unit, units=1) for line_id, unit in units)
