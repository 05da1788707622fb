"""A payment settles an order once: shares, reservations and children fit together to the unit and the fen."""

import asyncio

import pytest

from domain.order import OrderLine, SkuTags
from domain.policy import Policy
from domain.records import Settled, SettlePayment
from domain.states import ChildStatus
from store.errors import AlreadySettled, NoSuchOrder, OrderRefused, PaymentDoesNotFit
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.ledger import StockStore
from tests.store.examples import NOW, PAYABLE, a_payment, a_settled_order, a_write, an_event, an_order


def settlement(transaction: str | None = None, order_no: str = "SO20261120", amount: int = PAYABLE) -> SettlePayment:
    write = a_write(order_no, payment=a_payment(order_no, transaction, amount), events=(an_event(),))
    return SettlePayment(write=write, policy=Policy())


async def balances(stock: StockStore) -> dict[str, tuple[int, int]]:
    """(available, reserved) by SKU."""
    return {b.sku: (b.available, b.reserved) for b in await stock.show()}


async def test_what_is_there_is_reserved_and_the_rest_waits_in_a_child_of_its_own(
    orders: OrderStore, stock: StockStore
) -> None:
    await stock.receive("A", "WH-1", 2, "GR-1")
    await stock.receive("B", "WH-2", 10, "GR-2")
    children = (await a_settled_order(orders)).children
    assert [(c.child_no[-2:], c.lines, c.status) for c in children] == [
        ("01", {"L1": 2}, ChildStatus.RELEASED),
        ("02", {"L1": 1}, ChildStatus.BACKORDER),
        ("03", {"L2": 2}, ChildStatus.RELEASED),
    ]
    assert sum(c.paid_minor for c in children) == PAYABLE
    assert await balances(stock) == {"A": (0, 2), "B": (8, 2)}


async def test_two_lines_of_one_sku_share_what_is_there_the_earlier_first(
    orders: OrderStore, stock: StockStore
) -> None:
    tags = SkuTags(warehouse="WH-1")
    lines = tuple(OrderLine(line_id=i, sku="A", qty=2, unit_price_minor=50, tags=tags) for i in ("L1", "L2"))
    await stock.receive("A", "WH-1", 3, "GR-1")
    await orders.register(an_order(lines=lines, freight=(), payable_minor=200), "run-1", NOW)
    children = (await orders.settle(settlement(amount=200))).children
    assert [c.lines for c in children] == [{"L1": 2, "L2": 1}, {"L2": 1}]
    assert await balances(stock) == {"A": (0, 3)}


async def test_unit_shares_add_up_to_what_was_paid(orders: OrderStore, pool: Pool) -> None:
    await a_settled_order(orders)
    assert await pool.fetchval("SELECT sum(units * (net_minor + freight_minor)) FROM unit_shares") == PAYABLE
    assert await pool.fetchval("SELECT sum(units) FROM unit_shares WHERE line_id = 'L1'") == 3


