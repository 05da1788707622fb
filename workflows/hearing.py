"""What orders and cases share: they hear facts one after the other, and end when everything heard is written."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from temporalio import workflow

from domain.facts import Fact
from workflows.branches import Branches
from workflows.tickets import Tickets


class Writing(Protocol):
    """The book of an order or of a case."""

    tickets: Tickets

    @property
    def all_saved(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    def now_waits_for(self, what: str) -> None: ...
    async def write(self, *, ended: bool = False) -> None: ...


class Hearing:
    """Facts from machines, in the order in which they came; kept until their workflow listens."""

    def __init__(self, hear: Callable[[Fact], None]) -> None:
        self._hear = hear
        self._waiting: deque[Fact] = deque()

    @property
    def silent(self) -> bool:
        return not self._waiting

    def take(self, facts: Iterable[Fact]) -> None:
        self._waiting.extend(facts)

    async def listen(self) -> None:
        while True:
            await workflow.wait_condition(lambda: bool(self._waiting))
            while self._waiting:
                self._hear(self._waiting.popleft())


async def write_everything(book: Writing, hearing: Hearing, branches: Branches) -> None:
    """Returns when nothing is left to hear, to write, to do, to answer, or to ask a person, and the book is closed."""

    def drained() -> bool:
        idle = book.all_saved and hearing.silent and not (branches.busy or book.tickets.attention)
        return idle and workflow.all_handlers_finished()

    while not (book.ended and drained()):
        await branches.until(drained)
        book.now_waits_for("nothing")
        await book.write(ended=True)  # what comes in meanwhile is heard all the same, and written after it
