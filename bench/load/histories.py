"""What a workflow's history holds: the unit in which the server works."""

from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle


@dataclass(frozen=True)
class HistoryCount:
    events: int
    workflow_tasks: int
    failed_workflow_tasks: int
    activities: int
    local_activities: int
    signals: int
    bytes: int


async def count(handle: "WorkflowHandle[object, object]") -> HistoryCount:
    kinds: list[int] = []
    size = 0
    async for event in handle.fetch_history_events():
        kinds.append(event.event_type)
        size += event.ByteSize()
    return HistoryCount(
        events=len(kinds),
        workflow_tasks=kinds.count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
        failed_workflow_tasks=kinds.count(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
        + kinds.count(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT),
        activities=kinds.count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED),
        local_activities=kinds.count(EventType.EVENT_TYPE_MARKER_RECORDED),
        signals=kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED),
        bytes=size,
    )
