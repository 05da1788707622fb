"""Orders whose goods lie in several warehouses: what the plan chose is what is reserved, shipped and waited for."""

import asyncio

import pytest

from domain.catalog.records import SkuRecord
from domain.order import OrderLine, SkuTags
from domain.policy import Policy
from domain.records import Settled, SettlePayment
from domain.states import ChildStatus
from store.orders.orders import OrderStore
from store.orders.plans import PlanStore
from store.pool import Pool
from store.stock.catalog import CatalogStore
from store.stock.ledger import StockStore
from tests.store.examples import NOW, a_payment, a_write, an_order


@pytest.fixture
async def catalog(pool: Pool) -> CatalogStore:
    """SKU A may leave WH-1 or WH-2, B only WH-2."""
    catalog = CatalogStore(pool)
    records = [SkuRecord(sku="A", ship_from=("WH-1", "WH-2")), SkuRecord(sku="B", ship_from=("WH-2",))]
    await catalog.put(records, "test", NOW)
    return catalog


async def settled(orders: OrderStore, number: str = "SO20261120", *, own: str | None = None, a: int = 3) -> Settled:
    """`a` × A and 2 × B, at 10.00 each; `own`: the warehouse that the order's own tags name for A."""
    tags = SkuTags(warehouse=own) if own else None
    lines = (
        OrderLine(line_id="L1", sku="A", qty=a, unit_price_minor=1000, tags=tags),
        OrderLine(line_id="L2", sku="B", qty=2, unit_price_minor=1000),
    )
    payable = (a + 2) * 1000
    await orders.register(an_order(number, lines=lines, freight=(), payable_minor=payable), "run-1", NOW)
    return await orders.settle(
        SettlePayment(write=a_write(number, payment=a_payment(number, amount=payable)), policy=Policy())
    )


async def receive(stock: StockStore, **units: int) -> None:
    """`A_1=3`: three units of A in WH-1."""
    for name, count in units.items():
        sku, number = name.split("_")
        await stock.receive(sku, f"WH-{number}", count, f"GR-{name}-{count}")


async def reserved(stock: StockStore) -> dict[tuple[str, str], int]:
    return {(b.sku, b.warehouse): b.reserved for b in await stock.show() if b.reserved}


async def test_the_order_ships_from_the_one_warehouse_that_has_it_all(
    orders: OrderStore, stock: StockStore, catalog: CatalogStore
) -> None:
    await receive(stock, A_1=9, A_2=9, B_2=9)
    (child,) = (await settled(orders)).children
    assert (child.warehouse, child.lines, child.reasons) == ("WH-2", {"L1": 3, "L2": 2}, ())
    assert await reserved(stock) == {("A", "WH-2"): 3, ("B", "WH-2"): 2}


async def test_a_warehouse_that_the_order_itself_names_is_not_questioned(
    orders: OrderStore, stock: StockStore, catalog: CatalogStore
) -> None:
    await receive(stock, A_1=9, A_2=9, B_2=9)
    children = (await settled(orders, own="WH-1")).children
    assert [(c.warehouse, c.lines) for c in children] == [("WH-1", {"L1": 3}), ("WH-2", {"L2": 2})]


async def test_a_divided_line_is_reserved_where_its_units_are_and_waits_where_they_will_be(
    orders: OrderStore, stock: StockStore, catalog: CatalogStore
) -> None:
    await receive(stock, A_1=1, A_2=1, B_2=9)
    children = (await settled(orders)).children
    assert [(c.warehouse, c.lines, c.status) for c in children] == [
        ("WH-1", {"L1": 1}, ChildStatus.RELEASED),
        ("WH-1", {"L1": 1}, ChildStatus.BACKORDER),
        ("WH-2", {"L1": 1, "L2": 2}, ChildStatus.RELEASED),
    ]
    assert await reserved(stock) == {("A", "WH-1"): 1, ("A", "WH-2"): 1, ("B", "WH-2"): 2}
    assert sum(c.paid_minor for c in children) == 5000
    await receive(stock, A_1=2)
    (waiting,) = await stock.waiting_backorders("A", "WH-1")
    assert waiting.child_no == children[1].child_no
    assert await orders.allocate_backorder("SO20261120", waiting.child_no)
    assert (await reserved(stock))["A", "WH-1"] == 2


async def test_settling_again_gives_the_same_children_although_the_stock_has_changed(
    orders: OrderStore, stock: StockStore, catalog: CatalogStore
) -> None:
    await receive(stock, A_1=3, B_2=2)
    first = await settled(orders)
    await receive(stock, A_2=9)
    assert await settled(orders) == first


async def test_a_later_change_of_the_catalogue_does_not_reach_a_registered_order(
    orders: OrderStore, stock: StockStore, catalog: CatalogStore
) -> None:
    await receive(stock, A_1=9, A_2=9, B_2=9)
    lines = (OrderLine(line_id="L1", sku="A", qty=1, unit_price_minor=1000),)
    await orders.register(an_order(lines=lines, freight=(), payable_minor=1000), "run-1", NOW)
    await catalog.put([SkuRecord(sku="A", ship_from=("WH-2",))], "test", NOW)
    settle = SettlePayment(write=a_write(payment=a_payment(amount=1000)), policy=Policy())
    assert [c.warehouse for c in (await orders.settle(settle)).children] == ["WH-1"]


async def test_orders_racing_for_units_in_two_warehouses_never_get_more_than_there_is(
    orders: OrderStore, stock: StockStore, catalog: CatalogStore
) -> None:
    await receive(stock, A_1=7, A_2=6, B_2=30)
    answers = await asyncio.gather(*(settled(orders, f"SO-RACE-{n}") for n in range(6)))
    got = sum(c.lines.get("L1", 0) for s in answers for c in s.children if c.status is not ChildStatus.BACKORDER)
    assert got == 13
    assert {place: n for place, n in (await reserved(stock)).items() if place[0] == "A"} == {
        ("A", "WH-1"): 7, ("A", "WH-2"): 6,
    }  # fmt: skip


async def test_a_line_without_a_weight_is_rated_by_the_catalogues(
    orders: OrderStore, stock: StockStore, catalog: CatalogStore, pool: Pool
) -> None:
    record = SkuRecord(sku="A", ship_from=("WH-1", "WH-2"), weight_g=700)
    await catalog.put([record], "test", NOW)
    await receive(stock, A_1=9, A_2=9, B_2=9)
    await settled(orders)
    kept = await PlanStore(pool).explanation("SO20261120-01")
    assert kept is not None
    assert [line.weight_g for line in kept.explanation.inputs.priced.lines] == [700, 0]
