"""A paid order that is likely to come back waits a while for somebody to look at it, and then goes (R61)."""

from datetime import timedelta

import pytest

from bench.conserve.house import EngineHouse
from bench.insight.planting import PlantedOrder, PlantedReturn, plant_orders, plant_returns
from bench.scenarios.environment.order import ScenarioOrder
from bench.scenarios.ordered import stocked
from domain.dispatch.holds import RISK_RULE, Hold, HoldEnd, HoldKind
from domain.insight.risk import LONGEST_HOLD_S
from domain.returns.enums import Reason, ReturnType
from tests.conserve.conftest import Ground
from tests.conserve.test_holds import only_hold, pushed, released
from tests.conserve.test_two_at_once import cups, every_owner

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

SOFT = timedelta(seconds=LONGEST_HOLD_S)
SECOND = timedelta(seconds=1)


async def paid(ground: Ground, house: EngineHouse, number: str, exchanges: int = 3, returns: int = 2) -> ScenarioOrder:
    """By a buyer who had so many cases before: three and two are 45 + 20 points."""
    before, at = f"SOB{number}", house.now() - timedelta(days=1)
    await plant_orders(ground.pool, [PlantedOrder(before, "杭州", at, at, buyer=f"buyer-{number}")])
    size = PlantedReturn(before, at, type=ReturnType.EXCHANGE, reason=Reason.SIZE_DOES_NOT_FIT)
    await plant_returns(ground.pool, [size] * exchanges + [PlantedReturn(before, at)] * returns)
    life = await stocked(house, cups(number), buyer={"buyer_id": f"buyer-{number}"})
    await life.pay()
    return life


async def test_it_is_held_softly_survives_a_crash_and_goes_by_itself_to_the_second(ground: Ground) -> None:
    house = ground.house()
    life = await paid(ground, house, "64000001")
    hold = await only_hold(life)
    assert (hold.kind, hold.source, hold.rule) == (HoldKind.RISK, "rule", RISK_RULE)
    assert hold.ends_at == hold.placed_at + SOFT and hold.risk is not None and hold.risk.score == 65
    assert [row.risk for row in (await life.detail()).holds] == [hold.risk]
    assert hold.ends_at is not None
    await house.pass_until(hold.ends_at - SECOND)
    house.engine.crash()
    assert pushed(house) == []
    await every_owner(ground, life, "64000001")
    await house.pass_until(hold.ends_at + SECOND)
    assert pushed(house) == [life.child_no(1)]
    assert (await only_hold(life)).end is HoldEnd.CAUSE


async def test_whoever_has_looked_lets_it_go_at_once_and_what_they_found_is_kept(ground: Ground) -> None:
    house = ground.house()
    life = await paid(ground, house, "64000002")
    await released(house, life, await only_hold(life))
    assert pushed(house) == [life.child_no(1)]
    (row,) = (await life.detail()).holds
    assert (row.ending, row.ended_by, row.end_remark) == ("released", "u-sup", "all well")
    await house.pass_until(house.now() + 2 * SOFT)
    assert len((await life.view()).holds) == 1, "it is looked at once"


async def test_below_the_threshold_nothing_waits(ground: Ground) -> None:
    house = ground.house()
    life = await paid(ground, house, "64000003", exchanges=2)
    holds: tuple[Hold, ...] = (await life.view()).holds
    assert holds == () and pushed(house) == [life.child_no(1)]
