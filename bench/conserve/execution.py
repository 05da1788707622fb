"""One workflow execution: what its history would hold, the SDK's instance that lives from it, and its replay.

A workflow task is told some jobs, runs its local activities, and is committed as a whole: only then do its commands
count. A worker that dies before loses all of the task but what its activities have done; the next one replays the
committed turns, which must give the very same commands, and is told the task's jobs again.
"""

import asyncio
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import temporalio.api.common.v1
import temporalio.workflow
from temporalio.bridge.proto.workflow_activation import (
    InitializeWorkflow,
    NotifyHasPatch,
    RemoveFromCache,
    WorkflowActivation,
)
from temporalio.bridge.proto.workflow_commands import ScheduleActivity, WorkflowCommand
from temporalio.common import MetricMeter, Priority, TypedSearchAttributes
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.worker._workflow_instance import WorkflowInstance, WorkflowInstanceDetails

from bench.conserve.turns import ENDS, Job, Local, OpenTask, Turn, bytes_of, checked, told_by, without_refused
from workflows.durable.continuing import MOST_EVENTS
from workflows.messages import TASK_QUEUE

LONG = 2 * MOST_EVENTS
NAMESPACE = "conserve"


class TaskFailed(AssertionError):
    """A workflow task failed: the workflow would stand still for ever."""


class NotDeterministic(AssertionError):
    """A replay gave other commands than the first run."""


