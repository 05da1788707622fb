"""What scenario S04 says in words, by production's own order: table rows, and what late news leaves behind."""

from collections import Counter
from datetime import timedelta

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from bench.waybills import waybill
from domain.facts import Kind
from store.inbox.inbox import Added

ORDER = OrderIn(order_no="SO2603030004", lines=(LineIn(id="L1", sku="CUP", qty=1, unit_price=100),))


async def told(house: ScenarioEnvironment) -> ScenarioOrder:
    """In S04's order of arrival: paid twice, signed before it was picked up, then what the warehouse has to say."""
    life = await stocked(house, ORDER)
    began = house.now()
    paid = house.systems.pays(life.order.order_no, life.order.payable_minor, began)
    assert await house.deliver(paid) == (Added.NEW,)
    assert await house.deliver(paid) == (Added.DUPLICATE,)
    await house.pass_until(began + timedelta(hours=9))  # nothing is told before it has happened
    collected = life.fact(Kind.COLLECTED, at=began + timedelta(hours=1))
    await house.deliver(collected)
    await life.happens(Kind.SIGNED, at=began + timedelta(hours=9))
    await life.happens(Kind.WMS_ACCEPTED, at=began)
    await life.happens(Kind.WAYBILL_RETURNED, at=began + timedelta(minutes=30))
    await life.confirm_receipt()
    assert await house.deliver(collected) == (Added.DUPLICATE,)
    return life


async def test_each_event_counts_once_and_late_ones_still_leave_their_facts(servers: Servers) -> None:
    async with servers.house() as house:
        life = await told(house)
        detail, events = await life.detail(), await life.events()
        applied = Counter(e["key"] for e in events if e["outcome"] == "APPLIED")
        assert detail.order.status == "COMPLETED" and set(applied.values()) == {1}
        outcomes = {e["kind"]: e["outcome"] for e in events}
        assert outcomes["WAYBILL_RETURNED"] == outcomes["WMS_ACCEPTED"] == "STALE"
        assert detail.children[0]["waybill_no"] == waybill(life.child_no(1)), "the number is kept although it came late"
        repeats = await house.pool.fetchval("SELECT count(*) FROM inbox_repeats")
        assert repeats == 2, "a repeated message leaves a row of its own, and nothing else"


async def test_a_pick_up_scan_alone_ships_an_order_whose_warehouse_is_silent(servers: Servers) -> None:
    async with servers.house() as house:
        life = await stocked(house, ORDER)
        await life.pay()
        await life.happens(Kind.COLLECTED)
        assert (await life.detail()).order.status == "SHIPPED"


async def test_what_starts_in_a_house_that_is_ahead_starts_at_its_time(servers: Servers) -> None:
    async with servers.house() as house:
        await stocked(house, ORDER)
        await house.pass_until(house.now() + timedelta(days=3))
        later = await stocked(house, ORDER.model_copy(update={"order_no": "SO2603030005"}))
        assert timedelta(0) <= (await later.view()).as_of - later.order.placed_at < timedelta(seconds=10)
