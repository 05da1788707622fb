"""What is there ships now; the rest waits in a child of its own until goods come (R22, S12)."""

import asyncio
from datetime import timedelta

from domain.facts import Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, one_parcel_order
from tests.workflows.play import Play
from tests.workflows.world import World
from workflows.order.messages import Cancelled


def short() -> World:
    """Of five cups three are there."""
    return World(stock={"L1": 3})


async def paid(play: Play) -> None:
    await play.start_paid(one_parcel_order(qty=5))
    assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "BACKORDER")


async def test_the_rest_waits_and_is_pushed_when_its_stock_arrives(plays: Plays) -> None:
    async with plays(short()) as play:
        await paid(play)
        assert play.world.goods.pushed == [play.child(1)]
        await play.ships(1)
        assert (await play.statuses())[0] == "PARTIALLY_SHIPPED"
        await play.happens(Kind.STOCK_ARRIVED, 2)
        assert await play.statuses() == ("PARTIALLY_SHIPPED", "SHIPPED", "RELEASED")
        assert play.world.goods.pushed == [play.child(1), play.child(2)]
        await play.ships(2)
        assert await play.finish() == "COMPLETED"
    assert play.world.account.moved("ship") == {"CUP": 5}


async def test_who_goes_away_empty_waits_for_the_next_arrival(plays: Plays) -> None:
    async with plays(short()) as play:
        await paid(play)
        play.world.books.arrives = False
        await play.happens(Kind.STOCK_ARRIVED, 2)
        assert (await play.statuses())[2] == "BACKORDER" and play.world.books.allocations == 1
        play.world.books.arrives = True
        now = await play.now()
        again = fact(Kind.STOCK_ARRIVED, play.child(2), now).model_copy(update={"key": "stock:second"})
        await play.tell(again)
        assert (await play.statuses())[2] == "RELEASED" and play.world.books.allocations == 2


async def test_a_waiting_parcel_is_cancelled_without_asking_anybody(plays: Plays) -> None:
    async with plays(short()) as play:
        await paid(play)
        await play.ships(1)
        answer = await play.cancel()
        assert (answer.cancelled, answer.refund_minor) == ((play.child(2),), 6000)
        assert play.world.goods.intercepted == []
        assert await play.finish() == "COMPLETED"
    assert play.world.account.moved("release") == {}, "nothing was reserved for it"


async def test_scans_that_come_before_the_stock_are_held_and_then_count(plays: Plays) -> None:
    async with plays(short()) as play:
        await paid(play)
        await play.ships(1)
        await play.happens(Kind.SIGNED, 1)
        await play.happens(Kind.SIGNED, 2)
        assert (await play.statuses())[2] == "BACKORDER"
        await play.happens(Kind.STOCK_ARRIVED, 2)
        assert await play.statuses() == ("DELIVERED", "SIGNED", "SIGNED")
        signed = f"kuaidi100:{play.child(2)}:SIGNED"
        assert play.world.account.outcomes(signed) == ["HELD", "APPLIED"]
        assert await play.finish() == "COMPLETED"


async def test_stock_reserved_for_a_parcel_that_is_cancelled_meanwhile_is_free_again(plays: Plays) -> None:
    """The database takes longer over the reservation than one workflow task; meanwhile the buyer cancels."""
    cancels: list[asyncio.Task[Cancelled]] = []

    async def buyer_cancels() -> None:
        cancels.append(asyncio.ensure_future(play.cancel()))
        await asyncio.sleep(2)

    async with plays(short()) as play:
        await play.start(one_parcel_order(qty=5), task_timeout=timedelta(seconds=1))
        await play.pay()
        await play.ships(1)
        play.world.books.while_allocating = buyer_cancels
        await play.happens(Kind.STOCK_ARRIVED, 2)
        assert (await cancels[0]).cancelled == (play.child(2),)
        assert await play.statuses() == ("SHIPPED", "SHIPPED", "CANCELLED")
        assert play.world.account.moved("release") == {"CUP": 2} and play.world.goods.pushed == [play.child(1)]