class Execution:
    """`cancelled`: makes the job that tells an activity's cancellation from its number. `before`: the run that goes on
    as this one."""

    def __init__(
        self,
        workflow: type,
        workflow_id: str,
        arguments: Sequence[temporalio.api.common.v1.Payload],
        now: datetime,
        cancelled: Callable[[int, bool], Job],
        before: "Execution | None" = None,
    ) -> None:
        self.workflow_id = workflow_id
        self.number: int = before.number + 1 if before else 1
        """Of the run."""
        self.run_id = f"run-{self.number}-of-{workflow_id}"
        self._before = before.run_id if before else None
        self._first: str = before._first if before else self.run_id
        self.definition = temporalio.workflow._Definition.must_from_class(workflow)
        self.waiting: list[Job] = []
        self.turns: list[Turn] = []
        self.task: OpenTask | None = None
        self.carried: dict[int, Local] = {}
        """Local activities of committed turns that are still under way: a worker that takes over begins them anew."""
        self.ended: WorkflowCommand | None = None
        self.replays: int = before.replays if before else 0
        self.is_long = False
        """The history looks so long that the workflow goes on as a new run as soon as it can."""
        self.parent: temporalio.workflow.ParentInfo | None = before.parent if before else None
        self._started = now
        self._cancelled = cancelled
        self._instance: WorkflowInstance | None = None
        start = InitializeWorkflow(
            workflow_type=self.definition.name or "", workflow_id=workflow_id, arguments=arguments,
            first_execution_run_id=self._first, continued_from_execution_run_id=self._before or "", attempt=1,
            randomness_seed=zlib.crc32(self.run_id.encode()),
        )  # fmt: skip
        self.waiting.append(Job(initialize_workflow=start))

    # --- one task ----------------------------------------------------------------------------------------------------

    def begin(self, now: datetime) -> None:
        assert self.task is None and (self.waiting or self.carried) and self.ended is None
        told, self.waiting = self.waiting, []
        self.task = OpenTask(told, locals={seq: Local(local.call) for seq, local in self.carried.items()})
        if told:
            self.tell(told, now)

    def tell(self, jobs: list[Job], now: datetime) -> None:
        """One more activation of the open task."""
        task = self.task
        assert task is not None
        while jobs:
            events = 3 * (len(self.turns) + len(task.turns)) + 3
            turn = Turn(jobs, now, events + (LONG if self.is_long else 0))
            task.turns.append(turn)
            jobs = []
            for command in self._activate(turn, replaying=False):
                kind = command.WhichOneof("variant")
                if kind == "schedule_local_activity":
                    call = command.schedule_local_activity
                    task.locals[call.seq] = Local(call)
                elif kind == "request_cancel_local_activity":
                    seq = command.request_cancel_local_activity.seq
                    if task.locals.pop(seq, None) is not None:
                        jobs.append(self._cancelled(seq, True))
                else:
                    if kind == "request_cancel_activity":
                        # Of one whose answer is here already nothing is told: the SDK's core passes over it.
                        if (seq := command.request_cancel_activity.seq) not in self._answered(task):
                            jobs.append(self._cancelled(seq, False))
                    elif kind == "set_patch_marker":
                        turn.patches.append(command.set_patch_marker.patch_id)
                    task.commands.append(command)

    def _answered(self, task: OpenTask) -> set[int]:
        jobs = (job for turn in (*self.turns, *task.turns) for job in turn.jobs if job.HasField("resolve_activity"))
        return {job.resolve_activity.seq for job in jobs if not job.resolve_activity.is_local}

    def commit(self) -> list[WorkflowCommand]:
        """The task's commands, which count from now on; none when it has to be done again, since something came in
        while it ended."""
        task = self.task
        assert task is not None and not task.locals
        if task.ends and self.waiting:
            self.lose()
            return []
        self.task, self.carried = None, {}
        self.turns += without_refused(task)
        for command in task.commands:
            if command.WhichOneof("variant") in ENDS:
                self.ended = command
        return task.commands

    def heartbeat(self) -> list[WorkflowCommand]:
        """The task has lasted so long that what it has commanded so far counts from now on, and a next one goes on with
        its local activities: what came in meanwhile can be told."""
        task = self.task
        assert task is not None and task.locals and not task.ends
        self.turns += without_refused(task)
        self.carried = {seq: Local(local.call) for seq, local in task.locals.items()}
        self.task = OpenTask([], locals=task.locals)
        return task.commands

    def hear(self, now: datetime) -> None:
        """What came in, by the open task."""
        assert self.task is not None
        told, self.waiting = self.waiting, []
        self.task.told = told
        self.tell(told, now)

    # --- a worker dies -----------------------------------------------------------------------------------------------

    def lose(self) -> None:
        """The worker that knew this workflow is gone; the next one replays what was committed."""
        if self.task is not None:
            self.waiting = self.task.told + self.waiting
            self.task = None
        self.evict()
        if not self.turns:
            return
        self.replays += 1
        for number, turn in enumerate(self.turns):
            again = [bytes_of(c) for c in self._activate(turn, replaying=True)]
            if (found := told_by(again)) != (first := told_by(turn.commands)):
                raise NotDeterministic(
                    f"{self.workflow_id}, activation {number}: first {_names(first)}, replayed {_names(found)}"
                )

    def evict(self) -> None:
        if self._instance is not None:
            self._run(WorkflowActivation(run_id=self.run_id, jobs=[Job(remove_from_cache=RemoveFromCache())]))
            self._instance = None

    # --- the SDK -----------------------------------------------------------------------------------------------------

    def ask(self, job: Job, now: datetime) -> WorkflowCommand:
        """A query: no part of the history."""
        activation = WorkflowActivation(run_id=self.run_id, jobs=[job])
        activation.timestamp.FromDatetime(now)
        (answer,) = self._run(activation)
        return answer

    def _activate(self, turn: Turn, *, replaying: bool) -> Sequence[WorkflowCommand]:
        jobs = turn.jobs
        if replaying:
            jobs = [Job(notify_has_patch=NotifyHasPatch(patch_id=p)) for p in turn.patches] + [*map(checked, jobs)]
        activation = WorkflowActivation(
            run_id=self.run_id, jobs=jobs, is_replaying=replaying, history_length=turn.length
        )
        activation.timestamp.FromDatetime(turn.at)
        commands = self._run(activation)
        if not replaying:
            turn.commands = [bytes_of(c) for c in commands]
        return commands

    def _run(self, activation: WorkflowActivation) -> Sequence[WorkflowCommand]:
        if self._instance is None:
            self._instance = UnsandboxedWorkflowRunner().create_instance(self._details())
        loop = asyncio._get_running_loop()
        try:
            completion = self._instance.activate(activation)
        finally:
            asyncio._set_running_loop(loop)
        if completion.HasField("failed"):
            raise TaskFailed(f"{self.workflow_id}: {_chain(completion.failed.failure)}")
        return completion.successful.commands

    def _details(self) -> WorkflowInstanceDetails:
        return WorkflowInstanceDetails(
            payload_converter_factory=lambda: pydantic_data_converter.payload_converter,
            failure_converter_class=pydantic_data_converter.failure_converter_class,
            interceptor_classes=[],
            defn=self.definition,
            info=self._info(),
            randomness_seed=zlib.crc32(self.run_id.encode()),
            extern_functions=EXTERN,
            disable_eager_activity_execution=True,
            worker_level_failure_exception_types=[],
            patch_activation_callback=None,
            last_completion_result=temporalio.api.common.v1.Payloads(),
            last_failure=None,
        )

    def _info(self) -> temporalio.workflow.Info:
        return temporalio.workflow.Info(
            attempt=1, continued_run_id=self._before, cron_schedule=None, execution_timeout=None,
            first_execution_run_id=self._first, headers={}, namespace=NAMESPACE, original_execution_run_id=self.run_id,
            parent=self.parent, root=None, raw_memo={}, retry_policy=None, run_id=self.run_id, run_timeout=None,
            search_attributes={}, start_time=self._started, workflow_start_time=self._started, task_queue=TASK_QUEUE,
            task_timeout=timedelta(seconds=10), typed_search_attributes=TypedSearchAttributes([]),
            workflow_id=self.workflow_id, workflow_type=self.definition.name or "", priority=Priority.default,
        )  # fmt: skip


@dataclass
class Pending:
    """An ordinary activity on its way. `due`: when its next attempt starts."""

    execution: Execution
    call: ScheduleActivity
    due: datetime
    scheduled: datetime
    attempt: int = 1
    heartbeat: tuple[Any, ...] = ()


@dataclass
class Timer:
    execution: Execution
    seq: int
    due: datetime


EXTERN: Mapping[str, Callable[..., Any]] = {
    "__temporal_get_metric_meter": lambda: MetricMeter.noop,
    "__temporal_assert_local_activity_valid": lambda _: None,
}


def _names(commands: Sequence[bytes]) -> str:
    return "; ".join(" ".join(str(WorkflowCommand.FromString(c)).split())[:160] for c in commands) or "nothing"


def _chain(failure: Any) -> str:
    said = f"{failure.message}\n{failure.stack_trace}"
    return said + (f"\ncaused by {_chain(failure.cause)}" if failure.HasField("cause") else "")
