"""Late stock goes out in the order of payment, whoever asks first, and a new order does not overtake."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random

import pytest

from domain.fulfilment.backorders import Waiting, serve
from domain.order import OrderLine, SkuTags
from domain.policy import Policy
from domain.records import Settled, SettlePayment
from domain.states import ChildStatus
from relay.jobs.backorders import BackorderWatch
from store.inbox.inbox import InboxStore
from store.orders.backorder_queue import anywhere, around
from store.orders.backorders import BackorderStore
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.ledger import StockStore
from tests.store.examples import NOW, a_payment, a_write, an_order

FIRST, SECOND, THIRD = "SO-PAID-1", "SO-PAID-2", "SO-PAID-3"


async def paid(orders: OrderStore, number: str, minute: int, qty: int = 2, sku: str = "A") -> Settled:
    """An order of one line, paid at this minute."""
    return await paid_for(orders, number, minute, {sku: qty})


async def paid_for(orders: OrderStore, number: str, minute: int, wanted: Mapping[str, int]) -> Settled:
    tags, amount = SkuTags(warehouse="W"), 1000 * sum(wanted.values())
    lines = tuple(
        OrderLine(line_id=f"L{n}", sku=sku, qty=qty, unit_price_minor=1000, tags=tags)
        for n, (sku, qty) in enumerate(wanted.items(), 1)
    )
    await orders.register(an_order(number, lines=lines, freight=(), payable_minor=amount), "run-1", NOW)
    payment = a_payment(number, amount=amount).model_copy(update={"paid_at": NOW + timedelta(minutes=minute)})
    return await orders.settle(SettlePayment(write=a_write(number, payment=payment), policy=Policy()))


async def ask(orders: OrderStore, numbers: Sequence[str]) -> list[bool]:
    return list(await asyncio.gather(*(orders.allocate_backorder(n, f"{n}-01") for n in numbers)))


@pytest.fixture
async def waiting(orders: OrderStore) -> None:
    """Three orders of two A each; the one settled first was paid last."""
    for number, minute in ((THIRD, 30), (FIRST, 10), (SECOND, 20)):
        (child,) = (await paid(orders, number, minute)).children
        assert child.status is ChildStatus.BACKORDER


async def test_whoever_asks_first_who_paid_first_gets_it(orders: OrderStore, stock: StockStore, waiting: None) -> None:
    await stock.receive("A", "W", 4, "GR-1")
    assert await ask(orders, [THIRD]) == [False], "two others can have it, and have paid before"
    assert await ask(orders, [THIRD, SECOND, FIRST]) == [False, True, True]
    assert await ask(orders, [THIRD]) == [False]


async def test_goods_that_serve_nobody_before_go_to_the_next_in_line(
    orders: OrderStore, stock: StockStore, waiting: None
) -> None:
    await paid(orders, "SO-SMALL", 40, qty=1)
    await stock.receive("A", "W", 1, "GR-1")
    assert await ask(orders, [FIRST, SECOND, "SO-SMALL"]) == [False, False, True]


async def test_a_new_order_does_not_overtake_those_who_wait_and_can_be_served(
    orders: OrderStore, stock: StockStore, waiting: None
) -> None:
    await stock.receive("A", "W", 7, "GR-1")
    (child, rest) = (await paid(orders, "SO-NEW", 50)).children
    assert (child.lines, child.status, rest.status) == ({"L1": 1}, ChildStatus.RELEASED, ChildStatus.BACKORDER)
    assert await ask(orders, [FIRST, SECOND, THIRD]) == [True, True, True]


async def test_stock_that_became_free_in_any_way_is_told_once_in_order_of_payment(
    pool: Pool, orders: OrderStore, stock: StockStore, waiting: None
) -> None:
    await stock.receive("A", "W", 4, "GR-1")
    watch = BackorderWatch(BackorderStore(pool), InboxStore(pool), lambda: NOW)
    assert [found.order_no for found in await watch.look()] == [FIRST, SECOND]
    await watch.look()
    told = await pool.fetch("SELECT facts FROM inbox ORDER BY id")
    assert [row["facts"][0]["child_no"] for row in told] == [f"{FIRST}-01", f"{SECOND}-01"]
    assert await ask(orders, [FIRST, SECOND]) == [True, True]
    assert await watch.look() == ()


async def test_who_waits_elsewhere_is_not_read(
    pool: Pool, orders: OrderStore, stock: StockStore, waiting: None
) -> None:
    """Neither those at places where nothing lies, nor those who share no place with whoever asks."""
    await paid(orders, "SO-OTHER", 5, sku="B")
    await stock.receive("A", "W", 4, "GR-1")
    async with pool.acquire() as connection:
        queue, lies = await around(connection, {("A", "W"): 4})
        assert ([w.order_no for w in queue], lies) == ([FIRST, SECOND, THIRD], {("A", "W"): 4})
        assert await around(connection, {("A", "W"): 0}) == ((), {("A", "W"): 0})
        assert [w.order_no for w in (await anywhere(connection))[0]] == [FIRST, SECOND, THIRD]
        assert [w.order_no for w in (await around(connection, {("A", "W"): 1}))[0]] == [], "each misses two"


async def test_who_is_served_is_the_same_as_if_everybody_were_read(
    pool: Pool, orders: OrderStore, stock: StockStore
) -> None:
    """Forty parcels that miss goods at up to three of six places, and goods at some: whatever place is asked about."""
    chance, skus, everybody = Random(0), "ABCDEF", []
    for n in range(40):
        wanted = {sku: chance.randint(1, 3) for sku in chance.sample(skus, chance.randint(1, 3))}
        await paid_for(orders, f"SO-Q-{n:02}", n, wanted)
        everybody.append(Waiting(f"SO-Q-{n:02}", f"SO-Q-{n:02}-01", {(sku, "W"): q for sku, q in wanted.items()}))
    lies = {(sku, "W"): chance.choice((0, 4, 9, 20)) for sku in skus}
    for (sku, warehouse), qty in lies.items():
        if qty:
            await stock.receive(sku, warehouse, qty, "GR-1")
    whole = serve(everybody, lies)
    assert 3 < len(whole.children) < 40
    async with pool.acquire() as connection:
        assert [w.child_no for w in serve(*await anywhere(connection)).children] == [w.child_no for w in whole.children]
        for place, units in lies.items():
            served = serve(*await around(connection, {place: units}))
            assert served.left[place] == whole.left[place], place
            there = [w.child_no for w in served.children if place in w.needs]
            assert there == [w.child_no for w in whole.children if place in w.needs], place
