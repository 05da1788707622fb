"""An answer is the answer to one call: what a worker of ours has said before, and a stranger repeats, is nobody's."""

import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import (
    ResetWorkflowExecutionRequest,
    RespondActivityTaskCompletedByIdRequest,
)
from temporalio.client import WorkflowHistory
from temporalio.converter import ActivitySerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner

from activities.messages import PaymentQuery, PaymentState
from bench.faults.strangers import plain
from domain.call_outcome import CallOutcome
from domain.facts import Kind
from domain.trust.seals import KeyRing, Unsealed
from tests.seals.sealed_play import SealedPlay, workers
from tests.seals.test_activities import blocking, failed, pending, where
from tests.seals.test_signals import whole_life
from tests.seals.test_told_again import first_answer
from tests.workflows.orders import one_parcel_order
from tests.workflows.play import kinds
from tests.workflows.world import World
from wire.calls import CallContext, NamingCalls, asked_as, workflow_runner
from wire.converter import data_converter
from workflows.durable.guarded import outcome
from workflows.durable.seals import nobodys
from workflows.order.workflow import Order


class OldRunner(UnsandboxedWorkflowRunner):
    """Of a version whose seals did not say which call."""


def play_of(env: WorkflowEnvironment) -> SealedPlay:
    return SealedPlay(env, f"test-{uuid.uuid4().hex}", World())


class Held:
    """An activity whose first call is done at once, and every later one when `may_go` is set."""

    def __init__(self, genuine: Any) -> None:
        self._genuine = genuine
        self._calls = 0
        self.may_go = asyncio.Event()

    async def __call__(self, call: Any) -> Any:
        self._calls += 1
        if self._calls > 1:
            await self.may_go.wait()
        return await self._genuine(call)


async def test_an_earlier_answer_says_nothing_of_a_later_call(skipping: WorkflowEnvironment) -> None:
    """What the channel said before the buyer paid is genuine, and of this order and this activity."""
    play = play_of(skipping)
    held = Held(play.world.channel.query)

    @activity.defn(name="payment.query")
    async def query(call: PaymentQuery) -> PaymentState:
        answer: PaymentState = await held(call)
        return answer

    play.world.channel.query = query  # type: ignore[method-assign]
    async with play.worker():
        await play.start(one_parcel_order())
        play.world.channel.trades[play.order.order_no] = "ODD"
        await play.pass_time(timedelta(hours=1))
        before = await first_answer(play, "payment.query")
        await play.buyer_pays()
        asking = asyncio.ensure_future(play.resolve("retry"))
        request = RespondActivityTaskCompletedByIdRequest(
            **where(play, await pending(play, "payment.query")), result=Payloads(payloads=[before])
        )
        await play.env.client.workflow_service.respond_activity_task_completed_by_id(request)
        assert "somebody else" in (await blocking(play)).error
        held.may_go.set()
        await asking
        await play.resolve("retry")
        assert (await play.view()).payment_status == "PAID"
        await whole_life(play)
        assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 0


async def life(env: WorkflowEnvironment, runner: WorkflowRunner) -> WorkflowHistory:
    play = play_of(env)
    play.runner = runner
    async with play.worker():
        await play.start_paid(one_parcel_order())
        await whole_life(play)
        return await play.history()


