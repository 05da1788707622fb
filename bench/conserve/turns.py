"""What a workflow task is told and answers, the records of one execution's history; and what became of an update."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import DoUpdate, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import ScheduleLocalActivity, WorkflowCommand

GOES_ON = "continue_as_new_workflow_execution"
ENDS = ("complete_workflow_execution", "fail_workflow_execution", "cancel_workflow_execution", GOES_ON)
Job = WorkflowActivationJob


@dataclass
class Turn:
    """One activation: what it was told, and what it answered."""

    jobs: list[Job]
    at: datetime
    length: int
    """Of the history until then."""
    commands: list[bytes] = field(default_factory=list)
    patches: list[str] = field(default_factory=list)


@dataclass
class Local:
    """A local activity of the open task. `attempt`: from 1."""

    call: ScheduleLocalActivity
    attempt: int = 1


@dataclass
class OpenTask:
    told: list[Job]
    turns: list[Turn] = field(default_factory=list)
    commands: list[WorkflowCommand] = field(default_factory=list)
    locals: dict[int, Local] = field(default_factory=dict)

    @property
    def ends(self) -> bool:
        return any(c.WhichOneof("variant") in ENDS for c in self.commands)


@dataclass
class Answer:
    """Of one update. `outcome`: a payload, or a failure; `gone`: its workflow has ended without one."""

    result: Payload | None = None
    failure: Failure | None = None
    gone: bool = False

    @property
    def known(self) -> bool:
        return self.result is not None or self.failure is not None or self.gone


def bytes_of(command: WorkflowCommand) -> bytes:
    return command.SerializeToString(deterministic=True)


def checked(job: Job) -> Job:
    """An update that is in the history passed its validator."""
    if not job.HasField("do_update"):
        return job
    update = DoUpdate()
    update.CopyFrom(job.do_update)
    update.run_validator = False
    return Job(do_update=update)


def without_refused(task: OpenTask) -> list[Turn]:
    """An update that its validator refused leaves no event."""
    answers = [c.update_response for c in task.commands if c.HasField("update_response")]
    accepted = {a.protocol_instance_id for a in answers if a.HasField("accepted")}
    refused = {a.protocol_instance_id for a in answers if a.HasField("rejected")} - accepted
    for turn in task.turns if refused else ():
        turn.jobs = [
            j for j in turn.jobs if not (j.HasField("do_update") and j.do_update.protocol_instance_id in refused)
        ]
    return [t for t in task.turns if t.jobs or told_by(t.commands)]


def told_by(commands: Sequence[bytes]) -> list[bytes]:
    return [c for c in commands if not WorkflowCommand.FromString(c).HasField("update_response")]
