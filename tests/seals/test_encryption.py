"""What goes through Temporal is ciphertext there; who has the keys reads it, and who has not stops nothing."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.workflowservice.v1 import RespondActivityTaskCompletedByIdRequest
from temporalio.client import WorkflowFailureError, WorkflowHistory, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from domain.facts import Kind
from domain.trust.encryption import ENCRYPTED, HIDDEN, KEY_ID, PayloadKeys
from tests.seals.encrypted_play import (
    BEFORE,
    CANARY,
    KEYS,
    NEW,
    READS_ONLY,
    EncryptedPlay,
    canary_order,
    everything,
    payloads,
)
from tests.seals.sealed_play import RELAYS, workers
from tests.seals.test_activities import blocking, paid_back_once, pending, where
from tests.seals.test_signals import forged, whole_life
from tests.workflows.orders import one_parcel_order
from tests.workflows.play import Play, kinds
from tests.workflows.world import World
from wire.calls import NamingCalls
from wire.converter import data_converter
from wire.encrypted_payloads import PayloadCipher, UnreadablePayload
from workflows.messages import FactBatch
from workflows.order.messages import CancelOrder
from workflows.order.workflow import Order

THE_SDKS_OWN = {
    "activation_index", "activity_id", "activity_type", "attempt", "backoff", "complete_time", "deprecated", "id",
    "original_schedule_time", "seq",
}  # fmt: skip
"""What the SDK's core writes into its markers, past every codec."""
Plays = Callable[[], AbstractAsyncContextManager[EncryptedPlay]]


@pytest.fixture
def encrypted(skipping: WorkflowEnvironment) -> Plays:
    @asynccontextmanager
    async def open_play() -> AsyncIterator[EncryptedPlay]:
        play = EncryptedPlay(skipping, f"test-{uuid.uuid4().hex}", World())
        async with play.worker():
            yield play
        play.world.check()

    return open_play


async def test_a_whole_life_is_ciphertext_in_its_history(encrypted: Plays) -> None:
    async with encrypted() as play:
        await play.start_paid(canary_order())
        await whole_life(play)
        history = await play.history()
    held = everything(history)
    assert [word for word in CANARY if word.encode() in held] == []
    in_clear = [p for e in history.events for p in payloads(e) if p.metadata["encoding"] != ENCRYPTED]
    assert {name for p in in_clear for name in json.loads(p.data)} <= THE_SDKS_OWN
    assert kinds(history)["WORKFLOW_TASK_FAILED"] == 0
    assert play.refused() == []


async def test_encryption_costs_no_event(encrypted: Plays, skipping: WorkflowEnvironment) -> None:
    counts = []
    plain = Play(skipping, f"test-{uuid.uuid4().hex}", World())
    async with plain.worker(), encrypted() as play:
        for each in (plain, play):
            await each.start_paid(one_parcel_order())
            await whole_life(each)
            counts.append(kinds(await each.history()))
    assert counts[0] == counts[1]


