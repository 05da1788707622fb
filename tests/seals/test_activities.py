"""An activity is done for our workflows alone, and its answer is a worker's or nobody's."""

import asyncio
import json
from typing import Any

import pytest
from temporalio.activity import _Definition
from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import (
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
)
from temporalio.common import RawValue
from temporalio.converter import ActivitySerializationContext, DataConverter
from temporalio.exceptions import ActivityError, ApplicationError

from bench.faults.strangers import Impostor, Stranger, plain, refusals
from domain.call_outcome import CallOutcome
from domain.records import TicketRecord
from tests.seals.conftest import SealedPlays
from tests.seals.sealed_play import SealedPlay, workers
from tests.workflows.orders import one_parcel_order
from tests.workflows.play import kinds
from wire.converter import data_converter
from workflows.durable.guarded import outcome


def names(play: SealedPlay) -> list[str]:
    return [str(_Definition.must_from_callable(method).name) for method in play.world.activities()]


@pytest.mark.parametrize("kind", [Impostor, Stranger])
async def test_a_strangers_workflow_is_refused_every_activity(sealed: SealedPlays, kind: type[Stranger]) -> None:
    async with sealed() as play:
        await play.start_paid(one_parcel_order())
        calls = dict(play.world.calls)
        found = await refusals(play.env.client, play.queue, kind, names(play), RawValue(plain("{}")), play.queue)
        assert set(found) == {"NotOurs"}
        assert dict(play.world.calls) == calls


async def test_what_a_worker_has_sealed_for_one_workflow_asks_nothing_for_another(sealed: SealedPlays) -> None:
    async with sealed() as play:
        await play.start_paid(one_parcel_order())
        await play.cancel()
        (genuine,) = [
            e.activity_task_scheduled_event_attributes.input.payloads[0]
            for e in (await play.history()).events
            if e.activity_task_scheduled_event_attributes.activity_type.name == "payment.refund"
        ]
        before = len(play.world.channel.refund_calls)
        assert set(
            await refusals(play.env.client, play.queue, Impostor, ["payment.refund"], RawValue(genuine), play.queue)
        ) == {"NotOurs"}
        assert len(play.world.channel.refund_calls) == before == 1
        await play.finish()


async def pending(play: SealedPlay, activity: str) -> str:
    """The number of one that has begun and waits for its next attempt."""
    async with asyncio.timeout(20):
        while True:
            raw = (await play.handle.describe()).raw_description
            found = [a.activity_id for a in raw.pending_activities if a.activity_type.name == activity]
            if found:
                return str(found[0])
            await asyncio.sleep(0.01)


def where(play: SealedPlay, activity_id: str) -> dict[str, Any]:
    return {
        "namespace": play.env.client.namespace,
        "workflow_id": play.handle.id,
        "activity_id": activity_id,
        "identity": "a stranger",
    }


SUCCESS = {
    "state": "SUCCEEDED",
    "fact": {
        "key": "wechat:refund:mine", "kind": "REFUND_SUCCEEDED", "source": "wechat",
        "occurred_at": "2026-03-02T00:00:00Z",
    },
}  # fmt: skip


async def blocking(play: SealedPlay) -> TicketRecord:
    """The one question that is asked in the end."""
    async with asyncio.timeout(20):
        while not (found := [t for t in await play.tickets() if t.severity != "info"]):
            await asyncio.sleep(0.01)
    (ticket,) = found
    return ticket


async def paid_back_once(play: SealedPlay) -> None:
    """The real call comes to its end, and a person has the refund tried again."""
    play.may_refund.set()
    await play.resolve("retry")
    await play.finish()
    assert list(play.world.channel.refunds.values()) == [play.order.payable_minor]
    assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 0


async def test_an_answer_that_no_worker_gave_is_asked_about_and_ends_no_refund(sealed: SealedPlays) -> None:
    """Who may write to the namespace can answer an activity by its number."""
    async with sealed() as play:
        play.may_refund.clear()
        await play.start_paid(one_parcel_order())
        asking = await play.send_cancel_and_go_on()
        told = plain(json.dumps(SUCCESS))
        request = RespondActivityTaskCompletedByIdRequest(
            **where(play, await pending(play, "payment.refund")), result=Payloads(payloads=[told])
        )
        await play.env.client.workflow_service.respond_activity_task_completed_by_id(request)
        assert "somebody else" in (await blocking(play)).error
        assert play.world.channel.refunds == {}
        await paid_back_once(play)
        await asking


async def test_a_failure_that_no_worker_told_stops_nothing(sealed: SealedPlays) -> None:
    async with sealed() as play:
        play.may_refund.clear()
        await play.start_paid(one_parcel_order())
        asking = await play.send_cancel_and_go_on()
        request = RespondActivityTaskFailedByIdRequest(**where(play, await pending(play, "payment.refund")))
        request.failure.CopyFrom(refusal())
        await play.env.client.workflow_service.respond_activity_task_failed_by_id(request)
        await blocking(play)
        await paid_back_once(play)
        await asking


def refusal() -> Failure:
    """ "Certainly not done", as a stranger may say it."""
    failure = Failure(message="refused: it was not done")
    failure.application_failure_info.type = CallOutcome.REFUSED
    failure.application_failure_info.non_retryable = True
    return failure


async def failed(converter: DataConverter, error: Exception) -> Failure:
    failure = Failure()
    await converter.encode_failure(error, failure)
    return failure


async def outcome_of(failure: Failure, workflow_id: str = "order/SO1", activity: str = "wms.cancel") -> CallOutcome:
    cause = await converter_of(workflow_id, activity).decode_failure(failure)
    error = ActivityError(
        "it failed", scheduled_event_id=1, started_event_id=2, identity="", activity_type=activity, activity_id="1",
        retry_state=None,
    )  # fmt: skip
    error.__cause__ = cause
    return outcome(error)


def converter_of(workflow_id: str, activity: str) -> DataConverter:
    context = ActivitySerializationContext(
        namespace="default", activity_id="1", activity_type=activity, activity_task_queue="q", workflow_id=workflow_id,
        workflow_type="Order", is_local=False,
    )  # fmt: skip
    return data_converter(workers(), None).with_context(context)


async def test_only_a_workers_refusal_says_that_nothing_was_done() -> None:
    error = ApplicationError("the warehouse says no", type=CallOutcome.REFUSED, non_retryable=True)
    told = await failed(converter_of("order/SO1", "wms.cancel"), error)
    assert await outcome_of(told) is CallOutcome.REFUSED
    assert told.message == "the warehouse says no", "people read it in the Web UI"
    assert await outcome_of(refusal()) is CallOutcome.UNKNOWN
    assert await outcome_of(told, workflow_id="order/SO2") is CallOutcome.UNKNOWN
    assert await outcome_of(told, activity="wms.push") is CallOutcome.UNKNOWN
    told.application_failure_info.type = CallOutcome.RETRY
    assert await outcome_of(told) is CallOutcome.UNKNOWN
