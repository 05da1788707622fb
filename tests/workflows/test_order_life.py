"""The order's whole life, and what it costs."""

from domain.facts import Kind
from domain.states import ChildStatus, OrderStatus
from tests.workflows.conftest import Plays
from tests.workflows.orders import two_parcel_order


async def test_a_paid_order_goes_to_the_end_of_its_window(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED")
        await play.ships(1, 2)
        await play.happens(Kind.IN_TRANSIT, 1, 2)
        await play.happens(Kind.SIGNED, 1, 2)
        assert await play.finish() == "COMPLETED"
    world = play.world
    assert world.last.ended and world.last.status is OrderStatus.COMPLETED
    assert {c.status for c in world.last.children} == {ChildStatus.SIGNED}


async def test_parcels_released_together_travel_in_one_request(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1, 2)
    assert play.world.goods.push_batches == [(play.child(1), play.child(2))]
    assert play.world.calls["book"] == 1
