"""Which call of an activity an answer is told for: named by the workflow that asks, repeated by who does it.

The SDK tells a codec the type of an activity and not which call of it. So the runner of workflows says it: the run and
the number of the command, which are the same at every replay. A reset keeps the run that it began with, so that what
was answered before still counts.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeGuard

from temporalio.converter import ActivitySerializationContext, SerializationContext
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info

asked_as: ContextVar[str] = ContextVar("asked_as", default="")
"""The call that is being done in this task, as the worker that asked has sealed it; empty where it has said none."""


@dataclass(frozen=True)
class CallContext(ActivitySerializationContext):
    """Of an activity that a workflow asks for."""

    call: str = ""


def is_asked_here(context: SerializationContext | None) -> TypeGuard[CallContext]:
    return isinstance(context, CallContext)


def workflow_runner(*, sandboxed: bool) -> WorkflowRunner:
    """The one that our workers run workflows with."""
    if not sandboxed:
        return NamingCalls()
    # The room passes through: a context made inside would be of a class that the codec outside does not know.
    restrictions = SandboxRestrictions.default.with_passthrough_modules("wire")
    return SandboxedWorkflowRunner(restrictions=restrictions, runner_class=NamingCalls)


class NamingCalls(UnsandboxedWorkflowRunner):
    """Runs a workflow as the SDK does, and says of its activities' messages which call they belong to."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Named(super().create_instance(det), det.info.original_execution_run_id)


class _Named(WorkflowInstance):
    def __init__(self, inner: WorkflowInstance, run: str) -> None:
        self._inner = inner
        self._run = run

    def activate(self, act: Any) -> Any:
        return self._inner.activate(act)

    def get_serialization_context(self, command_info: Any) -> SerializationContext | None:
        context = self._inner.get_serialization_context(command_info)
        if not isinstance(context, ActivitySerializationContext):
            return context
        return CallContext(**vars(context), call=f"{self._run}/{command_info.command_seq}")

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._inner.get_external_store_context(command_info)

    def get_info(self) -> Info:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()
