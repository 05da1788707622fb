"""Nobody is believed by name: a signal that moves something counts only with the seal of the process it comes from."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.common import RawValue
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from domain.facts import Kind
from domain.trust.seals import KeyRing
from tests.raw_messages import STRANGE
from tests.seals.conftest import SealedPlays
from tests.seals.sealed_play import RELAYS, SealedPlay, workers
from tests.workflows.orders import fact, one_parcel_order
from tests.workflows.play import Play, kinds
from tests.workflows.world import World
from tests.workflows.world.channel import Channel
from tests.workflows.world.faults import Faults
from wire.calls import NamingCalls
from wire.converter import data_converter
from workflows.messages import FactBatch
from workflows.order.workflow import Order
from workflows.order_return_signals import CaseClosed, CaseOpened, StopForCase

OWN_KEYS = KeyRing({"relay.1": b"x" * 32}, own="relay.1")
"""A stranger's, under the name of ours."""


def forged(play: SealedPlay, kind: Kind = Kind.PAYMENT_SUCCEEDED) -> FactBatch:
    now = datetime.now(UTC)
    if kind is Kind.PAYMENT_SUCCEEDED:
        paid = Channel(Faults()).pay(play.order.order_no, play.order.payable_minor, now)  # the real one knows nothing
        return FactBatch(facts=(paid.model_copy(update={"inbox_id": 10**9}),))
    return FactBatch(facts=(fact(kind, play.child(1), now).model_copy(update={"inbox_id": 10**9}),))


async def whole_life(play: Play) -> None:
    await play.ships(1)
    await play.happens(Kind.SIGNED, 1)
    await play.confirm()
    assert await play.finish() == "COMPLETED"


async def test_what_the_relay_seals_moves_an_order(sealed: SealedPlays) -> None:
    async with sealed() as play:
        await play.start_paid(one_parcel_order())
        await whole_life(play)
        assert play.refused() == []


@pytest.mark.parametrize("ring", [None, OWN_KEYS, workers()], ids=["no seal", "a stranger's key", "a worker's key"])
async def test_a_payment_that_the_relay_did_not_tell_moves_nothing(sealed: SealedPlays, ring: KeyRing | None) -> None:
    async with sealed() as play:
        await play.start(one_parcel_order())
        await play.say("facts", forged(play), ring)
        await play.rest()
        view = await play.view()
        assert (view.status.value, view.payment_status.value, view.open_tickets) == ("PENDING_PAYMENT", "CREATED", ())
        assert play.refused() == [("facts", 1)]
        await play.pay()
        await whole_life(play)


async def test_a_scan_of_a_stranger_completes_no_order(sealed: SealedPlays) -> None:
    async with sealed() as play:
        await play.start_paid(one_parcel_order())
        await play.say("facts", forged(play, Kind.SIGNED))
        await play.rest()
        assert (await play.statuses())[0] == "AWAITING_SHIPMENT"
        await whole_life(play)


async def test_a_seal_is_for_one_order(sealed: SealedPlays) -> None:
    """What the relay has told an order, and a stranger has read in its history, says nothing to another one."""
    async with sealed() as play:
        await play.start_paid(one_parcel_order())
        told = await sealed_facts(await play.history())
        await play.start(one_parcel_order())
        await play.handle.signal("facts", RawValue(told))
        await play.rest()
        assert (await play.view()).payment_status.value == "CREATED"
        assert [a.action for a in play.world.books.accounts[play.order.order_no].audit] == ["signal.refused"]


async def sealed_facts(history: WorkflowHistory) -> Payload:
    signals = [e.workflow_execution_signaled_event_attributes for e in history.events]
    (found,) = [s.input.payloads[0] for s in signals if s.signal_name == "facts"]
    assert b"relay.1:workflow:" in found.metadata["oms-seal"]
    return found


CASE = {
    "case_opened": CaseOpened(return_no="RT1", stops_parcels=True),
    "case_closed": CaseClosed(return_no="RT1", refunded={"L1": 1}),
    "stop_for_case": StopForCase(return_no="RT1", units=()),
}


@pytest.mark.parametrize("name", CASE)
@pytest.mark.parametrize("ring", [None, OWN_KEYS, RELAYS], ids=["no seal", "a stranger's key", "the relay's key"])
async def test_what_only_a_case_says_counts_from_a_worker_alone(
    sealed: SealedPlays, name: str, ring: KeyRing | None
) -> None:
    async with sealed() as play:
        await play.start_paid(one_parcel_order())
        await play.say(name, CASE[name], ring)
        await play.rest()
        assert play.refused() == [(name, 1)]
        await whole_life(play)


@pytest.mark.parametrize("shape", STRANGE)
async def test_a_strangers_junk_asks_nobody_anything(sealed: SealedPlays, shape: str) -> None:
    async with sealed() as play:
        await play.start_paid(one_parcel_order())
        for name in ("facts", "case_opened", "stop_for_case", "whatever"):
            await play.handle.signal(name, args=STRANGE[shape])
        await play.rest()
        assert await play.tickets() == ()
        assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 0
        await whole_life(play)


async def test_a_flood_leaves_a_row_for_each_power_of_ten(sealed: SealedPlays) -> None:
    async with sealed() as play:
        await play.start_paid(one_parcel_order())
        for _ in range(101):
            await play.say("facts", forged(play, Kind.SIGNED))
        await play.rest()
        assert play.refused() == [("facts", 1), ("facts", 10), ("facts", 100)]


async def test_before_the_change_what_has_no_seal_counts_and_after_it_no_more(sealed: SealedPlays) -> None:
    """An installation that ran without seals: relays of both kinds are believed until the moment that was named."""
    change = datetime.now(UTC) + timedelta(days=2)
    async with sealed(since=change, relay_seals=False) as play:
        await play.start_paid(one_parcel_order())
        play.relay_seals = True
        await play.happens(Kind.PICKING, 1)
        play.relay_seals = False
        await play.happens(Kind.PACKED, 1)
        assert play.refused() == []
        await play.pass_time(timedelta(days=3))
        await play.say("facts", forged(play, Kind.SIGNED))
        await play.rest()
        assert play.refused() == [("facts", 1)]
        history = await play.history()
    await replay(history, workers(change))


@pytest.mark.parametrize("ring", [None, workers()], ids=["without keys", "with keys"])
async def test_a_sealed_history_replays(sealed: SealedPlays, ring: KeyRing | None) -> None:
    async with sealed() as play:
        await play.start_paid(one_parcel_order())
        await whole_life(play)
        history = await play.history()
    await replay(history, ring)


async def test_seals_cost_no_event(sealed: SealedPlays, skipping: WorkflowEnvironment) -> None:
    counts = []
    plain = Play(skipping, f"test-{uuid.uuid4().hex}", World())
    async with plain.worker(), sealed() as play:
        for each in (plain, play):
            await each.start_paid(one_parcel_order())
            await whole_life(each)
            counts.append(kinds(await each.history()))
    assert counts[0] == counts[1]


async def replay(history: WorkflowHistory, ring: KeyRing | None) -> None:
    runner = NamingCalls()
    replayer = Replayer(
        workflows=[Order], data_converter=data_converter(ring, None), workflow_runner=runner, build_id="tests"
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None, result.replay_failure
