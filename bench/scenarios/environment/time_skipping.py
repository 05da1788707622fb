"""Skipped time. Every workflow has a clock of its own; an environment keeps all of its clocks together.

The server's time-skipping API is experimental: this file is the only one here that knows it. A clock runs at the pace
of the real one until it is moved forward, and stands still, in effect, while an activity is in flight.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, PendingActivityState, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseRequest,
    StartWorkflowExecutionResponse,
)
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    UpdateWithStartStartWorkflowInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper

REAL_S = 30.0
"""No step of a play may take longer on the real clock."""
TELLING = timedelta(seconds=1)
TOLD = EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
ENDS = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)


class Clocks:
    """`skipped`: how far the environment is ahead of the real clock. What is started later starts at its time."""

    def __init__(self, client: Client) -> None:
        """`client` stays untouched; `self.client` starts workflows at the time of the environment."""
        self.skipped = timedelta(0)
        self._skipper = TimeSkipper(client)
        settings = client.config()
        settings["interceptors"] = [*settings["interceptors"], _AtHouseTime(self)]
        self.client = Client(**settings)
        self._handles: dict[str, WorkflowHandle[Any, Any]] = {}
        self._silent: dict[str, tuple[str, int]] = {}
        """By workflow: the run, and the length of its history, in which no signal was on its way."""

    def now(self) -> datetime:
        """The time of the environment, which may be a little behind that of a workflow that has waited for others."""
        return datetime.now(UTC) + self.skipped

    async def follow(self, workflow_id: str, behind: timedelta = timedelta(0)) -> None:
        handle = self._handles[workflow_id] = self.client.get_workflow_handle(workflow_id)
        if behind:
            await self._skipper.fast_forward(handle, behind)

    def leave(self, workflow_id: str) -> None:
        """Its clock is not moved any more."""
        del self._handles[workflow_id]

    async def pass_until(self, moment: datetime) -> None:
        """All clocks to `moment` (of the environment). A moment that has passed changes nothing."""
        await self.pass_time(moment - self.now())

    async def pass_time(self, time: timedelta) -> None:
        if time > timedelta(0):
            self.elapse(time)
            await self.catch_up()

    def elapse(self, time: timedelta) -> None:
        """For the environment alone: the Temporal server is away. Workflows learn of it from `catch_up`."""
        self.skipped += time

    async def catch_up(self) -> None:
        """All clocks to the time of the environment."""
        moment = self.now()
        async with asyncio.timeout(REAL_S):
            await asyncio.gather(*(self._forward(handle, moment) for handle in list(self._handles.values())))

    async def _forward(self, handle: WorkflowHandle[Any, Any], moment: datetime) -> None:
        try:
            if await _only_waits_beyond(handle, moment):
                return
            await self._to(handle, moment)
            while due := await _just_due(handle, moment):
                await self._to(handle, due)
                await asyncio.sleep(0.003)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended
                raise

    async def _to(self, handle: WorkflowHandle[Any, Any], moment: datetime) -> None:
        left = moment - await self._skipper.get_current_time(handle)
        if left > timedelta(0):
            await self._skipper.fast_forward(handle, left)

    # --- looking -----------------------------------------------------------------------------------------------------

    async def at_rest(self) -> bool:
        """Nothing is under way in any workflow, except activities that wait for their next attempt."""
        for handle in self.followed:
            if not await self._at_rest(handle):
                return False
        return True

    async def _at_rest(self, handle: WorkflowHandle[Any, Any]) -> bool:
        raw = (await handle.describe()).raw_description
        info = raw.workflow_execution_info
        if info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
            return False
        if info.status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING:
            return True
        if info.history_length < 4:
            return False  # the first task of a run comes a moment after the run
        now = _time_of(raw)
        if raw.HasField("pending_workflow_task") or not all(
            _waits(a) and _moment(a.scheduled_time) > now for a in raw.pending_activities
        ):
            return False
        history = (info.execution.run_id, info.history_length)
        if self._silent.get(handle.id) != history:
            if await self._is_telling(handle):
                return False
            self._silent[handle.id] = history
        return True

    async def _is_telling(self, handle: WorkflowHandle[Any, Any]) -> bool:
        """A signal to another workflow is on its way: sender and receiver look idle, for as long as a server that has
        little of a core takes. Only the history knows; such a signal is among its last events."""
        page = await self.client.workflow_service.get_workflow_execution_history_reverse(
            GetWorkflowExecutionHistoryReverseRequest(
                namespace=self.client.namespace, execution=WorkflowExecution(workflow_id=handle.id),
                maximum_page_size=50,
            )
        )  # fmt: skip
        return bool(on_their_way(page.history.events))

    @property
    def followed(self) -> Sequence[WorkflowHandle[Any, Any]]:
        return tuple(self._handles.values())


def on_their_way(events: Sequence[HistoryEvent]) -> set[int]:
    """Signals to other workflows, by the number of their event, of which it is not known yet whether they arrived."""
    sent = {e.event_id for e in events if e.event_type == TOLD}
    sent -= {e.external_workflow_execution_signaled_event_attributes.initiated_event_id for e in events}
    sent -= {e.signal_external_workflow_execution_failed_event_attributes.initiated_event_id for e in events}
    return sent


async def _only_waits_beyond(handle: WorkflowHandle[Any, Any], moment: datetime) -> bool:
    """All that it waits for comes later, and one of it is another attempt of an activity: the server would start that
    one at once, whatever the clock is moved by. Such a workflow stays behind until the attempt is due."""
    raw = (await handle.describe()).raw_description
    attempts = [_moment(a.scheduled_time) for a in raw.pending_activities if _waits(a)]
    if not attempts or min(attempts) <= moment + TELLING:
        return False
    return min((await _timers(handle)).values(), default=attempts[0]) > moment + TELLING


async def _just_due(handle: WorkflowHandle[Any, Any], moment: datetime) -> datetime | None:
    """The last of what still waits and means `moment`: timers, and attempts of activities. The server counts from when
    it is told, a little after the moment from which the workflow counts: less than a second, and the files know only
    whole ones."""
    raw = (await handle.describe()).raw_description
    waiting = [_moment(a.scheduled_time) for a in raw.pending_activities if _waits(a)]
    waiting += (await _timers(handle)).values()
    return max((due for due in waiting if moment <= due < moment + TELLING), default=None)


async def _timers(handle: WorkflowHandle[Any, Any]) -> dict[str, datetime]:
    """Those that have been started and have neither fired nor been cancelled: when they fire."""
    waiting: dict[str, datetime] = {}
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            started = event.timer_started_event_attributes
            due = _moment(event.event_time) + started.start_to_fire_timeout.ToTimedelta()
            waiting[started.timer_id] = due
        elif event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
            waiting.pop(event.timer_fired_event_attributes.timer_id, None)
        elif event.event_type == EventType.EVENT_TYPE_TIMER_CANCELED:
            waiting.pop(event.timer_canceled_event_attributes.timer_id, None)
        elif event.event_type in ENDS:
            waiting.clear()
    return waiting


def _waits(pending: PendingActivityInfo) -> bool:
    """For its next attempt; a first one is under way already."""
    scheduled = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return pending.state == scheduled and pending.attempt > 1


def _time_of(raw: DescribeWorkflowExecutionResponse) -> datetime:
    if raw.workflow_extended_info.HasField("time_skipping_info"):
        return _moment(raw.workflow_extended_info.time_skipping_info.current_time)
    return datetime.now(UTC)


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)


class _AtHouseTime(Interceptor):
    def __init__(self, clocks: Clocks) -> None:
        super().__init__()
        self._clocks = clocks

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Starts(next, self._clocks)


class _Starts(OutboundInterceptor):
    """A start in an environment that is ahead of the real clock is delayed by as much, and the delay is skipped."""

    def __init__(self, next: OutboundInterceptor, clocks: Clocks) -> None:
        super().__init__(next)
        self._clocks = clocks

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        if ahead := self._clocks.skipped:
            input.start_delay = ahead
        handle = await super().start_workflow(input)
        await self._clocks.follow(input.id, ahead)
        return handle

    async def start_update_with_start_workflow(
        self,
        input: StartWorkflowUpdateWithStartInput,
    ) -> WorkflowUpdateHandle[Any]:
        start, update = input.start_workflow_input, input.update_workflow_input
        if not self._clocks.skipped:
            asked = await super().start_update_with_start_workflow(input)
            await self._clocks.follow(start.id)
            return asked
        # The server takes no delayed start together with an update: one after the other, then.
        try:
            handle = await self.start_workflow(_plain_start(start, input.rpc_timeout))
        except BaseException as error:
            input._on_start_error(error)
            raise
        input._on_start(StartWorkflowExecutionResponse(run_id=handle.result_run_id or ""))
        return await super().start_workflow_update(
            StartWorkflowUpdateInput(
                id=handle.id,
                run_id=None,
                first_execution_run_id=None,
                update_id=update.update_id,
                update=update.update,
                args=update.args,
                wait_for_stage=update.wait_for_stage,
                headers=update.headers,
                ret_type=update.ret_type,
                rpc_metadata=input.rpc_metadata,
                rpc_timeout=input.rpc_timeout,
            )
        )


def _plain_start(start: UpdateWithStartStartWorkflowInput, rpc_timeout: timedelta | None) -> StartWorkflowInput:
    same = {f.name: getattr(start, f.name) for f in fields(start)}
    return StartWorkflowInput(
        **same, start_signal=None, start_signal_args=[], rpc_metadata={}, rpc_timeout=rpc_timeout,
        request_eager_start=False,
    )  # fmt: skip
