"""An order that moves by the transition table of a scenario file, in production's place: same id, signal and books.

Production's own axes are fixed; a file may bring any table. Facts come as they do to every order: inbox, relay, signal;
what becomes of each is written by the same `OrderState` into the same tables.
"""

import asyncio
from collections import deque

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from bench.scenarios.transitions import Event, Move, Progress, Table, receive
    from domain.facts import Fact
    from domain.order import StartOrder
    from domain.states import Outcome
    from domain.strict import Strict
    from workflows.messages import FactBatch
    from workflows.order.placement import register
    from workflows.order.state import OrderState

FILE_ORDER = "FileOrder"


class Row(Strict):
    origins: tuple[str, ...]
    to: str


class FileOrderStart(Strict):
    """`moves`: the table, by event type; `rank`: its states from first to last."""

    order: StartOrder
    moves: dict[str, Row]
    rank: tuple[str, ...]
    state: str


@workflow.defn(name=FILE_ORDER)
class FileOrder:
    """A fact's `key` is the event's id, its `note` the event's type in the words of the file."""

    @workflow.init
    def __init__(self, start: FileOrderStart) -> None:
        self._state = OrderState(start.order)
        self._table = Table({kind: Move(row.origins, row.to) for kind, row in start.moves.items()}, start.rank)
        self._progress = Progress(start.state)
        self._facts: dict[str, Fact] = {}
        self._inbox: deque[Fact] = deque()

    @workflow.run
    async def run(self, start: FileOrderStart) -> None:
        registered = await register(start.order)
        self._state.priced, self._state.policy = registered.priced, registered.policy
        projecting = asyncio.ensure_future(self._state.run_projector())
        while not projecting.done():
            await workflow.wait_condition(lambda: bool(self._inbox))
            while self._inbox:
                self._apply(self._inbox.popleft())

    @workflow.signal
    def facts(self, batch: FactBatch) -> None:
        self._inbox.extend(batch.facts)

    @workflow.query
    def state(self) -> str:
        return self._progress.state

    def _apply(self, fact: Fact) -> None:
        progress, before = self._progress, self._progress.state
        stale = len(progress.recorded_stale)
        released = len(progress.held_then_applied)
        self._facts.setdefault(fact.key, fact)
        outcome = receive(self._table, progress, Event(fact.key, fact.note))
        self._record(fact, outcome, before)
        for key in progress.held_then_applied[released:]:
            self._record(self._facts[key], Outcome.APPLIED, before)
        for key in progress.recorded_stale[stale:]:
            if key != fact.key:
                self._record(self._facts[key], Outcome.STALE, before)

    def _record(self, fact: Fact, outcome: Outcome, before: str) -> None:
        self._state.record(fact, outcome, before, self._progress.state, None, fact.note)
