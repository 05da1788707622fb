"""A stop for a case is undone when the case does not pay: what was stopped ships again, or a person is asked."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateStage

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import Case, case_of
from bench.scenarios.order import LineIn, OrderIn
from domain.facts import Kind
from domain.order import SkuTags
from domain.policy import Policy
from domain.returns.enums import CaseStatus, ReturnType
from domain.states import ChildStatus, OrderStatus
from store.rules.policies import PolicyStore
from tests.returns.orders import paid
from tests.returns.test_stopping import TWO
from workflows.messages import ResolveTicket
from workflows.order.messages import Cancelled, CancelOrder
from workflows.returns.messages import CancelReturn

ALL = {"L1": 1, "L2": 1}
CHEAP = OrderIn(order_no="SO26112023", lines=(
    LineIn(id="L1", sku="DESK", qty=1, unit_price=9_900, tags=SkuTags(warehouse="WH-BJ")),
    LineIn(id="L2", sku="LAMP", qty=1, unit_price=2_900, tags=SkuTags(warehouse="WH-BJ"))))  # fmt: skip
"""Two articles in one parcel."""


async def children(life: ScenarioOrder) -> dict[int, str]:
    return {int(c["child_no"][-2:]): c["status"] for c in (await life.detail()).children}


async def stock(house: ScenarioEnvironment) -> dict[str, tuple[int, int, int]]:
    return {b.sku: (b.available, b.reserved, b.shipped) for b in await house.stock.show()}


async def stopped(house: ScenarioEnvironment, kind: ReturnType = ReturnType.CANCEL_UNSHIPPED) -> Case:
    case = await case_of(await paid(house, TWO), kind, ALL, images=int(kind is ReturnType.REFUND_ONLY))
    await case.apply()
    return case


async def test_while_nobody_has_decided_what_was_stopped_keeps_its_stock(house: ScenarioEnvironment) -> None:
    case = await stopped(house)
    assert await children(case.life) == {1: ChildStatus.CANCELLED, 2: ChildStatus.CANCELLED}
    assert [reserved for _, reserved, _ in (await stock(house)).values()] == [1, 1]
    assert (await case.life.detail()).order.status == OrderStatus.AWAITING_SHIPMENT


async def test_what_a_rejected_case_has_stopped_ships_again(house: ScenarioEnvironment) -> None:
    case = await stopped(house)
    await case.decide("u-sup", "reject")
    assert await children(case.life) == {
        1: ChildStatus.CANCELLED, 2: ChildStatus.CANCELLED, 3: ChildStatus.RELEASED, 4: ChildStatus.RELEASED,
    }  # fmt: skip
    for number in (3, 4):
        await case.life.ships(number)
    assert (await case.life.detail()).order.status == OrderStatus.SHIPPED
    assert [gone for _, _, gone in (await stock(house)).values()] == [1, 1]
    assert (house.systems.refunds, await case.status()) == ({}, CaseStatus.REJECTED)


async def test_so_it_is_when_no_goods_were_to_come_back(house: ScenarioEnvironment) -> None:
    case = await stopped(house, ReturnType.REFUND_ONLY)
    await case.decide("u-sup", "reject")
    for number in (3, 4):
        await case.life.ships(number)
    assert (await case.life.detail()).order.status == OrderStatus.SHIPPED


async def test_taken_back_while_the_stop_is_pending_it_ships_again(house: ScenarioEnvironment) -> None:
    for n in (1, 2):
        house.systems.intercepts[f"{TWO.order_no}-0{n}"] = "pending"
    case = await stopped(house)
    asked = await case.handle.start_update(
        "cancel", CancelReturn(by=case.application.actor.id, reason="keep it"),
        wait_for_stage=WorkflowUpdateStage.ACCEPTED,
    )  # fmt: skip
    for n in (1, 2):
        await case.life.happens(Kind.INTERCEPTED, n)
    await house.rest()
    await asked.result()
    for number in (3, 4):
        await case.life.ships(number)
    assert (await case.life.detail()).order.status == OrderStatus.SHIPPED
    assert (house.systems.refunds, (await case.shown()).status) == ({}, CaseStatus.CANCELLED_BY_BUYER)


async def test_what_is_paid_back_is_free_to_be_sold(house: ScenarioEnvironment) -> None:
    case = await stopped(house)
    await case.decide("u-sup")
    await case.decide("u-fin")
    assert house.systems.refunds == {f"R{case.return_no}": 102_800}
    assert [reserved for _, reserved, _ in (await stock(house)).values()] == [0, 0]
    assert (await case.life.detail()).order.status == OrderStatus.CLOSED


async def test_without_stock_a_person_is_asked_about_units_and_money(house: ScenarioEnvironment) -> None:
    case = await stopped(house)
    move = "UPDATE child_lines SET first_unit = $2 WHERE child_no = $1"
    await house.pool.execute(move, case.life.child_no(1), 7)
    await case.decide("u-sup", "reject")
    (ticket,) = (await case.life.view()).open_tickets
    assert (ticket.step, ticket.child_no, ticket.severity) == ("ship again", case.life.child_no(1), "urgent")
    assert "L1 0-0" in ticket.error and "89900" in ticket.error
    await house.pool.execute(move, case.life.child_no(1), 0)
    answer = ResolveTicket(ticket_id=ticket.ticket_id, action="retry", remark="it is there", by="u-ops")
    await house.client.resolve_ticket(case.life.order.order_no, answer)
    await house.rest()
    assert list((await children(case.life)).values()).count(ChildStatus.RELEASED) == 2


@pytest.mark.usefixtures("cancelled_at_once")
async def test_the_order_cancelled_meanwhile_is_paid_back_by_the_order(house: ScenarioEnvironment) -> None:
    case = await stopped(house)
    answer = await case.life.handle.execute_update(
        "cancel", CancelOrder(by="buyer", reason="changed my mind"), result_type=Cancelled
    )
    assert (answer.cancelled, house.systems.refunds) == ((), {})
    await case.decide("u-sup", "reject")
    await house.pass_until(house.now() + timedelta(minutes=3))
    assert sum(house.systems.refunds.values()) == 102_800
    assert (await case.life.detail()).order.status == OrderStatus.CLOSED


async def test_where_the_policy_says_so_nothing_is_stopped_before_it_is_approved(house: ScenarioEnvironment) -> None:
    await PolicyStore(house.pool).publish(Policy(stop_before_asking=False), "u-ops")
    case = await stopped(house)
    assert house.systems.of("wms.cancel") == []
    await case.decide("u-sup")
    assert len(house.systems.of("wms.cancel")) == 2
    await case.decide("u-fin")
    assert house.systems.refunds == {f"R{case.return_no}": 102_800}


async def test_asked_first_what_cannot_be_stopped_is_asked_about_again(house: ScenarioEnvironment) -> None:
    await PolicyStore(house.pool).publish(Policy(stop_before_asking=False), "u-ops")
    house.systems.intercepts[f"{TWO.order_no}-01"] = "too_late"
    case = await stopped(house)
    await case.decide("u-sup")
    assert (await case.asked()).request.content["not_stopped"] == {"L1": 1}
    await case.decide("u-sup", "reject")
    await case.life.ships(1)
    await case.life.ships(3)
    assert (await case.life.detail()).order.status == OrderStatus.SHIPPED


async def test_a_unit_of_a_shared_parcel_is_cut_off_and_does_not_ship(house: ScenarioEnvironment) -> None:
    life = await paid(house, CHEAP)
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
    await case.apply()
    await case.decide("u-sup")
    assert house.systems.refunds == {f"R{case.return_no}": 9_900}
    shipping = next(n for n, status in (await children(life)).items() if status == ChildStatus.RELEASED)
    await life.ships(shipping)
    assert await stock(house) == {"DESK": (1, 0, 0), "LAMP": (0, 0, 1)}


async def test_cut_off_and_rejected_it_ships_by_itself(house: ScenarioEnvironment) -> None:
    life = await paid(house, CHEAP)
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L2": 1})
    await case.apply()
    await case.decide("u-sup", "reject")
    for number in [n for n, status in (await children(life)).items() if status == ChildStatus.RELEASED]:
        await life.ships(number)
    assert (await life.detail()).order.status == OrderStatus.SHIPPED
    assert await stock(house) == {"DESK": (0, 0, 1), "LAMP": (0, 0, 1)}


async def test_what_cannot_be_cut_off_is_shown_and_paid_once_it_has_left(house: ScenarioEnvironment) -> None:
    house.systems.intercepts[f"{CHEAP.order_no}-01"] = "too_late"
    life = await paid(house, CHEAP)
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
    await case.apply()
    assert (await case.asked()).request.content["not_stopped"] == {"L1": 1}
    await case.decide("u-sup")
    assert (house.systems.refunds, (await case.view()).waiting_for) == (
        {}, "what could not be stopped, to leave the warehouse",
    )  # fmt: skip
    await life.ships(1)
    assert house.systems.refunds == {f"R{case.return_no}": 9_900}
