"""Whether the books and Temporal agree on what is going on, and whether what goes on gets anywhere.

Visibility and reads of the books lag behind each other: a difference counts only after the workflow was described and
the books were read once more.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.failure.v1 import Failure
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.converter import WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode

from store.open_work import OpenWorkStore
from store.pool import Pool
from wire.encrypted_payloads import UnreadablePayload

RUNNING = "ExecutionStatus = 'Running'"
OURS = ("order/", "return/")
AT_ONCE = 16
LONG = timedelta(minutes=3)
"""What takes longer than this without a result is told. A working step takes seconds."""
ATTEMPTS = 6
"""Our own activities try four times; whatever tries more often is retried without end."""


@dataclass(frozen=True)
class Trouble:
    """One thing that does not go on. `id`: the workflow's, or `inbox/` and the row's number."""

    id: str
    what: str
    next_step: str
    since: datetime | None = None


def _ignore(_: int) -> None:
    """Nobody watches."""


class OpenWork:
    """`now`: of the clock that the workflows run by."""

    def __init__(self, pool: Pool, temporal: Client, now: datetime, progress: Callable[[int], None] = _ignore) -> None:
        self._books = OpenWorkStore(pool)
        self._temporal = temporal
        self._now = now
        self._progress = progress

    async def all(self) -> tuple[Trouble, ...]:
        """Everything that is open in the books or runs in Temporal."""
        opened = {i async for page in self._books.open_ids() for i in page}
        running = {w.id async for w in self._temporal.list_workflows(RUNNING, page_size=1_000)}
        found = await self._look_at(opened | running)
        return (*found, *await self._unheard(None))

    async def one(self, order_no: str) -> tuple[Trouble, ...]:
        """One order with its cases."""
        return (*await self._look_at(await self._books.family(order_no)), *await self._unheard(order_no))

    async def _look_at(self, ids: Iterable[str]) -> tuple[Trouble, ...]:
        wanted, found, done = sorted(ids), list[Trouble](), 0
        for start in range(0, len(wanted), 500):
            page = wanted[start : start + 500]
            states = await self._described(page)
            found += await self._differences(page, states)
            found += [t for i in page if (raw := states[i]) is not None async for t in self._stuck(i, raw)]
            done += len(page)
            self._progress(done)
        return tuple(found)

    async def _described(self, ids: Sequence[str]) -> dict[str, Any]:
        """What the server says of each; None: it does not know it."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(workflow_id: str) -> Any:
            async with gate:
                try:
                    return await self._temporal.get_workflow_handle(workflow_id).describe()
                except RPCError as error:
                    if error.status is RPCStatusCode.NOT_FOUND:
                        return None
                    raise

        return dict(zip(ids, await asyncio.gather(*(one(i) for i in ids)), strict=True))

    async def _differences(self, ids: Sequence[str], states: dict[str, Any]) -> list[Trouble]:
        """The books are read after the server was asked: whoever ends says so to the books first."""
        books, found = await self._books.standing(ids), []
        for workflow_id in (i for i in ids if i.startswith(OURS)):
            state = states[workflow_id]
            runs = state is not None and state.status is WorkflowExecutionStatus.RUNNING
            if workflow_id not in books:
                if runs and self._now - state.start_time > LONG:
                    found.append(
                        Trouble(workflow_id, "runs, and is not in the books",
                                "look at it in the Web UI: its registering keeps failing", state.start_time)
                    )  # fmt: skip
                continue
            ended = books[workflow_id]
            if ended is None and not runs:
                status = "unknown to Temporal" if state is None else state.status.name.lower()
                found.append(
                    Trouble(workflow_id, f"open in the books, {status}",
                            "reset the workflow to its last good task, or settle it by hand and with the buyer",
                            None if state is None else state.close_time)
                )  # fmt: skip
            elif ended is not None and runs and self._now - ended > LONG:
                found.append(
                    Trouble(workflow_id, "ended in the books, still running",
                            "look at what it waits for in the Web UI", ended)
                )  # fmt: skip
        return found

    async def _stuck(self, workflow_id: str, state: Any) -> AsyncIterator[Trouble]:
        raw = state.raw_description
        if raw.HasField("pending_workflow_task"):
            task = raw.pending_workflow_task
            since = (task.original_scheduled_time or task.scheduled_time).ToDatetime(tzinfo=UTC)
            if self._now - since > LONG:
                yield Trouble(workflow_id, *_task(task), since)
        for activity in raw.pending_activities:
            if activity.attempt > ATTEMPTS:
                why = (await self._said(workflow_id, activity.last_failure))[:200] or "no reason given"
                what = f"activity {activity.activity_type.name} fails, attempt {activity.attempt}: {why}"
                yield Trouble(workflow_id, what, "repair what it calls; it goes on by itself")

    async def _said(self, workflow_id: str, failure: Failure) -> str:
        """The message, which may be encrypted; as it stands there where it cannot be read here."""
        context = WorkflowSerializationContext(namespace=self._temporal.namespace, workflow_id=workflow_id)
        try:
            error = await self._temporal.data_converter.with_context(context).decode_failure(failure)
        except UnreadablePayload:
            return failure.message
        return str(getattr(error, "message", error))

    async def _unheard(self, order_no: str | None) -> tuple[Trouble, ...]:
        return tuple(
            Trouble(
                f"inbox/{row.id}",
                f"message of {row.source} for order {row.order_no or 'unknown'} delivered, never heard",
                f"`oms event replay {row.id}`, then look at the order's workflow",
                row.delivered_at,
            )
            for row in await self._books.unheard(self._now - LONG, order_no)
        )


def _task(task: Any) -> tuple[str, str]:
    """What holds up a workflow task, and what to do."""
    if task.attempt > 1:
        return f"workflow task fails, attempt {task.attempt}", "read its failure in the Web UI, then repair the code"
    if task.HasField("started_time"):
        return "a local activity is retried in its workflow task", "look at the worker's log: the database, most likely"
    return "no worker takes its workflow task", "start a worker on its task queue"
