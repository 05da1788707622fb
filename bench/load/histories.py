"""What a workflow's history holds: the unit in which the server works."""

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

LOOPS = "WorkflowType != 'Order' AND WorkflowType != 'Return' AND WorkflowType != 'Empty'"


@dataclass(frozen=True)
class HistoryCount:
    events: int
    workflow_tasks: int
    failed_workflow_tasks: int
    activities: int
    local_activities: int
    signals: int
    payloads: int
    """Each was encoded once, and decoded by whoever read it."""
    bytes: int


async def count(handle: "WorkflowHandle[object, object]") -> HistoryCount:
    kinds: list[int] = []
    size = payloads = 0
    async for event in handle.fetch_history_events():
        kinds.append(event.event_type)
        size += event.ByteSize()
        payloads += sum(1 for _ in _payloads(event))
    return HistoryCount(
        events=len(kinds),
        workflow_tasks=kinds.count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
        failed_workflow_tasks=kinds.count(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
        + kinds.count(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT),
        activities=kinds.count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED),
        local_activities=kinds.count(EventType.EVENT_TYPE_MARKER_RECORDED),
        signals=kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED),
        payloads=payloads,
        bytes=size,
    )


def _payloads(message: Message) -> Iterator[Payload]:
    """However deep."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inner = [v for v in value.values() if isinstance(v, Message)]
        else:
            inner = [value] if isinstance(value, Message) else list(value)
        for one in inner:
            yield from _payloads(one)


async def events_of_loops(temporal: Client) -> dict[str, int]:
    """Of every workflow that belongs to no order, by run: what they spend, orders cause."""
    found: dict[str, int] = {}
    async for run in temporal.list_workflows(LOOPS):
        length = run.history_length
        if run.status is WorkflowExecutionStatus.RUNNING:
            length = (await temporal.get_workflow_handle(run.id, run_id=run.run_id).describe()).history_length
        found[run.run_id] = length
    return found
