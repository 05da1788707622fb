"""What a warehouse or supplier cannot ship is looked for elsewhere, or refunded: only that child, those units."""

from datetime import timedelta
from typing import Any

from bench.scenarios.environment import Servers
from domain.catalog.records import SkuRecord
from domain.facts import Kind
from domain.order import OrderLine
from tests.scenarios.children import CHILD, desk, line

GOODS = SkuRecord(sku="SKU-1", ship_from=("WH-1", "WH-2"))
DROPSHIP = SkuRecord(sku="SKU-1", ship_from=("SUP-A", "SUP-B"), supplier="ACME")
OTHER = line(2, 1, 500, warehouse="WH-9")
ELSEWHERE: dict[str, Any] = {"elsewhere": True}


def untagged(qty: int) -> OrderLine:
    return OrderLine(line_id="L1", sku="SKU-1", qty=qty, unit_price_minor=333)


async def test_a_short_pick_ships_from_elsewhere_and_what_nobody_has_is_refunded(servers: Servers) -> None:
    stock = {("SKU-1", "WH-1"): 5, ("SKU-1", "WH-2"): 1}
    async with desk(servers, untagged(5), OTHER, catalogue=[GOODS], extra_stock=stock) as d:
        before = await d.paid()
        await d.life.ships(2)
        await d.life.happens(Kind.PICKING, 1, actual={"L1": 3})
        await d.life.happens(Kind.PACKED, 1)
        await d.life.happens(Kind.WAYBILL_RETURNED, 1, actual={"L1": 3})
        await d.answer("short pick", "retry")
        assert await d.statuses() == {1: "SHIPPED", 2: "SHIPPED", 3: "RELEASED"}
        shown = await d.children()
        assert (shown[CHILD[3]]["lines"], shown[CHILD[3]]["warehouse"]) == ({"L1": 1}, "WH-2")
        assert shown[CHILD[1]]["lines"] == {"L1": 4}
        assert await d.paid() == before
        assert (await d.life.detail()).order.status == "PARTIALLY_SHIPPED"
        assert await d.steps() == ["short pick"]
        await d.answer("short pick", "give_up")
        (refund,) = d.house.systems.refunds.values()
        assert 333 <= refund <= 333 + 101
        await d.life.ships(3)
        assert (await d.life.detail()).order.status == "SHIPPED"
        await d.life.happens(Kind.SIGNED, 1)
        await d.life.confirm_receipt()
        assert await d.stock() == {"SKU-1@WH-1": (0, 0, 3), "SKU-1@WH-2": (0, 0, 1), "SKU-2@WH-9": (0, 0, 1)}


async def test_a_rejected_child_ships_from_elsewhere_without_a_refund(servers: Servers) -> None:
    stock = {("SKU-1", "WH-1"): 2, ("SKU-1", "WH-2"): 2}
    async with desk(servers, untagged(2), OTHER, catalogue=[GOODS], extra_stock=stock) as d:
        before = await d.paid()
        await d.life.happens(Kind.WMS_REJECTED, 1)
        await d.answer("outbound rejected", "supply", ELSEWHERE)
        assert await d.statuses() == {1: "CANCELLED", 2: "RELEASED", 3: "RELEASED"}
        assert (await d.children())[CHILD[3]]["warehouse"] == "WH-2"
        assert (await d.paid(), d.house.systems.refunds) == (before, {})
        assert await d.stock() == {"SKU-1@WH-1": (2, 0, 0), "SKU-1@WH-2": (0, 2, 0), "SKU-2@WH-9": (0, 1, 0)}


async def test_a_child_of_which_nothing_is_found_is_stopped_there_and_ships_from_elsewhere(servers: Servers) -> None:
    stock = {("SKU-1", "WH-1"): 2, ("SKU-1", "WH-2"): 2}
    async with desk(servers, untagged(2), OTHER, catalogue=[GOODS], extra_stock=stock) as d:
        before = await d.paid()
        await d.life.happens(Kind.PICKING, 1)
        await d.life.happens(Kind.SHORT_PICKED, 1, actual={"L1": 0})
        assert await d.steps() == ["outbound rejected"]
        await d.answer("outbound rejected", "supply", ELSEWHERE)
        assert await d.statuses() == {1: "CANCELLED", 2: "RELEASED", 3: "RELEASED"}
        assert [call.key for call in d.house.systems.of("wms.cancel")] == [CHILD[1]]
        assert (await d.paid(), d.house.systems.refunds) == (before, {})


async def test_a_rejected_child_that_nobody_else_has_is_refunded_alone(servers: Servers) -> None:
    async with desk(servers, untagged(2), OTHER, catalogue=[GOODS], extra_stock={("SKU-1", "WH-1"): 2}) as d:
        worth = (await d.children())[CHILD[1]]["paid_minor"]
        await d.life.happens(Kind.WMS_REJECTED, 1)
        await d.answer("outbound rejected", "supply", ELSEWHERE)
        assert await d.statuses() == {1: "CANCELLED", 2: "RELEASED"}
        assert list(d.house.systems.refunds.values()) == [worth]


async def test_a_silent_supplier_is_asked_about_in_time_and_another_one_ships(servers: Servers) -> None:
    stock = {("SKU-1", "SUP-A"): 2, ("SKU-1", "SUP-B"): 2}
    async with desk(servers, untagged(2), OTHER, catalogue=[DROPSHIP], extra_stock=stock) as d:
        before = await d.paid()
        await d.house.pass_until(d.house.now() + timedelta(hours=23, minutes=50))
        assert await d.steps() == []
        await d.house.pass_until(d.house.now() + timedelta(minutes=20))
        assert await d.steps() == ["supplier silent"]
        await d.answer("supplier silent", "supply", ELSEWHERE)
        assert await d.statuses() == {1: "CANCELLED", 2: "RELEASED", 3: "RELEASED"}
        assert (await d.children())[CHILD[3]]["warehouse"] == "SUP-B"
        assert (await d.paid(), d.house.systems.refunds) == (before, {})


async def test_a_supplier_that_confirms_is_not_asked_about(servers: Servers) -> None:
    stock = {("SKU-1", "SUP-A"): 2}
    async with desk(servers, untagged(2), OTHER, catalogue=[DROPSHIP], extra_stock=stock) as d:
        await d.life.happens(Kind.WMS_ACCEPTED, 1)
        await d.house.pass_until(d.house.now() + timedelta(days=3))
        assert await d.steps() == []