async def replayed(history: WorkflowHistory, ring: KeyRing) -> Exception | None:
    replayer = Replayer(
        workflows=[Order], data_converter=data_converter(ring, None), workflow_runner=NamingCalls(), build_id="tests"
    )
    return (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure


async def test_answers_of_before_calls_had_names_count_until_the_moment_that_is_set(
    skipping: WorkflowEnvironment,
) -> None:
    history = await life(skipping, OldRunner())
    over = datetime.now(UTC) + timedelta(days=365)
    assert await replayed(history, replace(workers(), calls_since=over)) is None
    assert await replayed(history, workers()) is not None
    assert await replayed(history, replace(workers(), calls_since=over - timedelta(days=730))) is not None


async def test_a_worker_of_before_reads_what_names_calls(skipping: WorkflowEnvironment) -> None:
    """A rolling change: both kinds work side by side until the moment."""
    play = play_of(skipping)
    play.calls_since = datetime.now(UTC) + timedelta(days=365)
    async with play.worker():
        await play.start_paid(one_parcel_order())
    play.runner = OldRunner()
    async with play.worker():
        await play.happens(Kind.PICKING, 1)
        await play.happens(Kind.PACKED, 1)
    play.runner = NamingCalls()
    async with play.worker():
        await whole_life(play)
        assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 0


async def test_an_order_that_is_reset_believes_what_it_heard_before(skipping: WorkflowEnvironment) -> None:
    play = play_of(skipping)
    async with play.worker():
        await play.start_paid(one_parcel_order())
        for _ in range(2):
            await reset(play)
            play.handle = play.env.client.get_workflow_handle(play.handle.id, result_type=str)
            await play.rest()
        await whole_life(play)
        assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 2, "the server's own word for a reset"


async def reset(play: SealedPlay) -> None:
    """To the last task that ended well, as the runbook says."""
    events = (await play.history()).events
    done = [e.event_id for e in events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    description = await play.handle.describe()
    await play.env.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=play.env.client.namespace, reason="a test", request_id=uuid.uuid4().hex,
            workflow_execution=WorkflowExecution(workflow_id=play.handle.id, run_id=description.run_id),
            workflow_task_finish_event_id=done[-1],
        )
    )  # fmt: skip


def asked(call: str) -> CallContext:
    return CallContext(
        namespace="default", activity_id=None, activity_type="wms.push", activity_task_queue="q",
        workflow_id="order/SO1", workflow_type="Order", is_local=False, call=call,
    )  # fmt: skip


DOING = ActivitySerializationContext(
    namespace="default", activity_id="7", activity_type="wms.push", activity_task_queue="q", workflow_id="order/SO1",
    workflow_type="Order", is_local=False,
)  # fmt: skip


async def test_an_earlier_refusal_says_nothing_of_a_later_call() -> None:
    """Believed, it would say of a refund that is under way that it was certainly not done."""
    converter = data_converter(workers(), None)
    await told("run/3")
    error = ApplicationError("the warehouse says no", type=CallOutcome.REFUSED, non_retryable=True)
    failure = await failed(converter.with_context(DOING), error)
    for call, outcome_of_it in (("run/3", CallOutcome.REFUSED), ("run/7", CallOutcome.UNKNOWN)):
        raised = nobodys("wms.push")
        raised.__cause__ = await converter.with_context(asked(call)).decode_failure(failure)
        assert outcome(raised) is outcome_of_it, call


async def told(call: str) -> Payload:
    """What an attempt at this call has told."""
    converter = data_converter(workers(), None)
    (question,) = await converter.with_context(asked(call)).encode([{"items": []}])
    await converter.with_context(DOING).decode([question])
    (heartbeat,) = await converter.with_context(DOING).encode([{"attempt": 1}])
    return heartbeat


async def test_what_an_attempt_at_another_call_has_told_is_nobodys() -> None:
    """A heartbeat says which parts of a batch are done."""
    mine, others = await told("run/7"), await told("run/3")
    reading = data_converter(workers(), None).with_context(DOING)
    asked_as.set("run/7")
    assert await reading.decode([mine]) == [{"attempt": 1}]
    (found,) = await reading.decode([others])
    assert isinstance(found, Unsealed)
    (stranger,) = await reading.decode([plain('{"attempt": 1}')])
    assert isinstance(stranger, Unsealed)


@pytest.mark.parametrize("sandboxed", [True, False])
def test_our_workers_say_which_call(sandboxed: bool) -> None:
    runner = workflow_runner(sandboxed=sandboxed)
    assert getattr(runner, "runner_class", type(runner)) is NamingCalls
