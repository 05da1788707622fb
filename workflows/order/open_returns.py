"""What an order does about its after-sales cases, which are workflows of their own (workflows/returns/workflow.py).

A case tells the order when it opens and when it ends, and may ask it to stop parcels that have not left yet. An order
without cases does exactly what it always did: nothing here makes a command before a case speaks.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from domain.states import OrderStatus
from domain.units import UnitRange, without
from workflows.durable.branches import Branches
from workflows.durable.carrying import ByType, Table
from workflows.durable.continuing import under_way
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.parcels import Parcels
from workflows.order.parcels.stop_claim import Claimant
from workflows.order.set_aside import SetAside
from workflows.order.state import OrderState
from workflows.order_return_signals import (
    LEFT,
    STOPPED,
    CaseClosed,
    CaseOpened,
    Left,
    StopForCase,
    Stopped,
    return_workflow_id,
)

ONE_STOP_A_CASE = "a case has one stop at a time, and what it stops too late goes on"

AFTER_ALL = "a case hears what was stopped after all"
LEFT_TO_IT = "what a warehouse cancels belongs to the case that has its units"


class OpenReturns:
    """Open cases of one order, and what they have paid back."""

    CARRIED = Table(
        _open=ByType(list[str], sorted, set),
        _ended=ByType(list[str], sorted, set),
        _since=datetime | None,
        _paused=timedelta,
        _stopping=int,
        _back=dict[str, int],
        _late=dict[str, tuple[UnitRange, ...]],
        _wanted=dict[str, tuple[UnitRange, ...]],
        _not_asked=dict[str, tuple[UnitRange, ...]],
        _window_ends=datetime | None,
        left={
            "_branches": "wiring", "_state": "wiring", "_parcels": "wiring", "_set_aside": "its own part",
            "_being_stopped": "no run ends while something is being stopped",
            "_stops_under_way": "no run ends while something is being stopped",
        },
    )  # fmt: skip

    def __init__(self, branches: Branches) -> None:
        self._branches = branches
        self._open: set[str] = set()
        self._ended: set[str] = set()
        self._since: datetime | None = None
        self._paused = timedelta()
        self._stopping = 0
        self._back: dict[str, int] = {}
        self._being_stopped = 0
        self._stops_under_way: set[str] = set()
        """Cases whose parcels the warehouse has been asked about."""
        self._late: dict[str, tuple[UnitRange, ...]] = {}
        """Units by case that could not be stopped, while the case waits for them to leave."""
        self._wanted: dict[str, tuple[UnitRange, ...]] = {}
        """Units by open case that it has asked to be stopped."""
        self._not_asked: dict[str, tuple[UnitRange, ...]] = {}
        """Units that had not left by open case that asks for their stop once it is agreed to."""
        self._window_ends: datetime | None = None
        self._state: OrderState | None = None
        self._parcels: Parcels | None = None
        self._set_aside: SetAside | None = None

    def serve(self, state: OrderState, parcels: Parcels, set_aside: SetAside) -> None:
        self._state, self._parcels, self._set_aside = state, parcels, set_aside
        parcels.leave_to_a_return = self._left_to_a_case
        set_aside.also_wanted = self._next_with

    @property
    def open_ones(self) -> tuple[str, ...]:
        return tuple(sorted(self._open))

    @property
    def quiet(self) -> bool:
        """No case is stopping parcels."""
        return self._stopping == 0

    # --- what cases say ----------------------------------------------------------------------------------------------

    def case_opened(self, message: CaseOpened) -> None:
        if message.return_no in self._open | self._ended:
            return
        self._open.add(message.return_no)
        self._since = self._since or workflow.now()
        if message.units:
            self._not_asked[message.return_no] = message.units
        if message.stops_parcels:
            self._stopping += 1

    def case_closed(self, message: CaseClosed) -> None:
        """A case that ends before its opening was heard counts as both."""
        if message.return_no in self._ended:
            return
        self._ended.add(message.return_no)
        if message.return_no in self._open and message.stops_parcels:
            self._stopping -= 1
        self._open.discard(message.return_no)
        self._wanted.pop(message.return_no, None)
        self._not_asked.pop(message.return_no, None)
        if not self._open and self._since is not None:
            self._paused += workflow.now() - self._since
            self._since = None
        for line_id, qty in message.refunded.items():
            self._back[line_id] = self._back.get(line_id, 0) + qty
        if self._set_aside is None:
            return
        if self._set_aside.holds_for(message.return_no):
            self._branches.take_on(self._set_aside.case_ended(message.return_no, message.paid_back))
        else:
            self._set_aside.paid_by_another(message.paid_back)

    @property
    def nothing_is_being_stopped(self) -> bool:
        return self._being_stopped == 0

    def go_on(self) -> None:
        """In a new run, with what the cases wait for."""
        for return_no in self._late:
            self._branches.take_on(self._tell_when_left(return_no))

    def stop_for_case(self, message: StopForCase) -> None:
        if message.return_no in self._stops_under_way and workflow.patched(ONE_STOP_A_CASE):
            return  # asked again, by a person whom it takes too long: it hears what becomes of the first
        self._stops_under_way.add(message.return_no)
        self._not_asked.pop(message.return_no, None)
        if message.return_no not in self._ended:
            self._wanted[message.return_no] = message.units
        self._being_stopped += 1
        self._branches.take_on(self._stop_parcels(message))

    def _left_to_a_case(self, parcel: Parcel) -> bool:
        """The warehouse has cancelled it by itself, after it could not be stopped: a case that has some of its units
        pays them, and what it does not pay goes back when it has ended."""
        return_no = self._next_with("", parcel.state.runs)
        if return_no is None or self._set_aside is None or not workflow.patched(LEFT_TO_IT):
            return False
        self._set_aside.stand_still_for(return_no, parcel)
        if workflow.patched(AFTER_ALL):
            some = set(_each(parcel.state.runs))
            for case, runs in self._wanted.items():
                if case not in self._stops_under_way and some.intersection(_each(runs)):
                    self._branches.take_on(self._tell_stopped(case, parcel.state.runs))
        return True

    def _next_with(self, but: str, units: tuple[UnitRange, ...]) -> str | None:
        """An open case, other than `but`, that has asked for some of these units to be stopped, or will."""
        some = set(_each(units))
        mine = (self._wanted | self._not_asked).items()
        wanted = (case for case, runs in mine if case != but and some.intersection(_each(runs)))
        return next(wanted, None)

    async def _stop_parcels(self, message: StopForCase) -> None:
        """Parcels stand still for the case; the answer says which units do."""
        try:
            late = await self._stop_and_answer(message)
        finally:
            self._being_stopped -= 1
            self._stops_under_way.discard(message.return_no)
        if late:
            await self._tell_when_left(message.return_no)

    async def _stop_and_answer(self, message: StopForCase) -> tuple[UnitRange, ...]:
        """Units that could not be stopped, where the case waits for them to leave."""
        parcels, set_aside = self._parcels, self._set_aside
        stopped: tuple[UnitRange, ...] = ()
        if parcels is not None and set_aside is not None:
            await parcels.exist()
            if workflow.patched("set aside for a return"):
                stopped = await set_aside.stop(message)
                if stopped and message.return_no in self._ended and workflow.patched(ONE_STOP_A_CASE):
                    self._branches.take_on(set_aside.case_had_ended(message.return_no))
                    return ()
            else:
                stopped = await self._take_off(parcels, message)
        await self._tell_stopped(message.return_no, stopped)
        late = without(message.units, stopped) if message.split_off and set_aside is not None else ()
        if late:
            self._late[message.return_no] = late
        return late

    async def _tell_stopped(self, return_no: str, units: tuple[UnitRange, ...]) -> None:
        case = workflow.get_external_workflow_handle(return_workflow_id(return_no))
        with under_way(), suppress(FailureError):  # the case has ended meanwhile
            await case.signal(STOPPED, Stopped(units=units))

    async def _take_off(self, parcels: Parcels, message: StopForCase) -> tuple[UnitRange, ...]:
        """How it was done before a stop could be undone."""
        stopped: list[UnitRange] = []
        asked = {unit for units in message.units for unit in units.each()}
        for parcel in (parcel for some in parcels.as_they_come() for parcel in some):
            units = parcels.units_of(parcel)
            if asked.issuperset(unit for run in units for unit in run.each()):
                stopped += units if await parcel.cancel(Claimant.RETURN) else ()
        parcels.roll_up()
        return tuple(stopped)

    async def _tell_when_left(self, return_no: str) -> None:
        """A case that wants no goods back pays for what could not be stopped once it cannot be stopped any more."""
        assert self._set_aside is not None
        late = self._late[return_no]
        await workflow.wait_condition(self._set_aside.has_left(unit for run in late for unit in run.each()))
        case = workflow.get_external_workflow_handle(return_workflow_id(return_no))
        with under_way(), suppress(FailureError):
            await case.signal(LEFT, Left(return_no=return_no))
        self._late.pop(return_no, None)

    # --- what the order does about it --------------------------------------------------------------------------------

    @property
    def everything_is_back(self) -> bool:
        """Cases have paid back every unit that was not cancelled before."""
        state = self._state
        if state is None or not self._back:
            return False
        back, cancelled = self._back, self._cancelled()
        return all(back.get(x.line_id, 0) >= x.qty - cancelled.get(x.line_id, 0) for x in state.order.lines)

    def _cancelled(self) -> dict[str, int]:
        """Units by line."""
        found: dict[str, int] = {}
        for parcel in self._parcels.by_number.values() if self._parcels else ():
            if parcel.state.cancelled:
                for line_id, qty in parcel.state.plan.lines.items():
                    found[line_id] = found.get(line_id, 0) + qty
        return found

    async def receipt(self, due: datetime, confirmed: Callable[[], bool]) -> None:
        """Until the buyer confirms or the time is up; time with an open case does not count (R43, Timers)."""

        def over() -> bool:
            return confirmed() or self.everything_is_back

        while True:
            left = due + self._paused - workflow.now()
            await self._branches.until(over, by=left, name="automatic receipt")
            if over() or (not self._open and due + self._paused <= workflow.now()):
                return
            await self._branches.until(lambda: over() or not self._open)

    async def window(self, length: timedelta) -> None:
        if self._window_ends is None:
            self._window_ends = workflow.now() + length
        left = self._window_ends - workflow.now()
        await self._branches.until(lambda: self.everything_is_back, by=left, name="after-sales window")
        self.close_if_all_is_back()

    def close_if_all_is_back(self) -> bool:
        if self._state is None or not self.everything_is_back:
            return False
        self._state.becomes(OrderStatus.CLOSED)
        return True


def _each(runs: Iterable[UnitRange]) -> Iterator[tuple[str, int]]:
    return (unit for run in runs for unit in run.each())
