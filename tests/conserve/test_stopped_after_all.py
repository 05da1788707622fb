"""What a warehouse cancels by itself, after it could not be stopped: whose units it has, pays them, and once."""

from datetime import timedelta

import pytest

from bench.scenarios.environment.order import ScenarioOrder
from bench.scenarios.environment.return_case import MINUTE, case_of
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from domain.facts import Kind
from domain.order import SkuTags
from domain.returns.enums import ReturnType
from domain.states import OrderStatus
from providers.errors import UnknownOutcome
from tests.conserve.conftest import Ground
from tests.conserve.test_late_words import NO, answered, case_in, paid, questions, world
from tests.conserve.test_two_at_once import CUP, asked, cups, every_owner

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


async def in_two_parcels(ground: Ground, number: str) -> ScenarioOrder:
    """A cup from each of two warehouses."""
    house = ground.house()
    lines = tuple(
        LineIn(id=f"L{n}", sku=f"CUP{number}{n}", qty=1, unit_price=CUP, tags=SkuTags(warehouse=warehouse))
        for n, warehouse in ((1, "WH-BJ"), (2, "WH-SH"))
    )
    life = await stocked(house, OrderIn(order_no=f"SO{number}", lines=lines))
    await life.pay()
    house.world.captured_minor = 2 * CUP
    return life


@pytest.mark.parametrize("kind", [ReturnType.REFUND_ONLY, ReturnType.CANCEL_UNSHIPPED])
async def test_what_is_stopped_after_all_is_paid_by_the_return_that_has_its_units(
    ground: Ground, kind: ReturnType
) -> None:
    """The order asked for its money as well, was refused, and a person was asked to pay it once more."""
    number = f"740000{50 + len(kind)}"
    life = await paid(ground, number)
    world(life).world.plans.stops = ["too_late"]
    case = await case_in(life, kind)
    await life.happens(Kind.INTERCEPTED, 1)
    assert not await questions(life)
    await every_owner(ground, life, number)
    await case.decide()
    await life.house.pass_until(life.house.now() + 5 * MINUTE)
    await every_owner(ground, life, number)
    assert world(life).world.given_back_minor == 2 * CUP and await life.status() is OrderStatus.CLOSED
    assert (await case.shown()).ended_at is not None, "nothing comes back: nobody waits seven days for it"


@pytest.mark.parametrize("decided", ["before", "after"])
async def test_a_case_waits_for_what_it_heard_is_coming_and_for_nothing_else(ground: Ground, decided: str) -> None:
    """Two parcels that could not be stopped; then the warehouse cancels one of them by itself."""
    number = f"740000{62 + len(decided)}"
    life = await in_two_parcels(ground, number)
    world(life).world.plans.stops = ["too_late"] * 2
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 1, "L2": 1})
    await case.apply()
    if decided == "before":
        await case.decide()
    await life.happens(Kind.INTERCEPTED, 1)
    if decided == "after":
        await case.decide()
    await life.ships(2)
    await life.happens(Kind.SIGNED, 2)
    assert (await case.view()).expected_units == 2 - (decided == "after")
    await case.enter_waybill()
    assert (await case.view()).expected_units == 1
    await case.receive()
    await case.scan()
    await life.house.pass_until(life.house.now() + 5 * MINUTE)
    here = "SELECT array_agg(line_id) FROM return_units WHERE return_no = $1 AND reception = 'RECEIVED'"
    assert await world(life).pool.fetchval(here, case.return_no) == ["L2"], "the other one never left the warehouse"
    assert not await questions(life) and not (await case.view()).open_tickets
    assert world(life).world.given_back_minor == 2 * CUP
    await every_owner(ground, life, number)


async def test_what_is_stopped_after_all_is_paid_back_by_the_order_when_the_return_is_refused(ground: Ground) -> None:
    number = "74000060"
    life = await paid(ground, number)
    world(life).world.plans.stops = ["too_late"]
    case = await case_in(life, ReturnType.REFUND_ONLY)
    await life.happens(Kind.INTERCEPTED, 1)
    await case.decide(verdict="reject")
    await life.house.pass_until(life.house.now() + 2 * MINUTE)
    assert world(life).world.given_back_minor == 2 * CUP and await life.status() is OrderStatus.CLOSED
    await every_owner(ground, life, number)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("paid_by_both", [True, False])
async def test_two_returns_with_units_of_what_is_stopped_after_all_pay_each_its_own(
    ground: Ground, first: int, paid_by_both: bool
) -> None:
    """The one that ended first was taken to owe the other's units: a person was asked to pay them a second time."""
    number = f"7400061{2 * first + paid_by_both}"
    life = await paid(ground, number)
    world(life).world.plans.stops = ["too_late"] * 4
    cases = [await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1}, images=1) for _ in range(2)]
    for case in cases:
        await case.apply()
    await life.happens(Kind.INTERCEPTED, 1)
    await cases[first].decide(verdict="approve" if paid_by_both else "reject")
    await life.house.pass_until(life.house.now() + 2 * MINUTE)
    await every_owner(ground, life, number)
    assert not await questions(life), "the other one has not been decided yet"
    await cases[1 - first].decide()
    await life.house.pass_until(life.house.now() + 2 * MINUTE)
    assert world(life).world.given_back_minor == (1 + paid_by_both) * CUP
    assert [t.step for t in await questions(life)] == ([] if paid_by_both else ["ship again"])
    await every_owner(ground, life, number)
    if not paid_by_both:
        await answered(life, "give_up")
    free = "SELECT available FROM stock WHERE sku = $1 AND warehouse = 'WH-BJ'"
    assert await world(life).pool.fetchval(free, f"CUP{number}") == 2
    await every_owner(ground, life, number)


@pytest.mark.parametrize("by", ["order", "return"])
async def test_refused_and_stopped_in_one_breath_is_one_refund_and_no_question(ground: Ground, by: str) -> None:
    number = f"740000{70 + len(by)}"
    life = await paid(ground, number)
    world(life).world.plans.stops = ["pending"]
    if by == "order":
        await asked(world(life), life, "cancel", NO)
    else:
        case = await case_in(life, ReturnType.CANCEL_UNSHIPPED)
    await life.house.deliver(life.fact(Kind.INTERCEPT_REFUSED, 1), life.fact(Kind.INTERCEPTED, 1))
    if by == "return":
        await case.decide()
    await life.house.pass_until(life.house.now() + 5 * MINUTE)
    assert not await questions(life) and world(life).world.given_back_minor == 2 * CUP
    await every_owner(ground, life, number)


async def test_what_the_warehouse_cancels_while_a_return_waits_for_the_push_to_end_is_the_returns(
    ground: Ground,
) -> None:
    """Its stock stayed reserved for ever."""
    number = "74000080"
    house = ground.house()
    life = await stocked(house, cups(number))
    house.world.script("wms.push", *[UnknownOutcome("scripted", "FATE", "no answer")] * 2)
    await life.pay()
    house.world.captured_minor = 2 * CUP
    case = await case_in(life, ReturnType.CANCEL_UNSHIPPED)
    await life.happens(Kind.INTERCEPTED, 1)
    await house.pass_until(house.now() + timedelta(hours=1))
    assert not await questions(life)
    await case.decide()
    await house.pass_until(house.now() + 5 * MINUTE)
    assert house.world.given_back_minor == 2 * CUP and await life.status() is OrderStatus.CLOSED
    free = "SELECT available FROM stock WHERE sku = $1 AND warehouse = 'WH-BJ'"
    assert await house.pool.fetchval(free, f"CUP{number}") == 2
    await every_owner(ground, life, number)
