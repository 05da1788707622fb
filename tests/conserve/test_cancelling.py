"""A parcel that was stopped for a cancellation is paid back soon, whatever the stops of the others are waiting for."""

from datetime import timedelta

import pytest

from bench.scenarios.environment.order import ScenarioOrder
from bench.scenarios.ordered import stocked
from domain.facts import Kind
from domain.states import OrderStatus
from store.ownership.check import STILL
from tests.conserve.conftest import Ground
from tests.conserve.test_engine import order
from tests.conserve.test_two_at_once import asked, every_owner
from workflows.order.cancelling import TOGETHER
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

DESK, LAMPS = 89_900, 12_900
CANCEL = CancelOrder(by="buyer", reason="no")


async def cancelled(ground: Ground, number: str, *stops: str) -> ScenarioOrder:
    """Two parcels at two warehouses, which answer `stops`."""
    house = ground.house()
    life = await stocked(house, order(number))
    await life.pay()
    house.world.captured_minor = DESK + LAMPS
    house.world.plans.stops = [*stops]
    await asked(house, life, "cancel", CANCEL)
    return life


async def test_the_money_of_what_was_stopped_does_not_wait_for_a_warehouse_that_does_not_answer(ground: Ground) -> None:
    life = await cancelled(ground, "63000001", "cancelled", "pending")
    house = life.house
    assert house.systems.refund_calls == [], "for a while: two parcels are one refund"
    await house.pass_until(house.now() + TOGETHER + timedelta(seconds=2))
    assert [c.amount_minor for c in house.systems.refund_calls] == [DESK]
    await every_owner(ground, life, "63000001")
    await life.happens(Kind.INTERCEPTED, 2)
    await house.pass_until(house.now() + timedelta(minutes=3))
    assert [c.amount_minor for c in house.systems.refund_calls] == [DESK, LAMPS]
    assert await life.status() is OrderStatus.CLOSED
    await every_owner(ground, life, "63000001")


async def test_what_is_stopped_at_once_is_one_refund(ground: Ground) -> None:
    life = await cancelled(ground, "63000002", "cancelled", "cancelled")
    assert [c.amount_minor for c in life.house.systems.refund_calls] == [DESK + LAMPS]


def test_nobody_looks_before_the_money_is_asked_for() -> None:
    """The nightly look at the books leaves alone what was written as lately as a cancellation may be half way."""
    assert TOGETHER <= STILL
