"""Whoever may write to the namespace, with any bytes; and what has become of the workflow that he wrote to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from tests.fuzz.shapes import Arguments

Handle = WorkflowHandle[Any, Any]
ANSWER_S = 30.0
AT_ONCE = 8
"""A workflow has at most ten updates in flight."""
REFUSED_BY_THE_SERVER = (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.RESOURCE_EXHAUSTED)
OF_THE_SERVER = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
)
"""Something has come meanwhile; or more than it keeps beside a task that is being done."""
RUNNING = WorkflowExecutionStatus.RUNNING


def plain(client: Client) -> Client:
    """Without anything that our own clients do beside."""
    return Client(**client.config() | {"interceptors": []})


async def all_of(sends: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Each in finite time, a few side by side."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(send: Callable[[], Awaitable[None]]) -> None:
        async with slots:
            try:
                async with asyncio.timeout(ANSWER_S):
                    await send()
            except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
                raise AssertionError(f"no answer in {ANSWER_S:.0f} s: {send}"[:300]) from None

    async with asyncio.TaskGroup() as group:
        for send in sends:
            group.create_task(one(send))


async def each_alone(sends: Iterable[Callable[[], Awaitable[None]]]) -> None:
    for send in sends:
        await all_of([send])


async def signal(handle: Handle, name: str, arguments: Arguments) -> None:
    try:
        await handle.signal(name, args=list(arguments))
    except RPCError as error:
        if error.status not in REFUSED_BY_THE_SERVER:
            raise


async def update(handle: Handle, name: str, arguments: Arguments) -> None:
    """Answered or refused."""
    try:
        await handle.execute_update(name, args=list(arguments))
    except WorkflowUpdateFailedError:
        pass
    except RPCError as error:
        if error.status not in REFUSED_BY_THE_SERVER:
            raise


async def query(handle: Handle, name: str, arguments: Arguments) -> None:
    """Answered or refused."""
    try:
        await handle.query(name, args=list(arguments))
    except WorkflowQueryFailedError:
        pass
    except RPCError as error:
        if error.status not in REFUSED_BY_THE_SERVER:
            raise


async def failed_tasks(client: Client, workflow_id: str) -> list[str]:
    """Why tasks of any of its runs failed by us, once none waits to be done."""
    handle = client.get_workflow_handle(workflow_id)
    async with asyncio.timeout(ANSWER_S):
        while (await handle.describe()).raw_description.HasField("pending_workflow_task"):
            if failed := [why async for why in _failures(client, workflow_id)]:
                return failed
            await asyncio.sleep(0.02)
    return [why async for why in _failures(client, workflow_id)]


async def _failures(client: Client, workflow_id: str) -> AsyncIterator[str]:
    last = await client.get_workflow_handle(workflow_id).describe()
    run_id: str | None = last.raw_description.workflow_execution_info.first_run_id
    while run_id:
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        for event in history.events:
            told = event.workflow_task_failed_event_attributes
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED and told.cause not in OF_THE_SERVER:
                yield f"{WorkflowTaskFailedCause.Name(told.cause)}: {told.failure.message}"
        over = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run_id = over.new_execution_run_id or None