async def replayed(history: WorkflowHistory, keys: PayloadKeys | None) -> Exception | None:
    replayer = Replayer(
        workflows=[Order], data_converter=data_converter(workers(), keys), workflow_runner=NamingCalls(),
        build_id="tests",
    )  # fmt: skip
    return (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure


async def test_an_encrypted_history_replays_with_its_keys_and_waits_without_them(encrypted: Plays) -> None:
    async with encrypted() as play:
        await play.start_paid(one_parcel_order())
        await whole_life(play)
        history = await play.history()
    assert await replayed(history, KEYS) is None
    assert await replayed(history, READS_ONLY) is None
    assert await replayed(history, BEFORE) is not None


@pytest.mark.parametrize("before", [None, READS_ONLY, BEFORE], ids=["without keys", "in clear", "with an old key"])
async def test_an_order_goes_on_when_its_worker_begins_to_write_with_another_key(
    skipping: WorkflowEnvironment, before: PayloadKeys | None
) -> None:
    """A rolling change, and a rotation."""
    play = EncryptedPlay(skipping, f"test-{uuid.uuid4().hex}", World())
    play.keys = play.backend = before
    async with play.worker():
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.PICKING, 1)
    play.keys = KEYS
    async with play.worker():
        await play.happens(Kind.PACKED, 1)
        if before is BEFORE:
            return_to_old = play.handle
            play.backend = KEYS
            play.handle = play.people().get_workflow_handle_for(Order.run, return_to_old.id)
        await play.happens(Kind.WAYBILL_RETURNED, 1)
        await play.happens(Kind.SIGNED, 1)
        play.backend = KEYS
        play.handle = play.people().get_workflow_handle(play.handle.id, result_type=str)
        await play.confirm()
        assert await play.finish() == "COMPLETED"
        history = await play.history()
    written = {p.metadata.get(KEY_ID, b"").decode() for e in history.events for p in payloads(e)}
    assert written >= {"2026", "2025" if before is BEFORE else ""}
    assert kinds(history)["WORKFLOW_TASK_FAILED"] == 0
    play.world.check()
    assert await replayed(history, KEYS) is None


STRANGERS_KEYS = PayloadKeys({"2026": b"x" * 32}, own="2026")
"""Under the name of ours."""
UNKNOWN_KEYS = PayloadKeys({"nobody's": b"x" * 32}, own="nobody's")


def unreadable(message: Any, workflow_id: str) -> dict[str, Payload]:
    """The same message in every shape that our process cannot decrypt."""
    plain = Payload(metadata={"encoding": b"json/plain"}, data=message.model_dump_json().encode())
    genuine = PayloadCipher(KEYS).encrypted(plain, workflow_id)
    elsewhere = PayloadCipher(KEYS).encrypted(plain, "order/SO-OF-ANOTHER")
    unbound = Payload(metadata={**genuine.metadata}, data=genuine.data)
    del unbound.metadata["encryption-workflow-id"]
    no_name = Payload(metadata={**genuine.metadata}, data=genuine.data)
    del no_name.metadata[KEY_ID]
    return {
        "a stranger's key under the name of ours": PayloadCipher(STRANGERS_KEYS).encrypted(plain, workflow_id),
        "a key that nobody knows": PayloadCipher(UNKNOWN_KEYS).encrypted(plain, workflow_id),
        "another workflow's": elsewhere,
        "bound to nothing": unbound,
        "no key's name": no_name,
        "cut": Payload(metadata=genuine.metadata, data=genuine.data[:-1]),
        "empty": Payload(metadata=genuine.metadata),
        "a name that is no text": Payload(
            metadata={**genuine.metadata, KEY_ID: b"\xff\xfe", "encryption-workflow-id": b"\xff"}, data=genuine.data
        ),
        "no payload inside": Payload(
            metadata=genuine.metadata, data=cipher_text(b"\xff\xff\xff", workflow_id)
        ),
    }  # fmt: skip


