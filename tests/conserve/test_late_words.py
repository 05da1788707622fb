"""What a warehouse says of a parcel late, or against what it has said before: somebody owns its units all the same."""

from datetime import timedelta

import pytest

from bench.conserve.house import EngineHouse
from bench.scenarios.environment.order import ScenarioOrder
from bench.scenarios.environment.return_case import MINUTE, Case, case_of
from bench.scenarios.ordered import stocked
from domain.dispatch.holds import HoldKind
from domain.facts import Kind
from domain.records import TicketRecord
from domain.returns.enums import ReturnType
from domain.states import OrderStatus
from tests.conserve.conftest import Ground
from tests.conserve.test_engine import AN_ORDERS_LIFE
from tests.conserve.test_two_at_once import CUP, another_address, asked, cups, every_owner
from workflows.messages import ResolveTicket
from workflows.order.holds.messages import HoldOrder
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

NO = CancelOrder(by="buyer", reason="no")
LEFT = "left though it was stopped"


async def paid(ground: Ground, number: str) -> ScenarioOrder:
    """Two cups in one parcel, which the warehouse has."""
    house = ground.house()
    life = await stocked(house, cups(number))
    await life.pay()
    house.world.captured_minor = 2 * CUP
    return life


async def questions(life: ScenarioOrder) -> list[TicketRecord]:
    return [t for t in (await life.view()).open_tickets if t.severity != "info"]


async def answered(life: ScenarioOrder, action: str) -> None:
    (ticket,) = await questions(life)
    message = ResolveTicket.model_validate(
        {"ticket_id": ticket.ticket_id, "action": action, "remark": "seen", "by": "u-ops"}
    )
    await life.house.client.resolve_ticket(life.order.order_no, message)
    await life.house.pass_until(life.house.now() + 2 * MINUTE)


async def case_in(life: ScenarioOrder, kind: ReturnType) -> Case:
    case = await case_of(life, kind, {"L1": 2}, images=int(kind is ReturnType.REFUND_ONLY))
    await case.apply()
    return case


def world(life: ScenarioOrder) -> EngineHouse:
    assert isinstance(life.house, EngineHouse)
    return life.house


# --- it does not ship what it has begun with -------------------------------------------------------------------------


@pytest.mark.parametrize("begun", [Kind.PICKING, Kind.PACKED])
async def test_a_parcel_that_is_rejected_after_the_warehouse_has_begun_is_asked_about_and_sent_again(
    ground: Ground, begun: Kind
) -> None:
    life = await paid(ground, f"7400000{len(begun)}")
    await life.happens(begun, 1)
    rejected_at = life.house.now()
    await life.happens(Kind.WMS_REJECTED, 1, rejected_at, note="dropped on the floor")
    (ticket,) = await questions(life)
    assert (ticket.step, ticket.error) == ("outbound rejected", "dropped on the floor")
    await answered(life, "retry")
    assert len(world(life).world.of("wms.push")) == 2 and not await questions(life)
    await life.happens(Kind.WMS_REJECTED, 1, rejected_at, note="dropped on the floor")
    assert not await questions(life), "told again, it is no news"
    await life.happens(Kind.WAYBILL_RETURNED, 1)
    assert await life.status() is OrderStatus.SHIPPED


@pytest.mark.parametrize("begun", [Kind.PICKING, Kind.PACKED])
async def test_a_parcel_that_is_rejected_late_and_given_up_is_paid_back(ground: Ground, begun: Kind) -> None:
    number = f"7400001{len(begun)}"
    life = await paid(ground, number)
    await life.happens(begun, 1)
    await life.happens(Kind.WMS_REJECTED, 1)
    await answered(life, "give_up")
    assert world(life).world.given_back_minor == 2 * CUP and await life.status() is OrderStatus.CLOSED
    await every_owner(ground, life, number)


@pytest.mark.parametrize("picking", [True, False], ids=["picking", "not begun"])
async def test_a_parcel_of_which_the_warehouse_finds_nothing_is_asked_about_and_stopped_before_it_is_paid_back(
    ground: Ground, picking: bool
) -> None:
    number = f"7400002{int(picking)}"
    life = await paid(ground, number)
    if picking:
        await life.happens(Kind.PICKING, 1)
    await life.happens(Kind.SHORT_PICKED, 1, actual={"L1": 0})
    (ticket,) = await questions(life)
    assert ticket.step == "outbound rejected" and "found nothing" in ticket.error
    await answered(life, "give_up")
    assert len(world(life).world.of("wms.cancel")) == 1, "it may find them all the same"
    assert world(life).world.given_back_minor == 2 * CUP
    await every_owner(ground, life, number)


