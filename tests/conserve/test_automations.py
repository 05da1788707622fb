"""An order does what an automation has it do, once; what it cannot do it says, and is not done later (R83)."""

import pytest

from bench.conserve.house import EngineHouse
from bench.scenarios.environment.order import ScenarioOrder
from bench.scenarios.environment.return_case import MINUTE
from bench.scenarios.ordered import stocked
from domain.automation.acts import Asked, CarrierAct, HoldAct, OrderAct, RefundAct, ReleaseAct
from domain.dispatch.holds import HoldEnd
from domain.facts import Fact, Kind
from domain.states import OrderStatus
from tests.conserve.conftest import Ground
from tests.conserve.test_holds import held, only_hold, pushed
from tests.conserve.test_two_at_once import cups, every_owner

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


def wants(
    house: EngineHouse, life: ScenarioOrder, do: OrderAct, which: str = "big-ones", source: str = "automation"
) -> Fact:
    number = life.order.order_no
    return Fact(
        key=f"automation:{which}:{number}", kind=Kind.AUTOMATION, source=source, occurred_at=house.now(),
        order_no=number, asked=Asked(automation=which, do=do),
    )  # fmt: skip


async def outcomes(life: ScenarioOrder) -> list[str]:
    return [row["outcome"] for row in await life.events() if row["kind"] == "AUTOMATION"]


async def test_what_an_automation_holds_it_holds_once_and_an_automation_lets_go_of_nothing_else(ground: Ground) -> None:
    house = ground.house()
    life = await stocked(house, cups("63100001"))
    hold = wants(house, life, HoldAct(reason="above 500 yuan"))
    await house.deliver(hold)
    await life.pay()
    placed = await only_hold(life)
    assert (placed.rule, placed.source, placed.placed_by) == ("automation:big-ones", "rule", "automation:big-ones")
    assert pushed(house) == []
    await house.deliver(wants(house, life, CarrierAct(carrier="YTO"), "by-yto"))
    by_hand = await held(house, life)
    await house.deliver(wants(house, life, ReleaseAct(), "lets-go"))
    view = await life.view()
    assert [(h.hold_id, h.end) for h in view.holds] == [
        (placed.hold_id, HoldEnd.RELEASED), (by_hand.hold_id, None),
    ]  # fmt: skip
    await house.deliver(hold)
    await house.deliver(wants(house, life, HoldAct(reason="as a stranger"), "strange", source="erp"))
    assert len((await life.view()).holds) == 2
    assert await outcomes(life) == ["APPLIED", "APPLIED", "APPLIED", "DUPLICATE", "MISMATCH"]
    await every_owner(ground, life, "63100001")


async def test_money_goes_back_by_itself_up_to_what_was_allowed_and_once(ground: Ground) -> None:
    house = ground.house()
    life = await stocked(house, cups("63100002"))
    await life.pay()
    house.world.captured_minor = 6_000
    little = wants(house, life, RefundAct(at_most_minor=5_999, reason="waits too long"), "little")
    await house.deliver(little)
    await house.deliver(little)
    assert await life.status() is OrderStatus.AWAITING_SHIPMENT and not house.world.refunding
    enough = wants(house, life, RefundAct(at_most_minor=6_000, reason="waits too long"), "enough")
    await house.deliver(enough, enough)
    await house.pass_until(house.now() + 5 * MINUTE)
    assert house.world.given_back_minor == 6_000 and len(house.world.refunding) == 1
    assert await life.status() is OrderStatus.CLOSED
    assert await outcomes(life) == ["MISMATCH", "DUPLICATE", "APPLIED", "DUPLICATE"]
    await every_owner(ground, life, "63100002")
