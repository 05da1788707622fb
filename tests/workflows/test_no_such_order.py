"""A warehouse that knows no such order is believed only when no push can be on its way to it any more."""

from datetime import timedelta

from domain.facts import Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order

SECOND = timedelta(seconds=1)


async def test_no_such_order_is_not_believed_while_a_push_may_be_on_its_way(plays: Plays) -> None:
    """The push stood in a queue: asked again later, the warehouse has it, and it has left."""
    async with plays() as play:
        play.world.fail("push", how="unknown")
        await play.start_paid(one_parcel_order())
        await play.pass_time(36 * SECOND)
        play.world.goods.intercept[play.child(1)] = "absent"
        asked = await play.begin_cancel()
        assert play.world.goods.intercepted == [play.child(1)] and play.world.calls["refund"] == 0
        play.world.goods.intercept[play.child(1)] = "too_late"
        await play.pass_time(16 * 60 * SECOND)
        assert (await play.answer(asked)).too_late == (play.child(1),)
        assert play.world.calls["refund"] == 0 and len(play.world.goods.intercepted) == 2
        play.world.faults.heal()
        await play.ships(1)
        assert await play.finish() == "COMPLETED"


async def test_no_such_order_is_believed_once_no_push_can_be_on_its_way(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("push", how="unknown")
        await play.start_paid(one_parcel_order())
        await play.pass_time(36 * SECOND)
        play.world.goods.intercept[play.child(1)] = "absent"
        asked = await play.begin_cancel()
        await play.pass_time(16 * 60 * SECOND)
        assert (await play.answer(asked)).cancelled == (play.child(1),) and len(play.world.goods.intercepted) == 2
        assert await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 6000


async def test_no_such_order_is_believed_at_once_where_every_push_was_certainly_not_done(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("push")
        await play.start_paid(one_parcel_order())
        await play.pass_time(36 * SECOND)
        play.world.goods.intercept[play.child(1)] = "absent"
        assert (await play.cancel()).cancelled == (play.child(1),) and len(play.world.goods.intercepted) == 1
        assert await play.finish() == "CLOSED"


async def test_a_push_that_arrives_while_no_such_order_is_doubted_decides_it(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.goods.intercept[play.child(1)] = "absent"
        asked = await play.begin_cancel()
        for kind in (Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED):
            await play.happens(kind, 1)
        assert (await play.answer(asked)).too_late == (play.child(1),) and play.world.calls["refund"] == 0
        assert await play.finish() == "COMPLETED"
