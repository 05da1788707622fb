"""Workflows of somebody who may write to the namespace and has a task queue of his own."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

DONE = "done"


@workflow.defn(name="Evil", sandboxed=False)
class Stranger:
    """A stranger's workflow, on the stranger's own queue, that asks for our activities."""

    @workflow.run
    async def run(self, queue: str, activities: list[str], told: RawValue) -> list[str]:
        """How each was refused, or `DONE`."""
        return [await asked(name, queue, arguments) for name in activities for arguments in ([], [told], [told, 1])]


@workflow.defn(name="Order", sandboxed=False)
class Impostor(Stranger):
    """The same, under the name of ours."""

    @workflow.run
    async def run(self, queue: str, activities: list[str], told: RawValue) -> list[str]:
        return await super().run(queue, activities, told)


async def asked(activity: str, queue: str, arguments: list[Any]) -> str:
    try:
        await workflow.execute_activity(
            activity, args=arguments, task_queue=queue, start_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )  # fmt: skip
    except ActivityError as error:
        return str(error.cause.type) if isinstance(error.cause, ApplicationError) else repr(error.cause)
    return DONE


async def refusals(
    client: Client, ours: str, kind: type[Stranger], activities: list[str], told: RawValue, name: str
) -> list[str]:
    """What becomes of calls of our activities on our queue `ours`; `name`: of this trial."""
    queue = f"strange-{name}"
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=queue, workflows=[kind], workflow_runner=runner, build_id="strange"):
        return await client.execute_workflow(
            kind.run, args=[ours, activities, told], id=f"{queue}/{kind.__name__}", task_queue=queue
        )


def plain(text: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=text.encode())
