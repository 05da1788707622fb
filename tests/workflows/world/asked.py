"""The other side of pulling: whom to ask, the systems that answer, and the inbox, each with a ledger of its own."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.connectors import Connector, SystemAnswer
from activities.polling import Pull, PullActivities
from domain.facts import Fact
from store.polling.due import Subject
from store.polling.poll_results import FindingStore
from store.polling.polling import PullStore, Scope, Tick
from tests.workflows.world.faults import Faults
from workflows.loops.polling import PULL_WORKFLOW, PullWorkflow

Loop = WorkflowHandle[Any, Any]


class Asked:
    """`open`: who can be asked about; `answers`: what their system would say, by number; `rows`: when each fact came
    into the inbox, by key. All times are the loop's own."""

    def __init__(self, spacing_s: int = 25) -> None:
        self.faults = Faults()
        self.open: dict[str, Subject] = {}
        self.answers: dict[str, Callable[[], tuple[Fact, ...]]] = {}
        self.rows: dict[str, datetime] = {}
        self.found: list[Fact] = []
        self.ticks: list[datetime] = []
        self.asked: list[str] = []
        self.tickets: list[str] = []
        self.failed = 0
        self._spacing_s = spacing_s

    def add(self, *order_nos: str) -> None:
        for no in order_nos:
            self.open[no] = Subject("payment", no, no)

    def activities(self) -> list[Any]:
        connectors = {"wechat": Connector(Scope("wechat", "money"), self._ask, self._spacing_s)}
        pull = PullActivities(cast(PullStore, self), cast(FindingStore, self), connectors, _clock)
        return [pull.tick]

    @asynccontextmanager
    async def pulling(
        self, env: WorkflowEnvironment, queue: str, **how: Any
    ) -> AsyncIterator[WorkflowHandle[Any, Any]]:
        """The loop, with a worker of its own. Time stands still until the test lets it pass."""
        async with Worker(
            env.client, task_queue=queue, workflows=[PullWorkflow], activities=self.activities(), build_id="tests"
        ):
            with env.with_time_skipping_disabled():
                handle: Loop = await env.client.start_workflow(
                    PULL_WORKFLOW, Pull(connector="wechat", **how), id=f"reconcile/{queue}", task_queue=queue
                )
            try:
                yield handle
            finally:
                await env.client.get_workflow_handle(handle.id).terminate()

    async def _ask(self, subject: Subject) -> SystemAnswer:
        self.asked.append(subject.number)
        self.faults.item("ask", "")
        self.faults.item("ask", subject.number)
        return SystemAnswer(self.answers.get(subject.number, tuple)())

    # --- in the store's place ----------------------------------------------------------------------------------------

    async def claim(self, scope: Scope, limit: int, spacing: timedelta, now: datetime) -> tuple[Subject, ...]:
        self.ticks.append(now)
        due = [s for s in self.open.values() if s.pulled_at is None or s.pulled_at <= now - spacing]
        for subject in due[:limit]:
            self.open[subject.number] = replace(subject, pulled_at=now)
        return tuple(due[:limit])

    async def give_back(self, connector: str, subjects: Sequence[Subject]) -> None:
        for subject in subjects:
            self.open[subject.number] = subject

    async def note(self, connector: str, tick: Tick, now: datetime, ticket_after: int) -> int:
        self.failed = self.failed + 1 if tick.error else 0
        if self.failed == ticket_after:
            self.tickets.append(tick.error)
        return self.failed

    async def put(self, found: Sequence[tuple[str, Fact]], scans: Sequence[Any], now: datetime) -> int:
        news = [fact for _, fact in found if fact.key not in self.rows]
        self.rows |= {fact.key: now for fact in news}
        self.found += news
        return len(news)


def _clock() -> datetime:
    return activity.info().current_attempt_scheduled_time


def answering(captured: Mapping[str, Fact], order_no: str) -> Callable[[], tuple[Fact, ...]]:
    """A channel that tells of an order's payment once there is one."""
    return lambda: (captured[order_no],) if order_no in captured else ()
