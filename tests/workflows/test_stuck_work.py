"""`oms doctor` tells what does not get anywhere: a workflow task that fails, a step of our own that keeps failing."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.trust.encryption import PayloadKeys
from starter.open_work import ATTEMPTS, LONG, OpenWork, Trouble
from wire.converter import data_converter

NO_BOOKS: Any = None
"""What is stuck is told by Temporal alone."""
MINUTES = timedelta(minutes=2) + LONG
AT_ONCE = RetryPolicy(initial_interval=timedelta(milliseconds=1), backoff_coefficient=1.0)
SOON = RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=1.0)


@activity.defn(name="stuck.store")
async def away() -> None:
    raise RuntimeError("the database is away")


@workflow.defn(name="StuckTask")
class StuckTask:
    @workflow.run
    async def run(self) -> None:
        raise KeyError("a mistake of ours")


@workflow.defn(name="StuckActivity")
class StuckActivity:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(away, start_to_close_timeout=timedelta(seconds=5), retry_policy=AT_ONCE)


@workflow.defn(name="StuckLocal")
class StuckLocal:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_local_activity(away, start_to_close_timeout=timedelta(seconds=5), retry_policy=SOON)


async def troubles(client: Client, handle: WorkflowHandle[Any, Any], later: timedelta) -> list[Trouble]:
    """As the doctor would see it so much later."""
    work = OpenWork(NO_BOOKS, client, datetime.now(UTC) + later)
    return [t async for t in work._stuck(handle.id, await handle.describe())]


async def stuck(env: WorkflowEnvironment, kind: str, said: str, keys: PayloadKeys | None = None) -> Trouble:
    """What is told of a workflow of this kind within seconds."""
    config = env.client.config()
    config["data_converter"] = data_converter(None, keys)
    client = Client(**config)
    queue = f"stuck-{uuid.uuid4().hex}"
    kinds = [StuckTask, StuckActivity, StuckLocal]
    async with Worker(
        client, task_queue=queue, workflows=kinds, activities=[away], workflow_runner=UnsandboxedWorkflowRunner(),
        build_id="tests", graceful_shutdown_timeout=timedelta(0),
    ):  # fmt: skip
        with env.with_time_skipping_disabled():
            handle = await client.start_workflow(kind, id=queue, task_queue=queue)
        try:
            async with asyncio.timeout(20):
                while not (found := [t for t in await troubles(client, handle, MINUTES) if said in t.what]):
                    await asyncio.sleep(0.05)
            if kind != "StuckActivity":
                assert await troubles(client, handle, timedelta(0)) == [], "what is young is left alone"
        finally:
            await handle.terminate()
    (trouble,) = found
    return trouble


async def test_a_workflow_task_that_fails_for_minutes_is_told(skipping: WorkflowEnvironment) -> None:
    trouble = await stuck(skipping, "StuckTask", "workflow task fails, attempt")
    assert "repair the code" in trouble.next_step and trouble.since is not None


@pytest.mark.parametrize("keys", [None, PayloadKeys({"1": b"k" * 32}, own="1")], ids=["in clear", "encrypted"])
async def test_an_activity_that_keeps_failing_is_told_with_its_reason(
    skipping: WorkflowEnvironment, keys: PayloadKeys | None
) -> None:
    trouble = await stuck(skipping, "StuckActivity", f"fails, attempt {ATTEMPTS + 1}"[:14], keys)
    assert "stuck.store" in trouble.what and "the database is away" in trouble.what


async def test_a_step_of_our_own_that_keeps_failing_in_its_task_is_told(skipping: WorkflowEnvironment) -> None:
    trouble = await stuck(skipping, "StuckLocal", "a local activity is retried in its workflow task")
    assert "the database" in trouble.next_step
