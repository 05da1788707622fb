"""Numbers of an order's children: what was made under one by a task that was lost, or given to a replacement, is not
taken for what is asked for now; and nobody is asked about a number."""

from datetime import timedelta

import pytest

from bench.conserve.fate import Fate
from bench.scenarios.environment.order import ScenarioOrder
from bench.scenarios.environment.return_case import case_of
from bench.scenarios.order import start_order
from bench.scenarios.ordered import stocked
from domain.catalog.records import SkuRecord
from domain.dispatch.holds import HoldKind
from domain.facts import Kind
from domain.fulfilment.reallocation import Part
from domain.returns.enums import ReturnType
from domain.states import ChildStatus, OrderStatus
from starter.clients.approvals import ApprovalClient
from store.stock.catalog import CatalogStore
from tests.conserve.conftest import Ground
from tests.conserve.test_engine import AN_ORDERS_LIFE, order
from tests.conserve.test_late_words import answered, questions, world
from tests.conserve.test_two_at_once import asked, cups, every_owner
from workflows.order.changes.messages import RequestResplit
from workflows.order.holds.messages import HoldOrder, ReleaseHold

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


class DiesAfter(Fate):
    """The worker dies once, when `step` has been done for the `times`th time: its task is lost, and repeated."""

    def __init__(self, step: str, times: int) -> None:
        self._step, self._left = step, times

    def fails(self, step: str) -> str:
        self._left -= step == self._step
        return ""

    def crash(self) -> bool:
        dies = self._left == 0
        self._left -= dies
        return dies


async def test_a_change_that_was_refused_before_its_task_was_lost_is_refused_again_when_the_task_is_repeated(
    ground: Ground,
) -> None:
    """The books refuse the split, then make the child anew as it was; both are asked for once more."""
    number = "88000001"
    house = ground.house(DiesAfter("store.replan", 2))
    life = await stocked(house, cups(number))
    await life.pay()
    apart = tuple(Part(lines={"L1": 1}, warehouse="WH-SH") for _ in range(2))  # where there are none
    message = RequestResplit(children=(life.child_no(1),), into=apart, remark="apart", by="u-sup")
    await asked(house, life, "request_resplit", message)
    (approval,) = await house.office.waiting(life.order.order_no)
    await house.office.decide(ApprovalClient(house.temporal), approval, "u-sup2", "approve")
    await house.rest()
    known = {c.child_no: c.status for c in (await life.view()).children}
    assert known == {life.child_no(1): ChildStatus.CANCELLED, life.child_no(2): ChildStatus.RELEASED}
    await every_owner(ground, life, number)
    await life.ships(2)
    await life.happens(Kind.SIGNED, 2)
    await house.pass_until(house.now() + AN_ORDERS_LIFE)
    assert house.engine.executions[f"order/{life.order.order_no}"].ended


async def with_a_replacement(ground: Ground, number: str) -> ScenarioOrder:
    """Of two parcels the first is exchanged, and its replacement has the third number; the second is at its
    warehouse."""
    house = ground.house()
    lamp = SkuRecord(sku=f"LAMP{number}", ship_from=("WH-SH", "WH-BJ"))
    await CatalogStore(ground.pool).put([lamp], "test", house.now())
    await house.receive(f"DESK{number}", "WH-BJ", 1)
    await house.receive(lamp.sku, "WH-SH", 2)
    desk, lamps = (message := start_order(order(number), house.now())).lines
    lines = (desk, lamps.model_copy(update={"tags": None}))  # they may come from either
    life = await ScenarioOrder.place(house, message.model_copy(update={"lines": lines}))
    await life.pay()
    await life.ships(1)
    await life.happens(Kind.SIGNED, 1)
    await life.house.receive(f"DESKL{number}", "WH-BJ", 1)
    case = await case_of(life, ReturnType.EXCHANGE, {"L1": 1}, replacements={"L1": f"DESKL{number}"})
    await case.apply()
    await case.decide()
    await case.goods_come_back()
    assert (await case.view()).replacement_no == life.child_no(3)
    return life


async def test_missing_units_are_found_elsewhere_though_a_replacement_has_the_next_number(ground: Ground) -> None:
    number = "88000002"
    life = await with_a_replacement(ground, number)
    await life.house.receive(f"LAMP{number}", "WH-BJ", 1)
    await life.happens(Kind.SHORT_PICKED, 2, actual={"L2": 1})
    await life.happens(Kind.WAYBILL_RETURNED, 2, actual={"L2": 1})
    await answered(life, "retry")
    assert not await questions(life)
    children = {c.child_no: c.status for c in (await life.view()).children}
    assert children[life.child_no(4)] is ChildStatus.RELEASED and life.child_no(3) not in children
    await every_owner(ground, life, number)


async def test_what_stood_still_ships_again_without_a_question_though_a_replacement_has_the_next_number(
    ground: Ground,
) -> None:
    number = "88000003"
    life = await with_a_replacement(ground, number)
    held = HoldOrder(kind=HoldKind.OTHER, reason="have a look", by="u-cs", child_no=life.child_no(2))
    await asked(world(life), life, "hold", held)
    (hold,) = [h for h in (await life.view()).holds if h.is_open]
    assert hold.stopped == (life.child_no(2),)
    await asked(world(life), life, "release", ReleaseHold(hold_id=hold.hold_id, remark="all well", by="u-sup"))
    assert not await questions(life)
    children = {c.child_no: c.status for c in (await life.view()).children}
    assert children[life.child_no(4)] is ChildStatus.RELEASED
    await life.ships(4)
    assert await life.status() is OrderStatus.SHIPPED
    await life.house.pass_until(life.house.now() + timedelta(minutes=5))
    await every_owner(ground, life, number)
