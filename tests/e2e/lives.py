"""Orders through their lives, and whether all the books about them agree."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from bench.checks import order_invariants
from bench.demo.environment import DemoEnvironment, Seen
from bench.demo.orders import provide_stock
from bench.demo.stories import DemoOrder, received
from bench.load.histories import HistoryCount, count
from bench.load.two_parcels import two_parcel_orders
from domain.order import StartOrder
from tests.e2e.stillness import silence
from workflows.messages import order_workflow_id


async def orders_with_goods(stage: DemoEnvironment, number: int) -> list[StartOrder]:
    """Orders to be started, their goods in stock; the stage watches them from now on."""
    orders = two_parcel_orders(number)
    await provide_stock(stage.pool, [DemoOrder("e2e", order, received) for order in orders])
    stage.seen |= {order.order_no: Seen() for order in orders}
    return orders


async def play(stage: DemoEnvironment, orders: Sequence[StartOrder]) -> None:
    """Each from its start over payment, parcels and the buyer's receipt to the closed window."""

    async def one(order: StartOrder) -> None:
        await received(stage, order)
        await stage.until(order.order_no, "its end", lambda s: s.ended)

    await asyncio.gather(*(one(order) for order in orders))


async def history(stage: DemoEnvironment, order: StartOrder) -> HistoryCount:
    return await count(stage.temporal.get_workflow_handle(order_workflow_id(order.order_no)))


async def the_books_are_right(stage: DemoEnvironment, replayed: Counter[str]) -> None:
    """Every invariant holds between our books and all others' ledgers. Visibility may lag behind for a moment."""
    await silence(stage)
    deadline = time.monotonic() + 15
    while True:
        world = await order_invariants.look(stage.pool, stage.sandboxes, stage.temporal)
        world.repeats -= replayed
        broken = [f for f in order_invariants.check(world) if not f.holds]
        if not broken or time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
    assert not broken, repr(broken)
