"""Stands where the order workflow stands, and only writes down which signals it got."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from workflows.messages import FactBatch, order_workflow_id

QUEUE = "relay-tests"


@workflow.defn(name="Order")
class Recorder:
    @workflow.init
    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.inbox_ids: list[int | None] = []
        self.over = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.over)

    @workflow.signal
    def facts(self, batch: FactBatch) -> None:
        self.batches.append([fact.key for fact in batch.facts])
        self.inbox_ids += [fact.inbox_id for fact in batch.facts]

    @workflow.signal
    def end(self) -> None:
        self.over = True

    @workflow.query
    def seen(self) -> list[list[str]]:
        return self.batches

    @workflow.query
    def rows(self) -> list[int | None]:
        return self.inbox_ids


@asynccontextmanager
async def recording(client: Client) -> AsyncIterator[None]:
    worker = Worker(
        client, task_queue=QUEUE, workflows=[Recorder], workflow_runner=UnsandboxedWorkflowRunner(),
        build_id="tests",
    )  # fmt: skip
    async with worker:
        yield


async def record(client: Client, order_no: str) -> WorkflowHandle[Recorder, None]:
    return await client.start_workflow(Recorder.run, id=order_workflow_id(order_no), task_queue=QUEUE)
