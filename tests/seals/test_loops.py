"""A loop asks our partners at the pace that it was started with: a worker starts it, and nobody else."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.polling import Pull
from domain.trust.seals import KeyRing
from tests.seals.sealed_play import RELAYS, workers
from tests.seals.test_linked_cases import OWN_KEYS
from tests.workflows.play import REAL_SECONDS, until
from tests.workflows.world.asked import Asked
from wire.asked_activities import OnlyForOurWorkflows
from wire.calls import NamingCalls
from wire.converter import data_converter
from workflows.loops.polling import PULL_WORKFLOW, PullWorkflow

SETTINGS = Pull(connector="wechat", tick_s=1)


def client_of(env: WorkflowEnvironment, ring: KeyRing | None) -> Client:
    return Client(**env.client.config() | {"data_converter": data_converter(ring, None)})


@asynccontextmanager
async def started(
    env: WorkflowEnvironment, asked: Asked, by: KeyRing | None
) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """A loop on our worker's queue, started by whoever has these keys."""
    queue = f"loops-{uuid.uuid4().hex}"
    async with Worker(
        client_of(env, workers()), task_queue=queue, workflows=[PullWorkflow], activities=asked.activities(),
        build_id="tests", workflow_runner=NamingCalls(),
        interceptors=[OnlyForOurWorkflows([PULL_WORKFLOW], workers())],
    ):  # fmt: skip
        handle = await client_of(env, by).start_workflow(
            PULL_WORKFLOW, SETTINGS, id=f"reconcile/{queue}", task_queue=queue
        )
        yield handle


@pytest.mark.parametrize("ring", [None, OWN_KEYS, RELAYS], ids=["no seal", "a stranger's key", "the relay's key"])
async def test_a_loop_that_no_worker_has_started_asks_nobody(
    skipping: WorkflowEnvironment, ring: KeyRing | None
) -> None:
    asked = Asked()
    asked.add("T00001")
    async with started(skipping, asked, ring) as handle:
        with pytest.raises(WorkflowFailureError) as refused:
            await asyncio.wait_for(handle.result(), REAL_SECONDS)
    assert isinstance(refused.value.cause, ApplicationError) and refused.value.cause.type == "NotOurs"
    assert asked.ticks == []


async def test_a_loop_of_a_workers_goes_on_in_new_runs(skipping: WorkflowEnvironment) -> None:
    asked = Asked()
    asked.add("T00001")
    async with started(skipping, asked, workers()) as handle:
        await until(lambda: asked.ticks, "the first tick")
        await (
            client_of(skipping, workers())
            .get_workflow_handle(handle.id)
            .signal("configure", SETTINGS.model_copy(update={"tick_s": 300}))
        )
        seen = len(asked.ticks)
        await until(lambda: len(asked.ticks) > seen, "the first tick of the next run")
        await skipping.client.get_workflow_handle(handle.id).terminate()
