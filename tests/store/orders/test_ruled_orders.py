"""Orders that are planned by a published rule set: every table has its say, the explanation names the row."""

import pytest

from domain.catalog.records import SkuRecord
from domain.fulfilment.explanation import Explanation, replay
from domain.order import OrderLine
from domain.policy import Policy
from domain.records import Settled, SettlePayment
from store.orders.orders import OrderStore
from store.orders.plans import PlanStore
from store.pool import Pool
from store.stock.catalog import CatalogStore
from store.stock.ledger import StockStore
from tests.domain.rules import a_table
from tests.store.examples import NOW, a_payment, a_write, an_order
from tests.store.rule_books import published

NUMBER = "SO20261120"
PRICE = {"first_g": "1000", "extra_g": "1000", "extra_fee_minor": "100"}


@pytest.fixture(autouse=True)
async def goods(pool: Pool, stock: StockStore) -> None:
    """A leaves WH-1 or WH-2 and weighs 1,500 g; P, paint, is dangerous; both are in stock everywhere."""
    places = ("WH-1", "WH-2")
    records = [
        SkuRecord(sku="A", ship_from=places, weight_g=1500),
        SkuRecord(sku="P", ship_from=places, weight_g=200, hazard=True),
    ]
    await CatalogStore(pool).put(records, "test", NOW)
    for sku in ("A", "P"):
        for place in places:
            await stock.receive(sku, place, 99, f"GR-{sku}-{place}")


async def settled(orders: OrderStore, *skus: str) -> Settled:
    lines = tuple(
        OrderLine(line_id=f"L{n}", sku=sku, qty=3, unit_price_minor=100) for n, sku in enumerate(skus, start=1)
    )
    payable = 300 * len(skus)
    await orders.register(an_order(lines=lines, freight=(), payable_minor=payable), "run-1", NOW)
    return await orders.settle(SettlePayment(write=a_write(payment=a_payment(amount=payable)), policy=Policy()))


async def explained(pool: Pool) -> Explanation:
    found = await PlanStore(pool).explanation(NUMBER)
    assert found is not None
    return found.explanation


async def test_the_preferred_warehouse_of_a_region_ships(orders: OrderStore, pool: Pool) -> None:
    rows = [
        {"province": "'广东省'", "warehouses": '["WH-1"]'},
        {"province": "'浙江省'", "warehouses": '["WH-9", "WH-2"]'},
    ]
    await published(pool, preferred_warehouse=a_table("preferred_warehouse", *rows))
    (child,) = (await settled(orders, "A")).children
    assert child.warehouse == "WH-2", "WH-9 is preferred, but the catalogue does not allow it"


async def test_the_cheapest_allowed_carrier_is_chosen_by_the_weight_of_the_catalogue(
    orders: OrderStore, pool: Pool
) -> None:
    tariffs = [
        PRICE | {"carrier": '"CHEAP"', "first_fee_minor": "1"},
        PRICE | {"carrier": '"SF"', "first_fee_minor": "900"},
        PRICE | {"carrier": '"ZTO"', "first_fee_minor": "500", "region": "'浙江省'"},
    ]
    allowed = a_table("carriers", {"order_weight_g": ">= 4500", "carriers": '["SF", "ZTO"]'})
    await published(pool, carriers=allowed, tariffs=a_table("tariffs", *tariffs))
    (child,) = (await settled(orders, "A")).children
    assert (child.carrier, child.shipping_cost_minor) == ("ZTO", 500 + 4 * 100)


async def test_dangerous_goods_of_the_catalogue_travel_alone_and_the_row_is_named(
    orders: OrderStore, pool: Pool
) -> None:
    await published(pool, custom_split=a_table("custom_split"))
    children = (await settled(orders, "A", "P")).children
    assert [[(r.dim, r.value) for r in c.reasons] for c in children] == [[("hazard", "none")], [("hazard", "hazard")]]
    explanation = await explained(pool)
    because = explanation.children[1].reasons[0]
    assert (because.rule_id, because.version, because.version_of) == ("hazard", 1, "rules")
    assert replay(explanation) == children


async def test_a_condition_on_stock_sees_what_could_be_had_then(orders: OrderStore, pool: Pool) -> None:
    rows = [{"stock": "< 3", "group": '"short"'}, {"stock": "99", "group": '"plenty"'}]
    await published(pool, custom_split=a_table("custom_split", *rows))
    await settled(orders, "A")
    decision = (await explained(pool)).inputs.decision
    assert [(line.group, line.group_rule) for line in decision.lines] == [("plenty", "R2")]
