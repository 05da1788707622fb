"""Steps in our own store that fail for minutes: a question that closes by itself when the store takes them again.

The ticket cannot ride in the next write: that write is what stalls, or waits behind it. It shows in the current details
and the search attribute at once, and is told to the books by an activity of its own, which waits for them without end.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from temporalio import workflow

from domain.records import TicketRecord
from workflows.durable.continuing import under_way
from workflows.durable.tickets import Action, Ticket, Tickets

REFUSED = "refused by our books"
ANSWERS_AGAIN = "the store has taken the step"
Told = workflow.ActivityHandle[Any]


class Stalls:
    """Of one workflow: one question, however many of its steps wait."""

    def __init__(self, tickets: Tickets, show: Callable[[], None], tell: Callable[[TicketRecord], Told]) -> None:
        self._tickets = tickets
        self._show = show
        self._tell = tell
        self._waiting = 0
        self._ticket: Ticket | None = None
        self._telling: Told | None = None

    @contextmanager
    def one(self, step: str, why: str) -> Iterator[Ticket]:
        """While one step waits."""
        self._waiting += 1
        try:
            yield self._asked(step, why)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._over()

    def _asked(self, step: str, why: str) -> Ticket:
        if self._ticket is None or self._ticket.resolution is not None:
            self._stop_telling()
            self._ticket = self._tickets.open(
                "store", "step in our books", f"{step}: {why}"[:500],
                give_up_means="nothing: the step is tried until the books take it",
                actions=("retry",), severity="urgent",
            )  # fmt: skip
            self._show()
            self._telling = self._tell(self._ticket.record)
        return self._ticket

    async def refused(self, step: str, why: str, *, left_out: str = "") -> Action:
        """The store will not take a step, however often it is told: returns a person's answer. `left_out`: what may be
        given up of it; empty: nothing."""
        ticket = self._tickets.open(
            "store", REFUSED, f"{step}: {why}"[:500],
            give_up_means=left_out or "nothing: the step is tried again when somebody has put the books right",
            actions=("retry", "give_up") if left_out else ("retry",), severity="urgent",
        )  # fmt: skip
        self._show()
        telling = self._tell(ticket.record)
        try:
            with under_way():  # no run ends meanwhile: the next one would take the step, and ask once more
                await workflow.wait_condition(lambda: ticket.resolution is not None)
        finally:
            telling.cancel()
        assert ticket.resolution is not None
        return "give_up" if ticket.resolution.action == "give_up" else "retry"

    def _over(self) -> None:
        if self._ticket is not None and self._ticket.resolution is None:
            self._tickets.close_on_evidence(self._ticket, ANSWERS_AGAIN)
        self._ticket = None
        self._stop_telling()

    def _stop_telling(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
