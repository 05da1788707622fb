"""Children split by hand: new numbers, every unit in exactly one, the same money to the fen (R39)."""

import pytest

from bench.scenarios.environment import Servers
from starter.clients.errors import NotNow
from tests.scenarios.children import CHILD, desk, line

HEAVY = (line(1, 3, 333), line(2, 2, 500))


async def test_one_child_becomes_two_with_new_numbers_and_the_same_money(servers: Servers) -> None:
    async with desk(servers, *HEAVY) as d:
        before = await d.paid()
        await d.approve(await d.resplit([1], {"L1": 1, "L2": 2}, {"L1": 2}))
        assert await d.statuses() == {1: "CANCELLED", 2: "RELEASED", 3: "RELEASED"}
        shown = await d.children()
        assert [shown[CHILD[n]]["lines"] for n in (2, 3)] == [{"L1": 1, "L2": 2}, {"L1": 2}]
        assert (await d.paid(), d.house.systems.refunds) == (before, {})
        assert await d.stock() == {"SKU-1@WH-1": (0, 3, 0), "SKU-2@WH-1": (0, 2, 0)}
        await d.life.ships(2)
        assert (await d.life.detail()).order.status == "PARTIALLY_SHIPPED"
        await d.life.ships(3)
        assert (await d.life.detail()).order.status == "SHIPPED"
        assert await d.stock() == {"SKU-1@WH-1": (0, 0, 3), "SKU-2@WH-1": (0, 0, 2)}


async def test_numbers_are_never_used_again(servers: Servers) -> None:
    async with desk(servers, *HEAVY) as d:
        before = await d.paid()
        await d.approve(await d.resplit([1], {"L1": 1, "L2": 2}, {"L1": 2}))
        await d.approve(await d.merge(2, 3))
        assert await d.statuses() == {1: "CANCELLED", 2: "CANCELLED", 3: "CANCELLED", 4: "RELEASED"}
        await d.approve(await d.resplit([4], {"L1": 3}, {"L2": 2}))
        assert await d.statuses() == {**dict.fromkeys(range(1, 5), "CANCELLED"), 5: "RELEASED", 6: "RELEASED"}
        assert await d.paid() == before


async def test_what_does_not_add_up_is_refused_at_once(servers: Servers) -> None:
    async with desk(servers, *HEAVY) as d:
        for parts, remark, code in (
            (({"L1": 1, "L2": 2}, {"L1": 2}), " ", "REMARK_REQUIRED"),
            (({"L1": 1, "L2": 2}, {"L1": 1}), "by hand", "UNITS_DIFFER"),
            (({"L1": 3, "L2": 2},), "by hand", "NOTHING_CHANGES"),
        ):
            with pytest.raises(NotNow) as refused:
                await d.resplit([1], *parts, remark=remark)
            assert refused.value.type == code


async def test_a_second_wish_for_the_same_child_waits_its_turn(servers: Servers) -> None:
    async with desk(servers, *HEAVY) as d:
        await d.resplit([1], {"L1": 3}, {"L2": 2})
        with pytest.raises(NotNow, match="waits for approval already"):
            await d.resplit([1], {"L1": 1, "L2": 2}, {"L1": 2})
