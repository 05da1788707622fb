"""A signal that cannot be read stops nothing, takes no neighbour along, and is asked about, never dropped."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.facts import Fact, Kind
from domain.states import Outcome
from tests.raw_messages import STRANGE, raw, updates_of
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, new_number, one_parcel_order
from tests.workflows.play import REAL_SECONDS, Play, kinds
from workflows.durable.signals import MOST_ASKED
from workflows.messages import ORDER_WORKFLOW, order_workflow_id
from workflows.order.workflow import Order

FACTLESS = {
    **STRANGE,
    "no facts": [{"facts": []}],
    "facts that are none": [{"facts": {"key": "a"}}],
    "a batch of a newer relay": [{"version": 2}],
}
SIGNALS = ("facts", "case_opened", "case_closed", "stop_for_case", "cancel")


async def say(play: Play, name: str, *arguments: Any) -> None:
    await play.handle.signal(name, args=list(arguments))
    await play.rest()


async def still_hears(play: Play) -> None:
    """No workflow task has failed, and what is told next counts."""
    assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 0
    await play.happens(Kind.SIGNED, 1)
    assert await play.statuses() == ("DELIVERED", "SIGNED")


def told(what: Fact, inbox_id: int, **more: Any) -> dict[str, Any]:
    return what.model_dump(mode="json") | {"inbox_id": inbox_id} | more


@pytest.mark.parametrize("shape", FACTLESS)
async def test_a_signal_of_any_shape_is_asked_about_and_stops_nothing(plays: Plays, shape: str) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        for count, name in enumerate(SIGNALS, start=1):
            await say(play, name, *FACTLESS[shape])
            tickets = await play.tickets()
            assert any(name in t.error for t in tickets) and {t.step for t in tickets} == {"unread signal"}
            await say(play, name, *FACTLESS[shape])
            assert await play.tickets() == tickets, "the same bytes are the same question"
            assert len(tickets) >= count and all(t.severity == "normal" for t in tickets)
        await still_hears(play)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"kind": "A_NEW_KIND"}, {"shade": "of a newer relay"}, {"occurred_at": "2026-03-02T10:00:00"},
        {"actual": {"L1": "2"}}, {"amount_minor": -1}, {"source": ""},
    ],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
async def test_one_unreadable_fact_takes_no_neighbour_along(plays: Plays, spoilt: dict[str, Any]) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        now = await play.now()
        packed = fact(Kind.PACKED, play.child(1), now)
        facts = [
            told(fact(Kind.PICKING, play.child(1), now), 900_001),
            told(packed, 900_002, **spoilt),
            told(fact(Kind.COLLECTED, play.child(1), now, waybill_no="SF1000000000001", carrier="SF"), 900_003),
        ]
        play.world.told[play.order.order_no] |= {900_001, 900_002, 900_003}
        await say(play, "facts", {"facts": facts})
        assert await play.statuses() == ("SHIPPED", "SHIPPED")
        ticket = await play.ticket()
        assert (
            packed.key in ticket.error
            and "900002" in ticket.error
            and "oms event replay 900002" in ticket.give_up_means
        )
        assert [e.outcome for e in play.world.account.events if e.inbox_id == 900_002] == [Outcome.MISMATCH]
        # The worker is upgraded, the row is replayed, and the fact can be read now.
        await say(play, "facts", {"facts": [told(packed, 900_002)]})
        assert await play.tickets() == ()
        assert [e.outcome for e in play.world.account.events if e.inbox_id == 900_002] == [
            Outcome.MISMATCH,
            Outcome.STALE,
        ]
        await play.happens(Kind.SIGNED, 1)
        assert await play.finish() == "COMPLETED"


async def test_facts_count_although_the_batch_says_more_than_is_known(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        signed = told(fact(Kind.SIGNED, play.child(1), await play.now()), 900_011)
        play.world.told[play.order.order_no] |= {900_011}
        await say(play, "facts", {"facts": [signed], "sent_by": "relay 2"})
        assert await play.statuses() == ("DELIVERED", "SIGNED")
        assert "sent_by" in (await play.ticket()).error


async def test_a_batch_larger_than_the_contract_is_heard_fact_by_fact(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        now = await play.now()
        many = [told(fact(Kind.PICKING, play.child(1), now), 910_000 + n, key=f"p{n}") for n in range(201)]
        play.world.told[play.order.order_no] |= {910_000 + n for n in range(201)}
        await say(play, "facts", {"facts": many})
        assert await play.tickets() == () and (await play.view()).children[0].status == "PICKING"


async def test_what_comes_unreadable_before_the_order_is_in_the_books_is_asked_about_then(plays: Plays) -> None:
    async with plays() as play:
        pass
    await play.begin(one_parcel_order())
    await play.handle.signal("facts", {"facts": [{"key": "k-1", "kind": "NEW"}]})
    async with play.worker():
        await play.rest()
        assert "k-1" in (await play.ticket()).error
        await play.resolve("give_up")
        await play.pay()
        await play.happens(Kind.SIGNED, 1)
        assert await play.finish() == "COMPLETED"
    play.world.check()


async def test_a_flood_of_unreadable_facts_opens_a_bounded_number_of_tickets(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await say(play, "facts", {"facts": [{"key": f"flood-{n}", "kind": "NEW"} for n in range(150)]})
        assert len(await play.tickets()) == MOST_ASKED + 1
        await still_hears(play)


@pytest.mark.parametrize("shape", STRANGE)
async def test_every_update_refuses_what_is_not_its_message(plays: Plays, shape: str) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        for name in updates_of(Order):
            if name != "place":  # takes no argument, and looks at none
                with pytest.raises(WorkflowUpdateFailedError):
                    await asyncio.wait_for(play.handle.execute_update(name, args=list(STRANGE[shape])), REAL_SECONDS)
        await still_hears(play)


@pytest.mark.parametrize("shape", STRANGE)
async def test_the_answer_to_a_start_takes_no_argument_and_stumbles_over_none(plays: Plays, shape: str) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        with suppress(WorkflowUpdateFailedError):
            await play.handle.execute_update("place", args=list(STRANGE[shape]))
        await still_hears(play)


async def test_a_start_without_a_message_is_refused_not_stuck(plays: Plays) -> None:
    async with plays() as play:
        with play.env.with_time_skipping_disabled():
            started = await play.env.client.start_workflow(
                ORDER_WORKFLOW, id=order_workflow_id(new_number()), task_queue=play.queue
            )
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(started.result(), REAL_SECONDS)
        assert isinstance(failed.value.cause, ApplicationError) and failed.value.cause.type == "InvalidOrder"


async def test_duplicate_keys_in_a_batch_are_no_batch(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await say(play, "facts", raw('{"facts": [], "facts": []}'))
        assert "twice" in (await play.ticket()).error
        await still_hears(play)
