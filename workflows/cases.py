"""What an order does about its after-sales cases, which are workflows of their own (workflows/returns.py).

A case tells the order when it opens and when it ends, and may ask it to stop parcels that have not left yet. An order
without cases does exactly what it always did: nothing here makes a command before a case speaks.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from domain.states import OrderStatus
from workflows.book import Book
from workflows.branches import Branches
from workflows.case_signals import (
    CASE_CLOSED,
    CASE_OPENED,
    STOP_FOR_CASE,
    STOPPED,
    CaseClosed,
    CaseOpened,
    StopForCase,
    Stopped,
    Units,
    return_workflow_id,
)
from workflows.family import Family


class Cases:
    """Open cases of one order, and what they have paid back."""

    def __init__(self, branches: Branches) -> None:
        self._branches = branches
        self._open: set[str] = set()
        self._ended: set[str] = set()
        self._since: datetime | None = None
        self._paused = timedelta()
        self._stopping = 0
        self._back: dict[str, int] = {}
        self._book: Book | None = None
        self._family: Family | None = None
        workflow.set_signal_handler(CASE_OPENED, self._opened)
        workflow.set_signal_handler(CASE_CLOSED, self._closed)
        workflow.set_signal_handler(STOP_FOR_CASE, self._stop)

    def serve(self, book: Book, family: Family) -> None:
        self._book, self._family = book, family

    @property
    def open_ones(self) -> tuple[str, ...]:
        return tuple(sorted(self._open))

    @property
    def quiet(self) -> bool:
        """No case is stopping parcels."""
        return self._stopping == 0

    # --- what cases say ----------------------------------------------------------------------------------------------

    def _opened(self, message: CaseOpened) -> None:
        if message.return_no in self._open | self._ended:
            return
        self._open.add(message.return_no)
        self._since = self._since or workflow.now()
        if message.stops_parcels:
            self._stopping += 1

    def _closed(self, message: CaseClosed) -> None:
        """A case that ends before its opening was heard counts as both."""
        if message.return_no in self._ended:
            return
        self._ended.add(message.return_no)
        if message.return_no in self._open and message.stops_parcels:
            self._stopping -= 1
        self._open.discard(message.return_no)
        if not self._open and self._since is not None:
            self._paused += workflow.now() - self._since
            self._since = None
        for line_id, qty in message.refunded.items():
            self._back[line_id] = self._back.get(line_id, 0) + qty

    def _stop(self, message: StopForCase) -> None:
        self._branches.take_on(self._stop_parcels(message))

    async def _stop_parcels(self, message: StopForCase) -> None:
        """Takes parcels off that consist of the case's units alone; the answer says what was stopped."""
        family = self._family
        stopped: list[Units] = []
        if family is not None:
            await workflow.wait_condition(lambda: bool(family.parcels))
            asked = {unit for units in message.units for unit in units.each()}
            for parcel in tuple(family.parcels.values()):
                units = family.units_of(parcel)
                if asked.issuperset(unit for run in units for unit in run.each()) and await parcel.cancel():
                    stopped += units
            family.roll_up()
        case = workflow.get_external_workflow_handle(return_workflow_id(message.return_no))
        with suppress(FailureError):  # the case has ended meanwhile
            await case.signal(STOPPED, Stopped(units=tuple(stopped)))

    # --- what the order does about it --------------------------------------------------------------------------------

    @property
    def everything_is_back(self) -> bool:
        """Cases have paid back every unit that was not cancelled before."""
        book = self._book
        if book is None or not self._back:
            return False
        return all(self._back.get(line.line_id, 0) >= self._kept(line.line_id, line.qty) for line in book.order.lines)

    def _kept(self, line_id: str, qty: int) -> int:
        parcels = self._family.parcels.values() if self._family else ()
        return qty - sum(p.plan.lines.get(line_id, 0) for p in parcels if p.cancelled)

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
        await self._branches.until(lambda: self.everything_is_back, by=length, name="after-sales window")
        self.close_if_all_is_back()

    def close_if_all_is_back(self) -> bool:
        if self._book is None or not self.everything_is_back:
            return False
        self._book.becomes(OrderStatus.CLOSED)
        return True
