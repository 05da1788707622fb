"""Records the histories of orders that people change under way: `python -m tests.replay.changes [name …]`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from bench.scenarios.environment import Servers
from domain.catalog.records import SkuRecord
from domain.facts import Kind
from domain.order import OrderLine
from tests.replay.record import keep
from tests.scenarios.children import ADDRESS, ORDER, Desk, desk, line
from workflows.order.changes.messages import ChangeAddress

APART = (line(1, 2, 333), line(2, 1, 500, warehouse="WH-2"))
HEAVY = (line(1, 3, 333), line(2, 2, 500))
NEW = ADDRESS.model_copy(update={"street": "延安路 9 号", "phone": "13900000000"})
AFTERWARDS = timedelta(days=60)
Order = Callable[[Servers], AbstractAsyncContextManager[Desk]]
Story = Callable[[Desk], Awaitable[None]]


async def merged(d: Desk) -> None:
    """Refused once, asked again, shipped together."""
    await d.approve(await d.merge(1, 2, warehouse="WH-2"), verdict="reject")
    await d.approve(await d.merge(1, 2, warehouse="WH-2"))
    await arrive(d, 3)


async def resplit(d: Desk) -> None:
    await d.approve(await d.resplit([1], {"L1": 1, "L2": 2}, {"L1": 2}))
    await arrive(d, 2, 3)


async def elsewhere(d: Desk) -> None:
    """Two units are missing: one ships from another warehouse, nobody has the other."""
    await d.life.happens(Kind.PICKING, 1, actual={"L1": 3})
    await d.life.happens(Kind.PACKED, 1)
    await d.life.happens(Kind.WAYBILL_RETURNED, 1, actual={"L1": 3})
    await d.answer("short pick", "retry")
    await d.answer("short pick", "give_up")
    await arrive(d, 2)
    await d.life.happens(Kind.SIGNED, 1)


async def readdressed(d: Desk) -> None:
    """One is picked and goes where it was going, the other one is stopped and goes to the new address."""
    await d.life.happens(Kind.PICKING, 1)
    await d.house.client.change_address(ORDER, ChangeAddress(address=NEW, by="u-cs", remark="the buyer has moved"))
    await d.house.rest()
    await arrive(d, 1, 3)


async def arrive(d: Desk, *children: int) -> None:
    await d.life.ships(*children)
    for child in children:
        await d.life.happens(Kind.SIGNED, child)


def apart(servers: Servers) -> AbstractAsyncContextManager[Desk]:
    return desk(servers, *APART, extra_stock={("SKU-1", "WH-2"): 2})


def heavy(servers: Servers) -> AbstractAsyncContextManager[Desk]:
    return desk(servers, *HEAVY)


def in_two_warehouses(servers: Servers) -> AbstractAsyncContextManager[Desk]:
    goods = SkuRecord(sku="SKU-1", ship_from=("WH-1", "WH-2"))
    cup = OrderLine(line_id="L1", sku="SKU-1", qty=5, unit_price_minor=333)
    return desk(servers, cup, catalogue=[goods], extra_stock={("SKU-1", "WH-1"): 5, ("SKU-1", "WH-2"): 1})


CHANGES: dict[str, tuple[Order, Story]] = {
    "changed_merged": (apart, merged),
    "changed_resplit": (heavy, resplit),
    "changed_elsewhere": (in_two_warehouses, elsewhere),
    "changed_address": (apart, readdressed),
}


async def record_changes(names: list[str]) -> None:
    async with Servers() as servers:
        for name in names or CHANGES:
            order, story = CHANGES[name]
            async with order(servers) as d:
                await story(d)
                await d.house.pass_until(d.house.now() + AFTERWARDS)
                keep(name, await d.life.handle.fetch_history())


if __name__ == "__main__":
    asyncio.run(record_changes(sys.argv[1:]))
