"""What a Temporal server and one worker do around workflows, in one process, one step at a time, on a clock of its own.

`Fate` decides what a real system leaves to chance: what comes next, and where a worker dies or a database fails.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import temporalio.api.common.v1
from temporalio.bridge.proto.activity_result import ActivityResolution, Success
from temporalio.bridge.proto.child_workflow import ChildWorkflowResult
from temporalio.bridge.proto.child_workflow import Success as ChildSucceeded
from temporalio.bridge.proto.workflow_activation import (
    FireTimer,
    ResolveChildWorkflowExecution,
    ResolveChildWorkflowExecutionStart,
    ResolveChildWorkflowExecutionStartSuccess,
    ResolveSignalExternalWorkflow,
    SignalWorkflow,
)
from temporalio.bridge.proto.workflow_commands import ScheduleActivity, WorkflowCommand
from temporalio.workflow import ParentInfo

from bench.conserve.answers import CONVERTER, again, cancelled, failed, failure, of_activity, resolved, timed_out, wait
from bench.conserve.execution import NAMESPACE, Execution, Pending, Timer
from bench.conserve.fate import Fate
from bench.conserve.steps import Steps
from bench.conserve.turns import Answer, Job, Local

STEPS = 20_000
"""More than any play needs between two rests: it goes round in circles."""
TICK = timedelta(milliseconds=1)
Payload = temporalio.api.common.v1.Payload


@dataclass
class Engine:
    """`workflows`: classes. `steps` is to be told the activities."""

    workflows: Sequence[type]
    now: datetime
    fate: Fate = field(default_factory=Fate)

    def __post_init__(self) -> None:
        classes = {w: getattr(w, "__temporal_workflow_definition").name for w in self.workflows}
        self._classes = {name: w for w, name in classes.items()}
        self.steps = Steps()
        self.executions: dict[str, Execution] = {}
        self._pending: dict[tuple[str, int], Pending] = {}
        self._timers: dict[tuple[str, int], Timer] = {}
        self._answers: dict[str, tuple[Execution, Answer]] = {}
        self._children: dict[str, tuple[Execution, int]] = {}
        self._numbers = 0
        self.tried = 0
        """Attempts of activities."""
        self.meanwhile: list[Callable[[], None]] = []
        """Happens at moments of fate's choice within the next steps."""

    # --- what a client may do ----------------------------------------------------------------------------------------

    def start(self, workflow: str, workflow_id: str, arguments: Sequence[Payload]) -> Execution:
        """Raises `KeyError` for an id that is taken, whatever has become of it, unless it failed."""
        taken = self.executions.get(workflow_id)
        if taken is not None and not (taken.ended and taken.ended.HasField("fail_workflow_execution")):
            raise KeyError(workflow_id)
        if taken is not None:
            taken.evict()
        made = Execution(self._classes[workflow], workflow_id, arguments, self.now, cancelled)
        self.executions[workflow_id] = made
        return made

    def signal(self, workflow_id: str, name: str, arguments: Sequence[Payload]) -> bool:
        """Whether there is somebody who hears it."""
        execution = self.executions.get(workflow_id)
        if execution is None or execution.ended:
            return False
        execution.waiting.append(
            Job(signal_workflow=SignalWorkflow(signal_name=name, input=arguments, originating_event_id=1))
        )
        return True

    def update(self, workflow_id: str, name: str, arguments: Sequence[Payload], update_id: str | None = None) -> Answer:
        """Raises `KeyError` when there is no such workflow, or it has ended."""
        execution = self.executions[workflow_id]
        if execution.ended:
            raise KeyError(workflow_id)
        self._numbers += 1
        number = f"update-{self._numbers}"
        job = Job()
        job.do_update.id = update_id or number
        job.do_update.protocol_instance_id = number
        job.do_update.name = name
        job.do_update.input.extend(arguments)
        job.do_update.run_validator = True
        execution.waiting.append(job)
        answer = Answer()
        self._answers[number] = (execution, answer)
        return answer

    def query(self, workflow_id: str, name: str, arguments: Sequence[Payload]) -> WorkflowCommand:
        job = Job()
        job.query_workflow.query_id = "q"
        job.query_workflow.query_type = name
        job.query_workflow.arguments.extend(arguments)
        return self.executions[workflow_id].ask(job, self.now)

    # --- time --------------------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Until nothing is under way but what waits for a later moment."""
        for _ in range(STEPS):
            if not await self.step():
                return
        raise AssertionError(f"nothing comes to rest: {self._under_way()}")

    async def pass_until(self, moment: datetime) -> None:
        await self.drain()
        for _ in range(STEPS):
            due = self.next_due()
            if due is None or due > moment:
                break
            self.now = max(self.now, due)
            await self.drain()
        else:
            raise AssertionError(f"time does not pass: {self._under_way()}")
        self.now = max(self.now, moment)
        await self.drain()

    def next_due(self) -> datetime | None:
        return min([t.due for t in self._timers.values()] + [p.due for p in self._pending.values()], default=None)

    @property
    def waits_for(self) -> set[str]:
        """Ordinary activities that are under way or wait for their next attempt."""
        return {p.call.activity_type for p in self._pending.values()}

    async def step(self) -> bool:
        """One thing happens: a workflow task begins or ends, one activity is tried, a worker dies. False: nothing is
        due."""
        self._ring()
        due: list[Callable[[], Any]] = [*self.meanwhile]
        for execution in self.executions.values():
            if execution.task is not None:
                due += [partial(self._local, execution, local) for local in execution.task.locals.values()]
                if not execution.task.locals:
                    due.append(partial(self._commit, execution))
                elif execution.waiting and not execution.task.ends and self.fate.lasts():
                    due.append(partial(self._go_on, execution))
            elif (execution.waiting or execution.carried) and not execution.ended:
                due.append(partial(self._begin, execution))
        due += [partial(self._attempt, p) for p in self._pending.values() if p.due <= self.now]
        if not due:
            return False
        self.now += TICK
        chosen = due[self.fate.pick(len(due))]
        if chosen in self.meanwhile:
            self.meanwhile.remove(chosen)
        if (going := chosen()) is not None:
            await going
        if self.fate.crash():
            self.crash()
        return True

    def crash(self) -> None:
        """The one worker dies, and another one takes over: every open workflow is replayed."""
        for execution in self.executions.values():
            if not execution.ended:
                execution.lose()

    def close(self) -> None:
        for execution in self.executions.values():
            execution.evict()

    def _ring(self) -> None:
        for key, timer in sorted(self._timers.items(), key=lambda item: item[1].due):
            if timer.due <= self.now:
                del self._timers[key]
                timer.execution.waiting.append(Job(fire_timer=FireTimer(seq=timer.seq)))

    def _begin(self, execution: Execution) -> None:
        if execution.turns:  # a run that has just begun is short
            execution.is_long = execution.is_long or self.fate.grows()
        execution.begin(self.now)

    # --- what workflows command --------------------------------------------------------------------------------------

    def _go_on(self, execution: Execution) -> None:
        """A workflow task that lasts tells that it is alive, and is told what has come in."""
        self._apply(execution, execution.heartbeat(), self.now)
        execution.hear(self.now)

    def _commit(self, execution: Execution) -> None:
        turns = execution.task.turns if execution.task else ()
        self._apply(execution, execution.commit(), turns[-1].at if turns else self.now)
        if execution.ended:
            self._over(execution)

    def _apply(self, execution: Execution, commands: Sequence[WorkflowCommand], at: datetime) -> None:
        for command in commands:
            kind = str(command.WhichOneof("variant"))
            apply = getattr(self, f"_on_{kind}", None)
            if apply is None:
                raise NotImplementedError(f"a command {kind}")
            apply(execution, getattr(command, kind), at)

    def _on_schedule_activity(self, execution: Execution, call: ScheduleActivity, at: datetime) -> None:
        self._pending[execution.workflow_id, call.seq] = Pending(execution, call, at, at)

    def _on_request_cancel_activity(self, execution: Execution, command: Any, at: datetime) -> None:
        self._pending.pop((execution.workflow_id, command.seq), None)
        execution.waiting = [
            j
            for j in execution.waiting
            if not (j.HasField("resolve_activity") and j.resolve_activity.seq == command.seq)
        ]

    def _on_start_timer(self, execution: Execution, command: Any, at: datetime) -> None:
        due = at + command.start_to_fire_timeout.ToTimedelta()
        self._timers[execution.workflow_id, command.seq] = Timer(execution, command.seq, due)

    def _on_cancel_timer(self, execution: Execution, command: Any, at: datetime) -> None:
        self._timers.pop((execution.workflow_id, command.seq), None)

    def _on_signal_external_workflow_execution(self, execution: Execution, command: Any, at: datetime) -> None:
        heard = self.signal(command.workflow_execution.workflow_id, command.signal_name, command.args)
        told = ResolveSignalExternalWorkflow(seq=command.seq)
        if not heard:
            told.failure.message = "unable to signal the external workflow: it was not found"
            told.failure.application_failure_info.SetInParent()
        execution.waiting.append(Job(resolve_signal_external_workflow=told))

    def _on_start_child_workflow_execution(self, execution: Execution, command: Any, at: datetime) -> None:
        started = ResolveChildWorkflowExecutionStart(seq=command.seq)
        try:
            child = self.start(command.workflow_type, command.workflow_id, command.input)
            self._children[child.workflow_id] = (execution, command.seq)
            child.parent = ParentInfo(NAMESPACE, execution.run_id, execution.workflow_id)
            started.succeeded.CopyFrom(ResolveChildWorkflowExecutionStartSuccess(run_id=child.run_id))
        except KeyError:
            started.failed.workflow_id, started.failed.workflow_type = command.workflow_id, command.workflow_type
            started.failed.cause = 1  # type: ignore[assignment]  # it exists already
        execution.waiting.append(Job(resolve_child_workflow_execution_start=started))

    def _on_update_response(self, execution: Execution, command: Any, at: datetime) -> None:
        if command.HasField("accepted"):
            return
        _, answer = self._answers.pop(command.protocol_instance_id)
        if command.HasField("completed"):
            answer.result = command.completed
        else:
            answer.failure = command.rejected

    def _on_complete_workflow_execution(self, execution: Execution, command: Any, at: datetime) -> None:
        self._tell_parent(execution)

    def _on_fail_workflow_execution(self, execution: Execution, command: Any, at: datetime) -> None:
        self._tell_parent(execution)

    def _on_continue_as_new_workflow_execution(self, execution: Execution, command: Any, at: datetime) -> None:
        """Its timers end with it, and so does what it does not wait for any more."""
        kind = command.workflow_type or execution.definition.name
        self.executions[execution.workflow_id] = Execution(
            self._classes[kind], execution.workflow_id, command.arguments, self.now, cancelled,
            before=execution,
        )  # fmt: skip
        execution.evict()

    def _on_set_patch_marker(self, execution: Execution, command: Any, at: datetime) -> None:
        """Kept by the execution."""

    def _on_upsert_workflow_search_attributes(self, execution: Execution, command: Any, at: datetime) -> None:
        """Only people look at them."""

    def _tell_parent(self, execution: Execution) -> None:
        parent, seq = self._children.pop(execution.workflow_id, (None, 0))
        if parent is not None and not parent.ended:
            ended = ResolveChildWorkflowExecution(
                seq=seq, result=ChildWorkflowResult(completed=ChildSucceeded(result=CONVERTER.to_payload("ended")))
            )
            parent.waiting.append(Job(resolve_child_workflow_execution=ended))

    def _over(self, execution: Execution) -> None:
        for mine in (self._timers, self._pending):
            for key in [k for k in mine if k[0] == execution.workflow_id]:
                del mine[key]
        for number, (asked, answer) in [*self._answers.items()]:
            if asked is execution:
                answer.gone = True
                del self._answers[number]

    # --- activities --------------------------------------------------------------------------------------------------

    async def _local(self, execution: Execution, local: Local) -> None:
        call = local.call
        self.tried += 1
        result, error, _ = await self.steps.attempt(
            execution, call, local.attempt, self.now, (), is_local=True, fails=self.fate.fails(call.activity_type)
        )
        task = execution.task
        if task is None or task.locals.get(call.seq) is not local:
            return  # its task was lost meanwhile
        if error is not None and again(error, local.attempt, call.retry_policy):
            local.attempt += 1
            return
        del task.locals[call.seq]
        resolution = ActivityResolution(completed=Success(result=result))
        if error is not None:
            resolution = failed(failure(error))
        execution.tell([resolved(call.seq, resolution, is_local=True)], self.now)

    async def _attempt(self, pending: Pending) -> None:
        call, key = pending.call, (pending.execution.workflow_id, pending.call.seq)
        self.tried += 1
        died = self.fate.dies(call.activity_type)
        result, error, told = None, None, pending.heartbeat
        if died != "before":
            result, error, told = await self.steps.attempt(
                pending.execution, call, pending.attempt, pending.due, pending.heartbeat, is_local=False, fails=""
            )
        if self._pending.get(key) is not pending:
            return
        pending.heartbeat = told
        if died:
            self._timed_out(pending)
            return
        if error is not None and again(error, pending.attempt, call.retry_policy):
            pending.due = self.now + wait(error, pending.attempt, call.retry_policy)
            pending.attempt += 1
            return
        resolution = ActivityResolution(completed=Success(result=result))
        if error is not None:
            resolution = failed(of_activity(call, failure(error)))
        self._resolve(pending, resolution)

    def _timed_out(self, pending: Pending) -> None:
        """Nobody answers for this attempt."""
        call = pending.call
        timeout = call.start_to_close_timeout.ToTimedelta()
        if call.HasField("heartbeat_timeout"):
            timeout = min(timeout, call.heartbeat_timeout.ToTimedelta())
        most = call.retry_policy.maximum_attempts
        if not most or pending.attempt < most:
            pending.due = self.now + timeout
            pending.attempt += 1
            return
        self._resolve(pending, timed_out(call, pending.heartbeat))

    def _resolve(self, pending: Pending, resolution: ActivityResolution) -> None:
        del self._pending[pending.execution.workflow_id, pending.call.seq]
        pending.execution.waiting.append(resolved(pending.call.seq, resolution, is_local=False))

    def _under_way(self) -> str:
        steps = [
            f"{p.call.activity_type} of {p.execution.workflow_id}, attempt {p.attempt}" for p in self._pending.values()
        ]
        return "; ".join(steps + [e.workflow_id for e in self.executions.values() if e.waiting])[:1000]
