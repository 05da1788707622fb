"""What an order costs the server (docs/architecture.md): events and workflow tasks are counted from its history."""

import asyncio
from datetime import timedelta

import pytest

from bench.budget import budget
from domain.facts import Kind
from domain.fulfilment.parcel_states import MOVES, can_change
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, two_parcel_order
from tests.workflows.play import Play, kinds


async def whole_life(play: Play, *at_once: tuple[int, ...]) -> None:
    """Every fact of a life that the relay would deliver (decision 0005: a scan that can move nothing stays away), of
    these parcels at once."""
    await play.start(two_parcel_order())
    await play.pay()
    for kind in Kind:
        status = (await play.view()).children[0].status
        if kind in MOVES and can_change(status, kind):
            for parcels in at_once:
                await play.happens(kind, *parcels)
    await play.confirm()
    assert await play.finish() == "COMPLETED"


@pytest.mark.parametrize(("kind", "at_once"), [("in step", [(1, 2)]), ("out of step", [(1,), (2,)])])
async def test_a_whole_life_of_two_parcels_keeps_its_budget(
    plays: Plays, kind: str, at_once: list[tuple[int, ...]]
) -> None:
    async with plays() as play:
        await whole_life(play, *at_once)
        history = await play.history()
    count, most = kinds(history), budget(kind)
    assert count.total() <= most["events"], count
    assert count["WORKFLOW_TASK_STARTED"] <= most["workflow_tasks"], count
    assert count["WORKFLOW_TASK_FAILED"] == count["WORKFLOW_TASK_TIMED_OUT"] == 0


async def test_what_follows_from_an_answer_is_written_with_it(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1, 2)
        before = play.world.last.seq
        await play.confirm()
        assert play.world.last.seq == before + 1 and play.world.last.status == "COMPLETED"


async def test_waiting_costs_no_events(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1, 2)
        before = kinds(await play.history())
        await play.pass_time(timedelta(days=9))
        assert kinds(await play.history()) == before


async def test_a_repeated_message_costs_one_task(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.happens(Kind.PICKING, 1, 2)
        before = kinds(await play.history())["WORKFLOW_TASK_STARTED"]
        await play.happens(Kind.PICKING, 1, 2)
        assert kinds(await play.history())["WORKFLOW_TASK_STARTED"] == before + 1


async def test_forty_orders_at_once_end_well_without_a_failed_task(plays: Plays) -> None:
    async with plays() as play:
        others = [Play(play.env, play.queue, play.world) for _ in range(40)]
        await asyncio.gather(*(one_life(other) for other in others))
        for other in others:
            count = kinds(await other.history())
            assert count["WORKFLOW_TASK_FAILED"] == 0 and count["WORKFLOW_EXECUTION_COMPLETED"] == 1
    accounts = play.world.books.accounts.values()
    assert [a.payment is not None and len(a.children) for a in accounts] == [2] * 40


async def one_life(play: Play) -> None:
    """Everything is told as fast as it can be, with repetitions, and not in order."""
    await play.begin(two_parcel_order())
    paid = await play.buyer_pays()
    await play.signal(paid)
    await play.signal(paid)
    now = await play.now()
    for kind in (Kind.PACKED, Kind.COLLECTED, Kind.PICKING, Kind.SIGNED, Kind.COLLECTED):
        await play.signal(*(fact(kind, play.child(n), now) for n in (1, 2)))
    assert await play.finish() == "COMPLETED"
