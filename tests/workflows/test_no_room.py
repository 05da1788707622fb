"""Whatever keeps an order from going on as a new run: it is told no more than its run has room for (decision 0034)."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.facts import Fact, Kind
from domain.states import Outcome
from relay.delivery import signalling
from relay.delivery.signalling import OrderSender, SignalResult
from starter.clients.orders import OrderClient
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, one_parcel_order
from tests.workflows.play import Play, inbox_ids, until
from tests.workflows.test_long_lives import length, runs
from workflows.durable import continuing
from workflows.durable.stalls import REFUSED
from workflows.order.messages import ConfirmReceipt

SENDERS = 128


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuing, "MOST_EVENTS", 60)
    monkeypatch.setattr(continuing, "MOST_WAITED", 150)
    monkeypatch.setattr(signalling, "MOST_EVENTS", 400)
    monkeypatch.setattr(signalling, "LOOK_AFTER", 20)


async def tell_all(play: Play, sender: OrderSender, facts: Sequence[Fact]) -> list[Fact]:
    """Each once, by 128 at a time; what it does not take now."""
    left, busy = iter(facts), []

    async def send() -> None:
        for one in left:
            row = one.model_copy(update={"inbox_id": next(inbox_ids)})
            outcome = await sender.send(play.order.order_no, [row])
            if outcome.sent is SignalResult.DELIVERED:
                play.world.told[play.order.order_no] |= {row.inbox_id or 0}
            else:  # a slow machine may leave it open whether it was heard: told again, as the relay would
                assert outcome.sent in (SignalResult.BUSY, SignalResult.OUTAGE), outcome
                busy.append(one)

    await asyncio.gather(*(send() for _ in range(SENDERS)))
    return busy


async def test_a_run_that_cannot_move_is_not_told_so_much_that_it_would_be_terminated(
    plays: Plays, little_room: None
) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.ships(1)
        stuck = await runs(play)
        play.world.books.refusals["write"] = "OrderRefused"
        scan = fact(Kind.COURIER_EXCEPTION, play.child(1), await play.now())
        scans = [scan.model_copy(update={"key": f"scan-{n}"}) for n in range(1_200)]
        sender = OrderSender(play.env.client)
        left: list[Fact] = []
        for start in range(0, len(scans), SENDERS):  # what waits while a task runs is not in the history yet
            left += await tell_all(play, sender, scans[start : start + SENDERS])
            await play.rest()
        assert (await play.ticket()).step == REFUSED
        assert await runs(play) == stuck and len(left) > len(scans) / 2
        events, _ = await length(play, stuck[0])
        assert events < 400 + 2 * SENDERS, "what it is told once it is full fits between two looks"
        await play.resolve("retry")
        while left:
            left = await tell_all(play, sender, left)
            await play.rest()

        def applied() -> Counter[str]:
            events = (e for e in play.world.account.events if e.key.startswith("scan-"))
            return Counter(e.key for e in events if e.outcome is not Outcome.DUPLICATE)

        await until(lambda: len(applied()) == len(scans), "every scan has its row")
        assert applied() == Counter(s.key for s in scans), "and one of them counts"
        assert len(await runs(play)) > 2


async def test_what_was_done_is_not_said_again_by_a_run_without_room_and_its_answer_can_be_asked_for(
    plays: Plays, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.ships(1)
        await play.confirm()
        monkeypatch.setattr(continuing, "MOST_WAITED", 10)
        before = await length(play, (await runs(play))[0])
        for _ in range(20):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await play.confirm()
            assert getattr(refused.value.cause, "type", "") == "Busy"
        assert await length(play, (await runs(play))[0]) == before, "a refusal leaves nothing"
        await OrderClient(play.env.client).confirm_receipt(
            play.order.order_no, ConfirmReceipt(by="buyer", proof="the buyer's")
        )
        assert await length(play, (await runs(play))[0]) == before
