"""Two writes of one order at once: a workflow task that is done again beside what the lost one still writes."""

import asyncio
from datetime import timedelta

from domain.outbound.published import EventType
from domain.records import ChildState
from domain.states import ChildStatus
from store.orders.writing import apply_write
from tests.outbound.conftest import World
from tests.outbound.happenings import ORDER, paid
from tests.outbound.test_publishing import told
from tests.store.examples import NOW, a_write

CHILD = f"{ORDER}-01"
WAITING = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"


async def test_a_write_that_has_waited_for_another_tells_a_parcel_as_that_one_left_it(world: World) -> None:
    await world.subscribe("https://x.example", types=(EventType.PARCEL_STATUS,))
    await paid(world.orders, NOW)
    picking = ChildState(child_no=CHILD, status=ChildStatus.PICKING)
    packed = ChildState(child_no=CHILD, status=ChildStatus.PACKED, waybill_no="W1", carrier="SF")
    async with asyncio.timeout(20), world.pool.acquire() as connection:
        async with connection.transaction():
            await apply_write(connection, a_write(seq=2, children=(picking,)))
            waits = asyncio.create_task(
                world.orders.write(a_write(seq=2, at=NOW + timedelta(hours=1), children=(packed,)))
            )
            while not (waits.done() or await world.pool.fetchval(WAITING)):
                await asyncio.sleep(0.01)
        await waits
    data = [event["data"] for event in await told(world)]
    states = [(e["from_status"], e["to_status"]) for e in data if e["child_no"] == CHILD]
    assert states == [(None, "BACKORDER"), ("BACKORDER", "PICKING"), ("PICKING", "PACKED")]
