"""Workflows that run for ever beside the orders, and how they are kept running."""

from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.strict import Strict
from workflows.messages import TASK_QUEUE


@dataclass(frozen=True)
class PerpetualWorkflow:
    """`name`: workflow type. `adjustable`: it takes new settings by the signal `configure`."""

    name: str
    id: str
    settings: Strict
    adjustable: bool = True


async def ensure_running(client: Client, loops: Iterable[PerpetualWorkflow]) -> None:
    """The first worker of an installation starts them; a later one brings its settings along."""
    for loop in loops:
        try:
            await client.start_workflow(
                loop.name,
                loop.settings,
                id=loop.id,
                task_queue=TASK_QUEUE,
                id_conflict_policy=(
                    WorkflowIDConflictPolicy.USE_EXISTING if loop.adjustable else WorkflowIDConflictPolicy.FAIL
                ),
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                start_signal="configure" if loop.adjustable else None,
                start_signal_args=[loop.settings] if loop.adjustable else [],
            )
        except WorkflowAlreadyStartedError:
            continue
