"""The order's whole life on skipped time, against fakes with ledgers."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from domain.facts import Kind
from domain.states import ChildStatus, OrderStatus, PaymentStatus
from tests.workflows.conftest import Play, fact, two_parcel_order
from tests.workflows.world import World


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def through_the_world(play: Play, *children: str) -> None:
    """Every parcel picked, packed, shipped and signed, each step seen before the next is told."""
    now = datetime.now(UTC)
    for kind in (Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED, Kind.IN_TRANSIT, Kind.SIGNED):
        await play.tell(*(fact(kind, child, now) for child in children))


async def test_a_paid_order_goes_to_the_end_of_its_window(plays: Any) -> None:
    world = World()
    async with plays(world) as play:
        order = two_parcel_order()
        handle = await play.start(order)
        await until(lambda: world.calls["create"] == 1)
        await play.pay()
        await until(lambda: len(world.pushed) == 2)
        await through_the_world(play, f"{order.order_no}-01", f"{order.order_no}-02")
        assert await handle.result() == "COMPLETED"
    assert world.last.ended and world.last.status is OrderStatus.COMPLETED
    assert world.calls["push"] == 1, "both parcels travel in one request to the warehouse"
    assert {c.status for c in world.last.children} == {ChildStatus.SIGNED}