def cipher_text(plain: bytes, workflow_id: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return b"0" * 12 + AESGCM(NEW["2026"]).encrypt(b"0" * 12, plain, f"binary/encrypted:2026:{workflow_id}".encode())


SHAPES = sorted(unreadable(CancelOrder(by="x", reason="x"), "order/X"))


@pytest.mark.parametrize("shape", SHAPES)
async def test_what_a_stranger_encrypts_moves_nothing_and_stops_nothing(encrypted: Plays, shape: str) -> None:
    async with encrypted() as play:
        await play.start_paid(one_parcel_order())
        told = RawValue(unreadable(forged(play, Kind.SIGNED), play.handle.id)[shape])
        for name in ("facts", "case_opened", "whatever"):
            await play.stranger().signal(name, told)
        asked = RawValue(unreadable(CancelOrder(by="x", reason="x"), play.handle.id)[shape])
        with pytest.raises(WorkflowUpdateFailedError):
            await play.stranger().execute_update("cancel", asked)
        await play.rest()
        assert play.refused() == [("facts", 1)], "the others are counted"
        assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 0
        assert (await play.view()).open_tickets == ()
        await whole_life(play)


async def test_an_update_that_cannot_be_read_says_so(encrypted: Plays) -> None:
    async with encrypted() as play:
        await play.start_paid(one_parcel_order())
        play.backend = UNKNOWN_KEYS
        stranger = play.people().get_workflow_handle(play.handle.id)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await stranger.execute_update("cancel", CancelOrder(by="x", reason="x"))
        cause = refused.value.cause
        assert isinstance(cause, ApplicationError)
        assert (cause.type, cause.message) == ("BadMessage", HIDDEN), "its words are encrypted, too"
        with pytest.raises(UnreadablePayload, match="payload key 2026"):
            await stranger.query("view")
        await whole_life(play)


async def test_a_start_that_cannot_be_read_is_refused_and_says_why(encrypted: Plays) -> None:
    async with encrypted() as play:
        play.backend = UNKNOWN_KEYS
        await play.begin(one_parcel_order())
        play.backend = KEYS
        with pytest.raises(WorkflowFailureError) as refused:
            await play.people().get_workflow_handle(play.handle.id).result()
        cause = refused.value.cause
        assert isinstance(cause, ApplicationError)
        assert "payload key nobodys, which is not here" in cause.message


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_answer_that_a_stranger_encrypts_is_asked_about_and_ends_no_refund(
    encrypted: Plays, shape: str
) -> None:
    async with encrypted() as play:
        play.may_refund.clear()
        await play.start_paid(one_parcel_order())
        asking = await play.send_cancel_and_go_on()
        told = unreadable(CancelOrder(by="x", reason="x"), play.handle.id)[shape]
        request = RespondActivityTaskCompletedByIdRequest(
            **where(play, await pending(play, "payment.refund")), result=Payloads(payloads=[told])
        )
        await play.env.client.workflow_service.respond_activity_task_completed_by_id(request)
        assert "somebody else" in (await blocking(play)).error
        await paid_back_once(play)
        await asking


async def test_what_the_relay_has_sealed_waits_for_its_key_and_is_not_misjudged(skipping: WorkflowEnvironment) -> None:
    """A verdict without the key could not be replayed with it."""
    play = EncryptedPlay(skipping, f"test-{uuid.uuid4().hex}", World())
    play.keys = play.backend = BEFORE
    async with play.worker():
        await play.start(one_parcel_order())
        play.keys = PayloadKeys(NEW, own="2026")
        paid = await play.buyer_pays()
        await play.say("facts", FactBatch(facts=(paid.model_copy(update={"inbox_id": 10**9}),)), RELAYS)
        await play.failed_tasks(1)
    play.keys = play.backend = KEYS
    async with play.worker():
        play.handle = play.people().get_workflow_handle(play.handle.id, result_type=str)
        async with asyncio.timeout(20):
            while (await play.view()).payment_status.value != "PAID":
                await asyncio.sleep(0.02)
        await whole_life(play)
        assert play.refused() == []


async def test_a_failure_shows_its_type_and_hides_its_words(encrypted: Plays) -> None:
    async with encrypted() as play:
        message = canary_order().model_dump(mode="json") | {CANARY[0]: 44}
        await play.begin(message)  # type: ignore[arg-type]
        with pytest.raises(WorkflowFailureError) as refused:
            await play.handle.result()
        last = (await play.history()).events[-1].workflow_execution_failed_event_attributes.failure
    cause = refused.value.cause
    assert isinstance(cause, ApplicationError)
    assert (last.message, last.stack_trace, last.application_failure_info.type) == (HIDDEN, "", cause.type)
    assert CANARY[0] in cause.message
