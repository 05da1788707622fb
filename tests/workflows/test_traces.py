"""One order's trace shows what the order does as the children of the order, and names whose messages made it do so."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.facts import Kind
from tests.spans import seen, traced
from tests.workflows.orders import one_parcel_order
from tests.workflows.play import Play
from tests.workflows.test_border import paid
from tests.workflows.world import World
from workflows.order.workflow import Order

CANCEL = ("HandleUpdate:cancel", "StartWorkflowUpdate:cancel")
ORDER = ("RunWorkflow:Order", "StartWorkflow:Order")
ABOVE = {
    "store.register": {ORDER}, "store.settle": {ORDER}, "store.write": {ORDER, CANCEL}, "customs.declare": {ORDER},
    "payment.refund": {CANCEL},
}  # fmt: skip


class TracedPlay(Play):
    """Client and worker trace, as ours do. `cached`: workflows that a worker remembers; of the others it reads anew."""

    cached = 1000

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        untraced = self.env._client
        self.env._client = traced(untraced)
        try:
            async with Worker(
                self.env.client, task_queue=self.queue, workflows=[Order], activities=self.world.activities(),
                workflow_runner=UnsandboxedWorkflowRunner(), build_id="tests", max_cached_workflows=self.cached,
            ):  # fmt: skip
                yield
        finally:
            self.env._client = untraced


@pytest.fixture
def play(skipping: WorkflowEnvironment) -> TracedPlay:
    return TracedPlay(skipping, f"test-{uuid.uuid4().hex}", World())


@pytest.mark.parametrize("cached", [1000, 0])
async def test_what_an_order_does_hangs_below_it_while_it_still_runs(play: TracedPlay, cached: int) -> None:
    play.cached = cached
    with seen() as spans:
        async with play.worker():
            await paid(play)
            await play.happens(Kind.PICKING, 1)
            await play.cancel()
        assert spans.in_the_air() == set()
        assert spans.lines("RunWorkflow:Order") == {ORDER[1:]}
        for step, above in ABOVE.items():
            assert {line[1:] for line in spans.lines(f"RunActivity:{step}")} == above, step
        assert len(spans.named("RunWorkflow:Order")) == 1, "what is only read again is not told again"


@pytest.mark.parametrize("cached", [1000, 0])
async def test_a_step_of_the_order_names_whose_messages_came_before_it(play: TracedPlay, cached: int) -> None:
    play.cached = cached
    with seen() as spans:
        async with play.worker():
            await play.start(one_parcel_order())
            assert spans.askers("StartActivity:store.write") == set(), "nobody but who has started it"
            await play.pay()
            await play.cancel()
        assert spans.askers("StartActivity:store.settle") == {"SignalWorkflow:facts"}
        assert spans.askers("StartActivity:store.write") == {"StartWorkflowUpdate:cancel"}
        assert {len(span.links) for span in spans.named("StartActivity:store.settle")} == {1}


async def test_a_step_that_a_message_begins_stands_in_the_trace_of_its_sender(play: TracedPlay) -> None:
    with seen() as spans:
        async with play.worker():
            await play.start_paid(one_parcel_order())
        (line,) = spans.lines("RunActivity:wms.push")
        assert line == ("StartActivity:wms.push", "HandleSignal:facts", "SignalWorkflow:facts")
        assert spans.askers("StartActivity:wms.push") == set()
