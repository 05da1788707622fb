"""What an order and a return do alike: they note what has changed, and one projector writes it.

Changes made in the same activation travel in one write, which rides in the workflow task as a local activity: one
history event (docs/performance.md, Durable steps).
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import ActivityError

from activities.store import Stalled, StoreActivities
from domain.facts import Fact
from domain.records import AuditEntry, EventRecord, RefundRecord, StockMove, TicketRecord
from domain.states import Outcome
from workflows.durable.carrying import Own, Table
from workflows.durable.details import Axis, Details
from workflows.durable.local_steps import STALLED_RETRY, STORE_ERRORS, STORE_TIMEOUT
from workflows.durable.search_attributes import CHANNEL, NEEDS_ATTENTION, STATUS
from workflows.durable.stalls import Stalls
from workflows.durable.tickets import Tickets
from workflows.durable.written import Pending, Written

Write = TypeVar("Write", bound=Written)
Answer = TypeVar("Answer")


class Journal(ABC, Generic[Write]):
    """The state of one workflow, and what of it is not written yet. `number`: the order's, or the return's."""

    status: StrEnum
    CARRIED = Table(
        waiting_for=str,
        tickets=Own(),
        _seq=int,
        _at=datetime,
        left={
            "_number": "of the start message",
            "stalls": "a step in the store is under way while one waits",
            "ended": "the last write says it once more",
            "_details": "only shown; a new run says that it was so before",
            "_events": "written", "_moves": "written", "_refunds": "written", "_audit": "written",
            "_changed": "all is written: counted anew", "_taken": "counted anew", "_flushed": "counted anew",
            "_settling": "nothing is settled while a run ends", "_carrying": "no step is under way",
        },
    )  # fmt: skip

    def __init__(self, number: str) -> None:
        self._number = number
        self.waiting_for = "registration"
        self.tickets = Tickets(number, self.mark_changed)
        self.stalls = Stalls(self.tickets, self.show, self._tell_stalled)
        self._details = Details()
        self.ended = False
        """The latest write says that nothing follows."""
        self._events: list[EventRecord] = []
        self._moves: list[StockMove] = []
        self._refunds: list[RefundRecord] = []
        self._audit: list[AuditEntry] = []
        self._seq = 0
        self._at = datetime.min.replace(tzinfo=UTC)
        """Of the latest write: writes are ordered by time, and time never goes back here."""
        self._changed = 0
        self._taken = 0
        self._flushed = 0
        self._settling = False
        """The next step will carry the changes itself."""
        self._carrying = 0
        """Steps under way that carry changes themselves; they may overlap and end in any order."""

    # --- what has happened -------------------------------------------------------------------------------------------

    def mark_changed(self) -> None:
        self._changed += 1

    def now_waits_for(self, what: str) -> None:
        if what != self.waiting_for:
            self.waiting_for = what
            self.mark_changed()

    def event(self, record: EventRecord) -> None:
        """What became of something that was told."""
        self._events.append(record)
        self.mark_changed()

    def moves(self, *moves: StockMove) -> None:
        self._moves.extend(moves)
        self.mark_changed()

    # --- writing it down ---------------------------------------------------------------------------------------------

    @property
    def all_flushed(self) -> bool:
        return self._flushed >= self._changed

    async def run_projector(self) -> None:
        """Runs for the life of the workflow: one write per activation in which something changed."""
        while True:
            await workflow.wait_condition(lambda: self._changed > self._taken and not self.deferred)
            await asyncio.sleep(0)  # others that the same event has woken go first: their changes ride along
            if not self.deferred:
                await self.write()

    @property
    def deferred(self) -> bool:
        """A step carries the changes: the projector leaves them to it."""
        return self._settling or self._carrying > 0

    async def flushed(self) -> None:
        """Returns once everything changed so far is committed."""
        target = self._changed
        await workflow.wait_condition(lambda: self._flushed >= target)

    def defer_writes(self, deferred: bool = True) -> None:
        """From now on, or no longer."""
        self._settling = deferred

    @contextmanager
    def writes_deferred(self) -> Iterator[None]:
        """While a block lasts; of several the last one to end lets the projector write again."""
        self._carrying += 1
        try:
            yield
        finally:
            self._carrying -= 1

    async def write(self, *, ended: bool = False) -> None:
        """Returns when the store has taken it. What it refuses is for a person; what is heard meanwhile waits."""
        while True:
            try:
                await self.commit_with(self._write, ended=ended)
                return
            except STORE_ERRORS as error:
                if self._put_right(error):
                    continue
                if not workflow.patched("refused writes are asked about"):
                    raise RuntimeError(f"the books refuse a write of {self._kind} {self._number}: {error}") from error
                why = str(error.cause if isinstance(error, ActivityError) and error.cause else error)
            if await self.stalls.refused(self._named(), why, left_out=self._may_be_left_out) == "give_up":
                self._moves, self._refunds = [], []

    def _put_right(self, error: Exception) -> bool:
        """True: what the store has refused is not told by the next write."""
        return False

    def _named(self) -> str:
        """What the next write tells, for a person."""
        said = [f"{e.kind} {e.key}" for e in self._events]
        said += [f"{m.kind} of {m.qty} {m.sku} in {m.warehouse} ({m.ref})" for m in self._moves]
        said += [f"refund {r.refund_no} {r.status.value}" for r in self._refunds]
        return f"write of {self._kind} {self._number} ({'; '.join(said[:6]) or 'its state'})"[:300]

    @property
    def _may_be_left_out(self) -> str:
        if not (self._moves or self._refunds):
            return ""
        return "its stock moves and refund news are left out: a person has booked them by hand; all else is written"

    def duty_broke(self, error: Exception) -> None:
        """What was taken on is not done: a person does it, or has it done."""
        self.tickets.open(
            self._kind + "s", "step broken off", f"{type(error).__name__}: {error}"[:500],
            give_up_means="a person has looked how far it came and has finished it by hand",
            actions=("give_up",), severity="urgent",
        )  # fmt: skip

    def drop(self, refund: RefundRecord) -> None:
        """The books have refused it: the next write does not ask for it again."""
        self._refunds = [kept for kept in self._refunds if kept != refund]

    async def commit_with(self, step: Callable[[Write], Awaitable[Answer]], *, ended: bool = False) -> Answer:
        """Everything changed so far rides in `step`, which commits it in its own transaction."""
        mark = self._taken = self._changed
        message = self._take(ended)
        self.show()
        try:
            answer = await step(message)
        except STORE_ERRORS:
            self._put_back(message)
            raise
        self._flushed = max(self._flushed, mark)
        return answer

    def _tell_stalled(self, ticket: TicketRecord) -> workflow.ActivityHandle[None]:
        order_no, return_no = self._numbers
        return workflow.start_activity_method(
            StoreActivities.stalled,
            Stalled(order_no=order_no, return_no=return_no, ticket=ticket, at=workflow.now()),
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STALLED_RETRY,
            summary=f"ticket {ticket.ticket_id}",
        )

    # --- of each kind its own ----------------------------------------------------------------------------------------

    @abstractmethod
    def record(
        self, fact: Fact, outcome: Outcome, before: str, after: str, child_no: str | None, note: str = ""
    ) -> None:
        """What became of a fact."""

    @abstractmethod
    def audit(self, actor: str, action: str, **detail: Any) -> None:
        """Who has done what, or tried to."""

    @abstractmethod
    def refund(self, refund: RefundRecord) -> None:
        """How one of its refunds stands now."""

    @property
    @abstractmethod
    def _kind(self) -> str:
        """`order` or `return`."""

    @property
    @abstractmethod
    def _numbers(self) -> tuple[str, str | None]:
        """Of the order; of the return, when it is one."""

    @abstractmethod
    async def _write(self, message: Write) -> None:
        """Into the store, and nothing else."""

    @abstractmethod
    def _take(self, ended: bool) -> Write:
        """The changes as one message; what was changed starts anew."""

    def _take_pending(self, ended: bool) -> Pending:
        self._seq += 1
        self._at = max(self._at, workflow.now())
        self.ended = ended
        t = self.tickets
        taken = Pending(
            seq=self._seq,
            at=self._at,
            waiting_for=self.waiting_for,
            needs_attention=t.attention,
            ended=ended,
            events=tuple(self._events),
            moves=tuple(self._moves),
            refunds=tuple(self._refunds),
            tickets=tuple(t.opened),
            resolutions=tuple(t.resolved),
            audit=(*self._audit, *t.audit),
        )
        self._events, self._moves, self._refunds, self._audit = [], [], [], []
        t.opened, t.resolved, t.audit = [], [], []
        return taken

    def _put_back(self, message: Write) -> None:
        """Changes of a write that the store refused. A refund that was refused itself is dropped by who reserved it."""
        self._events = [*message.events, *self._events]
        self._moves = [*message.moves, *self._moves]
        self._refunds = [*message.refunds, *self._refunds]
        self._audit = [*message.audit, *self._audit]
        self.tickets.opened = [*message.tickets, *self.tickets.opened]
        self.tickets.resolved = [*message.resolutions, *self.tickets.resolved]
        self.mark_changed()

    # --- showing it to operators -------------------------------------------------------------------------------------

    def show(self) -> None:
        """Current details for the Web UI, and one search-attribute event per visible change."""
        goes_on = workflow.info().continued_run_id is not None
        lines = self._details.table(self._axes(), workflow.now(), goes_on=goes_on)
        lines += [
            f"- ticket {t.record.ticket_id}: {t.record.system} {t.record.step}: {t.record.error}"
            for t in self.tickets.open_ones.values()
        ]
        workflow.set_current_details("\n".join(lines))
        wanted: list[SearchAttributeUpdate[Any]] = [
            STATUS.value_set(self.status.value),
            CHANNEL.value_set(self._channel),
            NEEDS_ATTENTION.value_set(self.tickets.attention),
        ]
        current = workflow.info().typed_search_attributes
        if changes := [pair for pair in wanted if current.get(pair.key) != pair.value]:
            workflow.upsert_search_attributes(changes)

    @property
    @abstractmethod
    def _channel(self) -> str:
        """Where it was bought."""

    def _axes(self) -> list[Axis]:
        """What the Web UI tells apart."""
        return [Axis(self._kind, self.status.value, self.waiting_for)]
