"""What a batch knows survives the worker: the server keeps its last word, between attempts and after the last one."""

import asyncio
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from domain.facts import Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import parcels_order

with workflow.unsafe.imports_passed_through():
    from activities.messages import Call, Failure, Pushed, PushOutcome
    from activities.provider_errors import each
    from providers.errors import Unavailable
    from workflows.durable.batching import Batcher

DONE, DYING, BUSY = "done", "dying", "busy"


class Push:
    """`done` arrives; while `dying` is called for the `dies`th time its worker dies; `busy` is throttled."""

    def __init__(self, dies: int) -> None:
        self.calls: Counter[str] = Counter()
        self._dies = dies

    @activity.defn(name="push")
    async def push(self, names: list[str]) -> list[PushOutcome]:
        return list(await each(Call(backoff_s=(0,)), names, self._one, _outcome))

    async def _one(self, name: str) -> Pushed:
        self.calls[name] += 1
        if name == DYING and self.calls[name] == self._dies:
            activity.raise_complete_async()  # nobody ever completes it
        if name != DONE:
            raise Unavailable("fake", "429", "throttled")
        return Pushed(wms_ref="W")


def _outcome(item: str, done: Pushed | None, failed: Failure | None) -> PushOutcome:
    return PushOutcome(child_no=item, done=done, failed=failed)


@workflow.defn(name="TestBatch", sandboxed=False)
class Batch:
    """Three branches, one activity of three attempts. Answers how each came out."""

    @workflow.run
    async def run(self) -> dict[str, str]:
        together = Batcher[str, PushOutcome](_send, PushOutcome.model_validate)
        branches = {name: asyncio.ensure_future(together(name)) for name in (DONE, BUSY, DYING)}
        found: dict[str, str] = {}
        for name, branch in branches.items():
            try:
                outcome = await branch
                found[name] = outcome.failed.outcome if outcome.failed else "done"
            except ActivityError:
                found[name] = "nobody knows"
        return found


async def _send(names: tuple[str, ...]) -> list[PushOutcome]:
    outcomes: list[PushOutcome] = await workflow.execute_activity(
        "push",
        list(names),
        result_type=list[PushOutcome],
        start_to_close_timeout=timedelta(seconds=1),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=3),
    )
    return outcomes


@pytest.mark.parametrize(
    ("dies", "found"),
    [
        (1, {DONE: "done", BUSY: "retry", DYING: "unknown"}),
        (2, {DONE: "done", BUSY: "retry", DYING: "unknown"}),
        (3, {DONE: "done", BUSY: "nobody knows", DYING: "nobody knows"}),
    ],
    ids=["first", "second", "last"],
)
async def test_what_arrived_is_done_whichever_attempt_loses_its_worker(
    skipping: WorkflowEnvironment, dies: int, found: dict[str, str]
) -> None:
    push, queue = Push(dies), f"test-{uuid.uuid4().hex}"
    async with Worker(skipping.client, task_queue=queue, workflows=[Batch], activities=[push.push], build_id="tests"):
        with skipping.with_time_skipping_disabled():
            handle = await skipping.client.start_workflow(
                "TestBatch", id=queue, task_queue=queue, result_type=dict[str, str]
            )
            assert await handle.result() == found
    assert push.calls[DONE] == 1


async def test_many_parcels_travel_in_batches_of_a_size(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(parcels_order(52))
        await play.happens(Kind.PACKED, *range(1, 53))
        view = await play.view()
        assert len({c.waybill_no for c in view.children}) == 52
        counts: Counter[str] = Counter()
        for event in (await play.history()).events:
            if event.HasField("activity_task_scheduled_event_attributes"):
                counts[event.activity_task_scheduled_event_attributes.activity_type.name] += 1
        assert (counts["wms.push"], counts["carrier.book"]) == (2, 18)
