"""What one of ours has sealed, told once more by a stranger: under another key's name, or as an answer to what it never
answered. None of it stops an order."""

import asyncio
import uuid

import pytest
from temporalio import activity
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
)
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.batch_progress import BatchProgress, told
from activities.messages import Booking, ChildCall, InterceptOutcome, PushBatch, PushOutcome, PushOutcomes
from bench.faults.strangers import plain
from domain.approvals import RefusalCode
from domain.call_outcome import CallOutcome
from domain.trust.seals import Unsealed
from tests.approvals.world import question
from tests.seals.conftest import SealedPlays
from tests.seals.encrypted_play import EncryptedPlay
from tests.seals.sealed_play import SealedPlay
from tests.seals.test_activities import blocking, paid_back_once, pending, where
from tests.seals.test_signals import whole_life
from tests.workflows.orders import one_parcel_order, two_parcel_order
from tests.workflows.play import Play, kinds
from tests.workflows.world import World
from workflows.approvals.approvals import Approvals
from workflows.shipping.warehouse import _of_each


async def first_payload(play: Play, activity_type: str = "") -> Payload:
    """Of what the activity was asked, else of the first facts."""
    for e in (await play.history()).events:
        asked, signal = e.activity_task_scheduled_event_attributes, e.workflow_execution_signaled_event_attributes
        if activity_type and asked.activity_type.name == activity_type:
            return asked.input.payloads[0]
        if not activity_type and signal.signal_name == "facts":
            return signal.input.payloads[0]
    raise AssertionError("not in the history")


@pytest.mark.parametrize(
    "changed",
    [{"encryption-key-id": b"gone"}, {"encryption-workflow-id": b"order/X"}, {"encryption-workflow-id": b""}],
    ids=["another key", "another workflow", "no workflow"],
)
async def test_a_sealed_signal_under_another_name_stops_nothing(
    skipping: WorkflowEnvironment, changed: dict[str, bytes]
) -> None:
    play = EncryptedPlay(skipping, f"test-{uuid.uuid4().hex}", World())
    async with play.worker():
        await play.start_paid(one_parcel_order())
        genuine = await first_payload(play)
        told_again = Payload(metadata={**genuine.metadata, **changed}, data=genuine.data)
        await play.stranger().signal("facts", RawValue(told_again))
        await play.rest()
        assert play.refused() == [("facts", 1)]
        assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 0
        await whole_life(play)


async def test_what_an_activity_was_asked_is_not_its_answer(sealed: SealedPlays) -> None:
    async with sealed() as play:
        play.may_refund.clear()
        await play.start_paid(one_parcel_order())
        asking = await play.send_cancel_and_go_on()
        number = await pending(play, "payment.refund")
        answer = Payloads(payloads=[await first_payload(play, "payment.refund")])
        request = RespondActivityTaskCompletedByIdRequest(**where(play, number), result=answer)
        await play.env.client.workflow_service.respond_activity_task_completed_by_id(request)
        assert "somebody else" in (await blocking(play)).error
        await paid_back_once(play)
        await asking


async def test_a_strangers_word_on_the_parts_of_a_batch_stops_nothing(skipping: WorkflowEnvironment) -> None:
    play = SealedPlay(skipping, f"test-{uuid.uuid4().hex}", World())
    may_push, genuine = asyncio.Event(), play.world.goods.push

    @activity.defn(name="wms.push")
    async def push(call: PushBatch) -> PushOutcomes:
        await may_push.wait()
        return await genuine(call)

    play.world.goods.push = push  # type: ignore[method-assign]
    async with play.worker():
        await play.start(one_parcel_order())
        paying = asyncio.ensure_future(play.pay())
        request = RespondActivityTaskFailedByIdRequest(**where(play, await pending(play, "wms.push")))
        request.failure.application_failure_info.type = CallOutcome.PARTIAL
        request.failure.application_failure_info.non_retryable = True
        request.failure.application_failure_info.details.payloads.append(plain('[{"child_no": "mine"}]'))
        await play.env.client.workflow_service.respond_activity_task_failed_by_id(request)
        await blocking(play)
        may_push.set()
        await paying
        await play.resolve("retry")
        await whole_life(play)
        assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 0


@pytest.mark.parametrize("details", [[Unsealed("wms.push", None, lambda: 1)], [{"items": []}], ["x"], [None]])
def test_a_strangers_heartbeat_says_nothing_of_a_batch(details: list[object]) -> None:
    assert told(details) == BatchProgress(attempt=0)


def test_the_answer_to_another_batch_is_nobodys() -> None:
    address = one_parcel_order().address
    asked = [Booking(child_no=n, address=address, weight_g=1, pieces=1) for n in ("C-01", "C-02")]
    right = [PushOutcome(child_no="C-01"), PushOutcome(child_no="C-02")]
    assert _of_each(right, asked, "wms.push") == right
    for wrong in (right[:1], [*reversed(right)], []):
        with pytest.raises(ActivityError):
            _of_each(wrong, asked, "wms.push")


@pytest.mark.parametrize("standing", ["another approval's", "words", "unsealed"])
def test_who_decided_is_not_learned_from_a_stranger(standing: str) -> None:
    first, second = question(1), question(2)
    approvals = Approvals()
    approvals.keep(second)
    details = {
        "another approval's": {
            "approval_id": first.approval_id, "decision": "approve", "person_id": "u-fin", "role": "FINANCE",
            "on_behalf_of": None, "remark": "seen", "at": "2026-11-20T08:00:00Z", "content_hash": first.content_hash,
        },
        "words": {"message": "no", "stack_trace": "", "type": "ALREADY_DECIDED"},
        "unsealed": Unsealed("approvals.decide", None, lambda: 1),
    }  # fmt: skip
    error = ApplicationError("it was decided", details[standing], type=RefusalCode.ALREADY_DECIDED)
    approvals._learn(second.approval_id, error)
    assert second.approval_id in approvals.asked


async def test_that_one_parcel_was_stopped_says_nothing_of_another(skipping: WorkflowEnvironment) -> None:
    """Its money would go back while it is on its way."""
    play = SealedPlay(skipping, f"test-{uuid.uuid4().hex}", World())
    may_stop, genuine = asyncio.Event(), play.world.goods.cancel

    @activity.defn(name="wms.cancel")
    async def cancel(call: ChildCall) -> InterceptOutcome:
        if call.child_no == play.child(2):
            await may_stop.wait()
        return await genuine(call)

    play.world.goods.cancel = cancel  # type: ignore[method-assign]
    async with play.worker():
        await play.start_paid(two_parcel_order())
        asking = await play.send_cancel_and_go_on()
        answer = await first_answer(play, "wms.cancel")
        request = RespondActivityTaskCompletedByIdRequest(
            **where(play, await pending(play, "wms.cancel")), result=Payloads(payloads=[answer])
        )
        await play.env.client.workflow_service.respond_activity_task_completed_by_id(request)
        assert "somebody else" in (await blocking(play)).error
        assert play.order.payable_minor not in play.world.channel.refunds.values()
        may_stop.set()
        await play.resolve("retry")
        await asking
        await play.finish()


async def first_answer(play: Play, activity_type: str) -> Payload:
    async with asyncio.timeout(20):
        while True:
            events = (await play.history()).events
            asked = [e.event_id for e in events if type_of(e) == activity_type]
            for e in events:
                done = e.activity_task_completed_event_attributes
                if done.scheduled_event_id in asked:
                    return done.result.payloads[0]
            await asyncio.sleep(0.02)


def type_of(event: HistoryEvent) -> str:
    return event.activity_task_scheduled_event_attributes.activity_type.name