async def test_what_was_not_found_is_there_when_the_parcel_that_is_sent_again_leaves_whole(ground: Ground) -> None:
    number = "74000030"
    life = await paid(ground, number)
    await life.happens(Kind.SHORT_PICKED, 1, actual={"L1": 0})
    await answered(life, "retry")
    await life.ships(1)
    assert await life.status() is OrderStatus.SHIPPED and not await questions(life)
    await every_owner(ground, life, number)


async def test_a_rejected_parcel_with_which_the_warehouse_begins_all_the_same_is_asked_about_no_more(
    ground: Ground,
) -> None:
    """To give it up then paid it back, and it shipped."""
    number = "74000032"
    life = await paid(ground, number)
    await life.happens(Kind.WMS_REJECTED, 1)
    await world(life).pass_until(world(life).now() + MINUTE)
    await life.happens(Kind.PICKING, 1)
    assert not await questions(life)
    await life.happens(Kind.WAYBILL_RETURNED, 1)
    assert await life.status() is OrderStatus.SHIPPED
    await every_owner(ground, life, number)


async def test_a_picking_from_before_the_rejection_takes_nothing_back(ground: Ground) -> None:
    life = await paid(ground, "74000033")
    before = world(life).now()
    await world(life).pass_until(before + MINUTE)
    await life.happens(Kind.WMS_REJECTED, 1)
    await life.happens(Kind.PICKING, 1, at=before)
    assert [t.step for t in await questions(life)] == ["outbound rejected"]


# --- it ships what it has stopped ------------------------------------------------------------------------------------


async def test_a_parcel_that_leaves_though_it_was_paid_back_is_one_question(ground: Ground) -> None:
    number = "74000040"
    life = await paid(ground, number)
    world(life).world.plans.refunds = [("SUCCEEDED", 900)]
    await asked(world(life), life, "cancel", NO)
    for kind in (Kind.WAYBILL_RETURNED, Kind.COLLECTED, Kind.IN_TRANSIT, Kind.SIGNED):
        await life.happens(kind, 1)
    (ticket,) = await questions(life)
    assert (ticket.step, ticket.child_no, ticket.severity) == (LEFT, life.child_no(1), "urgent")
    assert "2 of line L1 go back to the buyer as money" in ticket.error
    await life.house.deliver(world(life).world.refund_fact(life.order.order_no, f"R{life.order.order_no}-C01"))
    await life.house.pass_until(life.house.now() + AN_ORDERS_LIFE)
    assert not world(life).engine.executions[f"order/{life.order.order_no}"].ended, "somebody has to see to it"
    await answered(life, "give_up")
    assert world(life).engine.executions[f"order/{life.order.order_no}"].ended


async def test_a_parcel_that_leaves_beside_the_one_that_ships_in_its_place_is_a_question_that_names_both(
    ground: Ground,
) -> None:
    life = await paid(ground, "74000041")
    await asked(world(life), life, "change_address", another_address(life))
    await life.happens(Kind.WAYBILL_RETURNED, 1)
    (ticket,) = await questions(life)
    assert ticket.step == LEFT and f"ship as {life.child_no(2)}" in ticket.error


@pytest.mark.parametrize("by", ["return", "hold"])
async def test_what_leaves_while_it_stands_still_is_not_sent_a_second_time(ground: Ground, by: str) -> None:
    number = f"740000{44 + len(by)}"
    life = await paid(ground, number)
    if by == "return":
        case = await case_in(life, ReturnType.CANCEL_UNSHIPPED)
    else:
        hold = HoldOrder(kind=HoldKind.OTHER, reason="look", by="u-cs", ends_after_s=3_600)
        await asked(world(life), life, "hold", hold)
    await life.happens(Kind.WAYBILL_RETURNED, 1)
    (ticket,) = await questions(life)
    assert ticket.step == LEFT and "not sent again" in ticket.error
    if by == "return":
        await case.decide(verdict="reject")
    await life.house.pass_until(life.house.now() + timedelta(hours=2))
    assert len(world(life).world.pushed) == 1 and not world(life).world.refunding
    await every_owner(ground, life, number)
    await answered(life, "give_up")
    await every_owner(ground, life, number)
    stock = "SELECT available, reserved, shipped FROM stock WHERE sku = $1 AND warehouse = 'WH-BJ'"
    found = await life.house.pool.fetchrow(stock, f"CUP{number}")
    assert found is not None and tuple(found) == (0, 0, 2)