async def test_the_same_payment_settling_again_gets_the_same_children_and_reserves_nothing_more(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await stock.receive("A", "WH-1", 9, "GR-1")
    first = await a_settled_order(orders)
    assert await orders.settle(settlement()) == first
    assert await balances(stock) == {"A": (6, 3)}
    assert await pool.fetchval("SELECT paid_minor FROM orders") == PAYABLE


async def test_of_two_payments_racing_to_settle_one_wins_and_the_other_is_refused(
    orders: OrderStore, pool: Pool
) -> None:
    await orders.register(an_order(), "run-1", NOW)
    answers = await asyncio.gather(*(orders.settle(settlement(tx)) for tx in ("TX-1", "TX-2")), return_exceptions=True)
    assert [type(a) for a in answers if isinstance(a, Exception)] == [AlreadySettled]
    assert await pool.fetchval("SELECT paid_minor FROM orders") == PAYABLE


async def test_one_payment_settled_by_two_at_once_is_booked_once(orders: OrderStore, pool: Pool) -> None:
    await orders.register(an_order(), "run-1", NOW)
    first, second = await asyncio.gather(orders.settle(settlement()), orders.settle(settlement()))
    assert first == second
    assert await pool.fetchval("SELECT count(*) FROM payments") == 1


async def test_orders_racing_for_the_last_units_never_get_more_than_there_is(
    orders: OrderStore, stock: StockStore
) -> None:
    await stock.receive("A", "WH-1", 10, "GR-1")
    await stock.receive("B", "WH-2", 5, "GR-2")
    numbers = [f"SO-RACE-{n}" for n in range(6)]
    settled = await asyncio.gather(*(a_settled_order(orders, n) for n in numbers))
    got = sum(_released(s, "L1") for s in settled), sum(_released(s, "L2") for s in settled)
    assert got == (10, 5)
    assert await balances(stock) == {"A": (0, 10), "B": (0, 5)}


def _released(settled: Settled, line_id: str) -> int:
    return sum(c.lines.get(line_id, 0) for c in settled.children if c.status is not ChildStatus.BACKORDER)


@pytest.mark.parametrize("amount", [PAYABLE - 1, PAYABLE + 1])
async def test_a_payment_that_does_not_fit_books_nothing(orders: OrderStore, pool: Pool, amount: int) -> None:
    await orders.register(an_order(), "run-1", NOW)
    with pytest.raises(PaymentDoesNotFit):
        await orders.settle(settlement(amount=amount))
    for table in ("payments", "child_orders", "unit_shares", "order_events"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608


async def test_one_transaction_pays_one_order(orders: OrderStore, pool: Pool) -> None:
    for number in ("SO-ONE-1", "SO-TWO-2"):
        await orders.register(an_order(number), "run-1", NOW)
    await orders.settle(settlement("TX-1", "SO-ONE-1"))
    with pytest.raises(OrderRefused):
        await orders.settle(settlement("TX-1", "SO-TWO-2"))
    assert await pool.fetchval("SELECT paid_minor FROM orders WHERE order_no = 'SO-TWO-2'") == 0
    assert await pool.fetchval("SELECT count(*) FROM child_orders WHERE order_no = 'SO-TWO-2'") == 0


async def test_an_order_that_costs_nothing_settles_without_a_payment(orders: OrderStore) -> None:
    lines = (OrderLine(line_id="L1", sku="A", qty=1, unit_price_minor=0, tags=SkuTags(warehouse="W")),)
    await orders.register(an_order(lines=lines, freight=(), payable_minor=0), "run-1", NOW)
    free = SettlePayment(write=a_write(), policy=Policy())
    assert await orders.settle(free) == await orders.settle(free)


async def test_an_unknown_order_cannot_be_settled(orders: OrderStore) -> None:
    with pytest.raises(NoSuchOrder):
        await orders.settle(settlement())


async def test_a_waiting_child_gets_every_missing_unit_or_none(orders: OrderStore, stock: StockStore) -> None:
    await stock.receive("B", "WH-2", 2, "GR-0")
    children = (await a_settled_order(orders)).children
    waiting = children[0].child_no
    assert children[0].status is ChildStatus.BACKORDER
    await stock.receive("A", "WH-1", 2, "GR-1")
    assert not await orders.allocate_backorder("SO20261120", waiting)
    assert (await balances(stock))["A"] == (2, 0)
    await stock.receive("A", "WH-1", 2, "GR-2")
    assert await orders.allocate_backorder("SO20261120", waiting)
    assert await orders.allocate_backorder("SO20261120", waiting), "asking again changes nothing"
    assert (await balances(stock))["A"] == (1, 3)


async def test_goods_that_come_in_are_told_to_the_longest_paid_first(orders: OrderStore, stock: StockStore) -> None:
    for number in ("SO-ONE-1", "SO-TWO-2"):
        await a_settled_order(orders, number)
    waiting = await stock.waiting_backorders("A", "WH-1")
    assert [(w.order_no, w.qty) for w in waiting] == [("SO-ONE-1", 3), ("SO-TWO-2", 3)]
    await stock.receive("A", "WH-1", 3, "GR-1")
    assert await orders.allocate_backorder("SO-ONE-1", waiting[0].child_no)
    assert [w.order_no for w in await stock.waiting_backorders("A", "WH-1")] == ["SO-TWO-2"]
