"""What orders and returns share: facts are applied one after the other, and the end waits until all is written."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from temporalio import workflow

from domain.facts import Fact
from domain.states import Outcome
from workflows.durable.branches import Branches
from workflows.durable.carrying import Table, Through
from workflows.durable.journal import Journal
from workflows.durable.seals import NOBODY, Foreign
from workflows.durable.signals import Unread, UnreadSignals

NOT_APPLIED = "event not applied"


def apply_alone(journal: Journal[Any], fact: Fact, apply: Callable[[Fact], None]) -> None:
    """Whatever the world says, it stops neither the workflow nor the facts beside it. What breaks here is a mistake of
    ours: loud for people, with the fact's key."""
    try:
        apply(fact)
    except Exception as error:
        workflow.logger.exception("a fact cannot be applied", extra={"key": fact.key})
        status, name = journal.status.value, type(error).__name__
        journal.record(fact, Outcome.MISMATCH, status, status, None, f"not applied: {name}")
        journal.tickets.open(
            fact.source, NOT_APPLIED, f"{fact.kind.value} {fact.key}: {name}: {error}"[:500],
            give_up_means="the event moves nothing more; a person has compared the order with its source by hand",
            actions=("give_up",), severity="urgent",
        )  # fmt: skip


class EventQueue:
    """Facts from machines, in the order in which they came; kept until their workflow is ready for them. So is what
    could not be read."""

    CARRIED = Table(
        _asked=Through("_pack_asked", "_unpack_asked"),
        left={
            "_apply": "wiring", "_waiting": "empty when a run is handed over", "_unread": "its questions: `_asked`",
            "_foreign": "counted anew",
        },
    )  # fmt: skip

    def __init__(self, apply: Callable[[Fact], None]) -> None:
        self._apply = apply
        self._waiting: deque[Fact | Unread | Foreign] = deque()
        self._unread: UnreadSignals | None = None
        self._asked: dict[str, Any] = {}
        """Questions of the run before about what could not be read."""
        self._foreign = 0

    @property
    def empty(self) -> bool:
        return not self._waiting

    def take(self, told: Iterable[Fact | Unread | Foreign]) -> None:
        self._waiting.extend(told)

    async def consume(self, journal: Journal[Any]) -> None:
        """Runs for the life of the workflow."""
        unread = self._unread = UnreadSignals(journal)
        unread.unpack(self._asked)
        while True:
            await workflow.wait_condition(lambda: bool(self._waiting))
            while self._waiting:
                told = self._waiting.popleft()
                if isinstance(told, Foreign):
                    self._refuse(journal, told)
                elif isinstance(told, Unread):
                    unread.ask(told)
                else:
                    unread.heard(told)
                    self._apply(told)

    def _refuse(self, journal: Journal[Any], told: Foreign) -> None:
        """Nothing moves. Counted, with an audit row for the 1st, 10th, 100th, …: a flood fills no table."""
        self._foreign += 1
        if str(self._foreign).strip("0") == "1":
            journal.audit(NOBODY, "signal.refused", signal=told.name, count=self._foreign)

    def _pack_asked(self) -> dict[str, Any]:
        return self._unread.packed() if self._unread else self._asked

    def _unpack_asked(self, asked: dict[str, Any]) -> None:
        self._asked = asked


async def write_everything(journal: Journal[Any], events: EventQueue, branches: Branches) -> None:
    """Returns when nothing is left to apply, to write, to do, to answer, or to ask a person, and the last
    write has said so."""

    def drained() -> bool:
        idle = journal.all_flushed and events.empty and not (branches.busy or journal.tickets.attention)
        return idle and workflow.all_handlers_finished()

    while not (journal.ended and drained()):
        await branches.until(drained)
        journal.now_waits_for("nothing")
        await journal.write(ended=True)  # what comes in meanwhile is applied all the same, and written after it
