"""A rule set that is published while orders are open counts for later orders only: through running workflows."""

import asyncio

from bench.scenarios.environment import Servers
from bench.scenarios.environment.environment import ScenarioEnvironment
from domain.order import Address, Buyer, OrderLine, SkuTags, StartOrder
from starter.clients.orders import OrderClient
from store.rules.rule_sets import RuleSetStore
from tests.domain.rules import a_table
from tests.store.rule_books import published

OPEN = 50


def an_order(house: ScenarioEnvironment, number: str) -> StartOrder:
    lines = tuple(
        OrderLine(line_id=f"L{n}", sku="TEA", qty=1, unit_price_minor=100, tags=SkuTags(warehouse=place))
        for n, place in enumerate(("WH-A", "WH-B", "WH-C"), start=1)
    )
    return StartOrder(
        order_no=number, channel="shop", channel_order_no=number, placed_at=house.now(), buyer=Buyer(buyer_id="b-1"),
        address=Address(recipient="王芳", phone="13800138000", province="浙江省", city="杭州市", street="文三路"),
        lines=lines, payable_minor=300,
    )  # fmt: skip


async def placed(house: ScenarioEnvironment, client: OrderClient, numbers: list[str]) -> None:
    await asyncio.gather(*(client.start(an_order(house, number)) for number in numbers))


async def paid(house: ScenarioEnvironment, numbers: list[str]) -> None:
    await house.deliver(*(house.systems.pays(number, 300, house.now()) for number in numbers))


async def reasons(house: ScenarioEnvironment, number: str) -> list[list[str]]:
    detail = await house.orders.view(number)
    assert detail is not None
    return [[f"{r['dim']}={r['value']}" for r in child["reasons"]] for child in detail.children]


async def test_fifty_open_orders_keep_the_rules_they_started_with(servers: Servers) -> None:
    before = [f"SO-OPEN-{n:02}" for n in range(OPEN)]
    async with servers.house() as house:
        await RuleSetStore(house.pool).ensure_built_in(house.now())
        # There is no stock: planned all the same, and no parcel has to be pushed.
        await placed(house, house.client, before)
        await paid(house, before[:10])
        conditions = a_table("custom_split", {"ship_from": "!= 'WH-A'", "group": '"not-A"'})
        order = a_table("dimension_order", {"priority": '["customs", "warehouse", "supplier", "logistics"]'})
        await published(house.pool, custom_split=conditions, dimension_order=order)
        await placed(house, house.client, ["SO-LATER-1"])
        await paid(house, [*before[10:], "SO-LATER-1"])
        by_warehouse = [["warehouse=WH-A"], ["warehouse=WH-B"], ["warehouse=WH-C"]]
        assert {number: await reasons(house, number) for number in before} == dict.fromkeys(before, by_warehouse)
        assert await reasons(house, "SO-LATER-1") == [
            ["custom=none"], ["custom=not-A", "warehouse=WH-B"], ["custom=not-A", "warehouse=WH-C"],
        ]  # fmt: skip
