"""Units that have not left yet are stopped at the warehouse, by their order, before any money goes back (R31, S22)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.return_messages import ReturnedLine
from domain.returns.enums import ReturnType
from domain.units import UnitRange, count, joined
from workflows.durable.branches import Branches
from workflows.durable.carrying import Table
from workflows.durable.continuing import under_way
from workflows.messages import order_workflow_id
from workflows.order_return_signals import STOP_FOR_CASE, StopForCase, Stopped
from workflows.returns.state import ReturnState

ORDERS = "orders"
STOP = "stop for a return"
LEFT_AFTER_ALL = "left after all"
UNANSWERED = timedelta(hours=4)
"""An order answers within minutes, unless it waits for a person itself. Then its own ticket is the louder one."""
AFTER_ALL = "a case hears what was stopped after all"
BOUNDED = "the order's word is not waited for in silence"


class StopShipping:
    """`stopped`: units that will not ship. What could not be stopped has to come back like any other return."""

    CARRIED = Table(
        _answer=Stopped | None,
        stopped=tuple[UnitRange, ...],
        late=tuple[UnitRange, ...],
        _splits_off=bool,
        _may_leave=bool,
        _garbled=bool,
        _have_left=bool,
        _asked=bool,
        _answer_due=datetime | None,
        _over=bool,
        left={"state": "wiring", "_branches": "wiring"},
    )

    def __init__(self, state: ReturnState, branches: Branches) -> None:
        self.state = state
        self._branches = branches
        self._answer: Stopped | None = None
        self.stopped: tuple[UnitRange, ...] = ()
        self.late: tuple[UnitRange, ...] = ()
        """What could not be stopped."""
        self._splits_off = False
        """Nothing of the case comes back: its units are cut off from parcels with something else."""
        self._may_leave = False
        """The order has units of `late` that have not left yet."""
        self._garbled = False
        """The order has said something about stopping that could not be read."""
        self._have_left = False
        """The order has said that none may leave any more; it may say so before its first answer has been looked at."""
        self._asked = False
        self._answer_due: datetime | None = None
        """When a person is asked what keeps the order from answering."""
        self._over = False
        """It is known what was stopped."""

    def apply(self, message: Stopped) -> None:
        """The order's answer; and later what the warehouse has cancelled by itself after all."""
        if self._answer is None:
            self._answer = message
        elif self.state.case.type is ReturnType.CANCEL_UNSHIPPED and workflow.patched(AFTER_ALL):
            self._answer = Stopped(units=(*self._answer.units, *message.units))
            if self._over:
                self._divide()
                self.state.log("system", "stopped after all", stopped=count(self.stopped), too_late=count(self.late))

    def have_left(self) -> None:
        """Nothing of what could not be stopped is at the warehouse any more."""
        self._may_leave, self._have_left = False, True

    def cannot_read(self) -> None:
        """What the order has answered, in whatever words."""
        self._garbled = True

    async def run(self) -> None:
        case = self.state.case
        if not case.unshipped or self._over:
            return
        self.state.now_waits_for("the warehouse, to stop it")
        await self._ask()
        self._divide()
        late = self.late
        self._may_leave = self._splits_off and bool(late) and self._answer is not None  # else the order has ended
        if self._may_leave and self._have_left and workflow.patched("left is not forgotten"):
            self._may_leave = False
        self._over = True
        self.state.log("system", "stopped at the warehouse", stopped=count(self.stopped), too_late=count(late))
        if late and case.type is ReturnType.CANCEL_UNSHIPPED:
            self.state.type = ReturnType.RETURN_REFUND  # a refused intercept turns the child into a return

    def _divide(self) -> None:
        """The case's units, by what the order has answered so far."""
        stopped = {unit for run in (self._answer.units if self._answer else ()) for unit in run.each()}
        mine = [unit for run in self.state.case.units for unit in run.each()]
        self.stopped = joined(ranges([unit for unit in mine if unit in stopped]))
        self.late = joined(ranges([unit for unit in mine if unit not in stopped]))

    async def _ask(self) -> None:
        case = self.state.case
        if case.order_ended:
            return
        if not self._asked:
            self._splits_off = case.type is ReturnType.REFUND_ONLY and workflow.patched("cut off for a return")
            if not await self._tell_order():
                return
        if not workflow.patched(BOUNDED):
            await self._branches.until(lambda: self._answer is not None)
        while self._answer is None or self._left_open(STOP):
            if not self._left_open(STOP):
                await self._wait_for_the_answer()
            if (self._answer is None or self._left_open(STOP)) and not await self._ask_a_person():
                return

    def _left_open(self, step: str) -> bool:
        """A person was asked by the run before."""
        return self.state.tickets.left_open(ORDERS, step) is not None

    async def _wait_for_the_answer(self) -> None:
        if self._answer_due is None:
            self._answer_due = workflow.now() + UNANSWERED
        await self._branches.until(
            lambda: self._answer is not None or self._garbled,
            by=self._answer_due - workflow.now(),
            name="the order's word on stopping",
        )
        self._answer_due = None

    async def _tell_order(self) -> bool:
        """False: it has ended, and nothing of it can be stopped any more."""
        case = self.state.case
        order = workflow.get_external_workflow_handle(order_workflow_id(case.order_no))
        try:
            message = StopForCase(return_no=self.state.return_no, units=case.units, split_off=self._splits_off)
            with under_way():
                await order.signal(STOP_FOR_CASE, message)
        except FailureError:
            return False
        self._asked = True
        return True

    async def _ask_a_person(self) -> bool:
        """True: the order answers, or is asked once more. False: nothing was stopped."""
        why = "its answer cannot be read" if self._garbled else "it has not answered"
        self._garbled = False
        resolution = await self.state.tickets.ask(
            ORDERS, STOP, f"order {self.state.order_no} was asked to stop what has not left; {why}",
            give_up_means="nothing counts as stopped: a person has stopped by hand what was not sent yet, and all "
            "else comes back like any other return; retry asks the order again",
            settled=lambda: self._answer is not None, evidence="the order has answered",
            actions=("retry", "give_up"), severity="urgent", wait=self._branches.until,
        )  # fmt: skip
        if resolution is None or resolution.action == "evidence":
            return True
        return resolution.action == "retry" and await self._tell_order()

    async def until_left(self, taken_back: Callable[[], bool]) -> None:
        """No money for what could still be stopped; what left after all leaves before it is paid for."""
        if self._left_open(LEFT_AFTER_ALL):
            await self._ask_whether_left(taken_back)
        elif self._may_leave:
            self.state.now_waits_for("what could not be stopped, to leave the warehouse")
            await self._branches.until(lambda: not self._may_leave or taken_back() or self._garbled)
            if self._may_leave and not taken_back() and workflow.patched(BOUNDED):
                await self._ask_whether_left(taken_back)

    async def _ask_whether_left(self, taken_back: Callable[[], bool]) -> None:
        """The order's word that it has left could not be read."""
        self._garbled = False
        resolution = await self.state.tickets.ask(
            ORDERS, LEFT_AFTER_ALL, f"order {self.state.order_no} has said something about what could not be stopped "
            "for this return, and it cannot be read: look whether it has left",
            give_up_means="it has left, or never will: the case goes on and pays",
            settled=lambda: not self._may_leave or taken_back(), evidence="the order has said so",
            actions=("give_up",), severity="urgent", wait=self._branches.until,
        )  # fmt: skip
        if resolution is not None:
            self._may_leave = False  # a person has said so

    def still_to_come(self, lines: tuple[ReturnedLine, ...]) -> tuple[ReturnedLine, ...]:
        """The case's lines without the units that were stopped."""
        gone = {unit for r in self.stopped for unit in r.each()}
        left = []
        for line in lines:
            units = [unit for r in line.units for unit in r.each() if unit not in gone]
            if units:
                left.append(line.model_copy(update={"units": joined(ranges(units))}))
        return tuple(left)


def ranges(units: list[tuple[str, int]]) -> tuple[UnitRange, ...]:
    return tuple(UnitRange(line_id=line_id, first_unit=unit, units=1) for line_id, unit in units)
