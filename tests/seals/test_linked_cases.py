"""A case that takes in what came late is started by the closed one: by a worker's seal, not by a number that fits."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError, ChildWorkflowError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.return_messages import Apply
from domain.returns.models import ReopenReturn
from domain.trust.seals import KeyRing
from tests.seals.sealed_play import RELAYS, workers
from wire.asked_activities import OnlyForOurWorkflows
from wire.calls import NamingCalls
from wire.converter import data_converter
from workflows.order_return_signals import RETURN_WORKFLOW, return_workflow_id
from workflows.returns.workflow import Return

REACHED = "REACHED_THE_BOOKS"
OWN_KEYS = KeyRing({"worker.1": b"x" * 32}, own="worker.1")
"""A stranger's, under the name of a worker's."""


@activity.defn(name="returns.admit")
async def admit(message: Apply) -> None:
    raise ApplicationError("the books were asked", type=REACHED, non_retryable=True)


@workflow.defn(name="Parent", sandboxed=False)
class ParentOfALinkedCase:
    """Bears the number of a closed case; whose keys it has, says its worker."""

    @workflow.run
    async def run(self, queue: str, closed: str, linked: str) -> str:
        """Why the linked case was not taken."""
        message = ReopenReturn(return_no=linked, reopens=closed)
        try:
            await workflow.execute_child_workflow(
                RETURN_WORKFLOW, message, id=return_workflow_id(linked), task_queue=queue
            )
        except ChildWorkflowError as error:
            assert isinstance(error.cause, ApplicationError), error.cause
            return f"{error.cause.type}: {error.cause.message}"
        return "taken"


def client_of(env: WorkflowEnvironment, ring: KeyRing | None) -> Client:
    return Client(**env.client.config() | {"data_converter": data_converter(ring, None)})


@asynccontextmanager
async def our_worker(env: WorkflowEnvironment, ring: KeyRing | None) -> AsyncIterator[str]:
    """Takes cases, as far as the books. Gives its task queue."""
    queue = f"ours-{uuid.uuid4().hex}"
    async with Worker(
        client_of(env, ring), task_queue=queue, workflows=[Return], activities=[admit], build_id="tests",
        workflow_runner=NamingCalls(), interceptors=[OnlyForOurWorkflows([RETURN_WORKFLOW], ring)],
    ):  # fmt: skip
        yield queue


async def refusal_of(env: WorkflowEnvironment, queue: str, ring: KeyRing | None) -> str:
    """What becomes of a linked case whose parent runs by these keys, under the closed case's number."""
    closed = f"RT{uuid.uuid4().hex[:10].upper()}"
    theirs = f"theirs-{closed}"
    client = client_of(env, ring)
    runner = UnsandboxedWorkflowRunner()
    async with Worker(
        client, task_queue=theirs, workflows=[ParentOfALinkedCase], workflow_runner=runner, build_id="theirs"
    ):
        return await client.execute_workflow(
            ParentOfALinkedCase.run, args=[queue, closed, f"{closed}-R"], id=return_workflow_id(closed),
            task_queue=theirs,
        )  # fmt: skip


@pytest.mark.parametrize("ring", [None, OWN_KEYS, RELAYS], ids=["no seal", "a stranger's key", "the relay's key"])
async def test_a_strangers_workflow_under_the_closed_cases_number_opens_no_linked_case(
    skipping: WorkflowEnvironment, ring: KeyRing | None
) -> None:
    async with our_worker(skipping, workers()) as queue:
        said = await refusal_of(skipping, queue, ring)
    assert said.startswith("InvalidReturn:") and "none has sealed this start" in said


async def test_what_a_worker_has_sealed_opens_one(skipping: WorkflowEnvironment) -> None:
    async with our_worker(skipping, workers()) as queue:
        assert (await refusal_of(skipping, queue, workers())).startswith(REACHED)


async def test_without_keys_the_number_of_the_parent_is_all_that_is_asked_for(skipping: WorkflowEnvironment) -> None:
    async with our_worker(skipping, None) as queue:
        assert (await refusal_of(skipping, queue, None)).startswith(REACHED)
