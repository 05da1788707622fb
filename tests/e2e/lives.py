"""Orders through their lives, and the moment at which the outside world has no more to say about them."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bench import invariants
from bench.demo.cast import provide_stock
from bench.demo.parts import Part, received
from bench.demo.stage import Seen, Stage
from bench.histories import HistoryCount, count
from bench.two_parcels import two_parcel_orders
from domain.order import StartOrder
from workflows.messages import order_workflow_id

UNREAD = "SELECT EXISTS (SELECT FROM inbox WHERE state IN ('received', 'delivered'))"


async def orders_with_goods(stage: Stage, number: int) -> list[StartOrder]:
    """Orders to be started, their goods in stock; the stage watches them from now on."""
    orders = two_parcel_orders(number)
    await provide_stock(stage.pool, [Part("e2e", order, received) for order in orders])
    stage.seen |= {order.order_no: Seen() for order in orders}
    return orders


async def play(stage: Stage, orders: Sequence[StartOrder]) -> None:
    """Each from its start over payment, parcels and the buyer's receipt to the closed window."""

    async def one(order: StartOrder) -> None:
        await received(stage, order)
        await stage.until(order.order_no, "its end", lambda s: s.ended)

    await asyncio.gather(*(one(order) for order in orders))


async def history(stage: Stage, order: StartOrder) -> HistoryCount:
    return await count(stage.temporal.get_workflow_handle(order_workflow_id(order.order_no)))


async def until(probe: Callable[[], Awaitable[Any]], within_s: float = 20) -> Any:
    """The first true answer of `probe`; fails with the last one when the time is over."""
    deadline = time.monotonic() + within_s
    while not (answer := await probe()):
        assert time.monotonic() < deadline, f"still {answer!r} after {within_s} s"
        await asyncio.sleep(0.1)
    return answer


async def silence(stage: Stage) -> None:
    """Every callback has come to its end, and the relay has read all of them."""

    async def said_and_heard() -> bool:
        return not await _unfinished(stage) and not await stage.pool.fetchval(UNREAD)

    await until(said_and_heard, 60)


async def _unfinished(stage: Stage) -> int:
    number = 0
    for url in stage.sandboxes.values():
        rows = (await stage.http.get(f"{url}/_ledger")).json()
        number += sum(r["op"] == "callback" for r in rows) - sum(r["op"] == "callback_end" for r in rows)
    return number


async def the_books_are_right(stage: Stage, replayed: Counter[str]) -> None:
    """Every invariant holds between our books and all others' ledgers. Visibility may lag behind for a moment."""
    await silence(stage)
    deadline = time.monotonic() + 15
    while True:
        world = await invariants.look(stage.pool, stage.sandboxes, stage.temporal)
        world.repeats -= replayed
        broken = [f for f in invariants.check(world) if not f.holds]
        if not broken or time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
    assert broken == []
