"""Workflows that run for ever beside the orders, and how they are kept running."""

from collections.abc import Iterable, Sequence
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


async def restart_ended(client: Client, loops: Sequence[PerpetualWorkflow]) -> None:
    """Those that nobody runs, whoever has ended them. The list of running ones may be seconds old: one that runs all
    the same hears its settings once more."""
    names = ", ".join(f"'{loop.id}'" for loop in loops)
    query = f"ExecutionStatus = 'Running' AND WorkflowId IN ({names})"
    running = {w.id async for w in client.list_workflows(query)}
    await ensure_running(client, [loop for loop in loops if loop.id not in running])


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
