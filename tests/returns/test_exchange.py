"""Goods for goods: the returned unit is inspected, the replacement checked, and only then its label prints (R56)."""

from datetime import timedelta

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import Case, case_of
from bench.waybills import waybill
from domain.facts import Kind
from domain.returns.enums import CaseStatus, ReturnType
from tests.returns.orders import cups, signed


async def exchange(house: ScenarioEnvironment, spare: int = 1) -> Case:
    """A cup for another size, with `spare` of these in stock."""
    life: ScenarioOrder = await signed(house, cups(1))
    warehouse = (await life.detail()).lines[0]["warehouse"]
    await house.receive("CUP-L", warehouse, spare)
    case = await case_of(life, ReturnType.EXCHANGE, {"L1": 1}, replacements={"L1": "CUP-L"})
    await case.apply()
    await case.decide()
    return case


async def test_the_label_prints_after_both_checks_and_not_before(house: ScenarioEnvironment) -> None:
    case = await exchange(house)
    results = [await case.print_label()]
    await case.goods_come_back()
    results.append(await case.print_label())
    await case.check_outbound(passed=False)
    results.append(await case.print_label())
    await case.check_outbound(passed=True)
    results.append(await case.print_label())
    assert results == ["RETURN_NOT_INSPECTED", "OUTBOUND_QC_REQUIRED", "OUTBOUND_QC_REQUIRED", "OK"]
    assert house.systems.booked.count(f"{case.application.order_no}-02") == 1


async def test_the_replacement_is_a_child_of_its_own_and_ends_the_case_when_signed(house: ScenarioEnvironment) -> None:
    case = await exchange(house)
    await case.goods_come_back()
    await case.check_outbound(passed=True)
    assert (await case.view()).replacement_no == case.life.child_no(2)
    await case.life.happens(Kind.WAYBILL_RETURNED, 2)
    assert await case.status() is CaseStatus.REPLACEMENT_SHIPPED
    await case.life.happens(Kind.SIGNED, 2)
    shown = await case.shown()
    assert (shown.status, shown.refunded_minor, house.systems.refunds) == (CaseStatus.EXCHANGED, 0, {})
    child = (await case.life.detail()).children[1]
    assert (child["child_no"], child["status"]) == (case.life.child_no(2), "SIGNED")


async def test_stock_moves_on_both_sides(house: ScenarioEnvironment) -> None:
    case = await exchange(house, spare=5)
    await case.goods_come_back()
    await case.check_outbound(passed=True)
    await case.life.happens(Kind.COLLECTED, 2, waybill_no=waybill(case.life.child_no(2)), carrier="YTO")
    stock = {b.sku: (b.available, b.reserved, b.frozen) for b in await house.stock.show()}
    assert stock == {"CUP": (1, 0, 0), "CUP-L": (4, 0, 0)}


async def test_an_empty_shelf_is_a_ticket_and_the_case_goes_on_when_goods_are_there(house: ScenarioEnvironment) -> None:
    case = await exchange(house, spare=0)
    await case.goods_come_back()
    (ticket,) = (await case.view()).open_tickets
    assert ticket.step == "replacement out of stock"
    await house.stock.receive("CUP-L", (await case.life.detail()).lines[0]["warehouse"], 1, "late goods")
    await case.resolve("retry")
    assert (await case.view()).replacement_no == case.life.child_no(2)


async def checked(house: ScenarioEnvironment) -> Case:
    case = await exchange(house)
    await case.goods_come_back()
    await case.check_outbound(passed=True)
    return case


async def test_a_rejected_replacement_is_asked_about_and_sent_again(house: ScenarioEnvironment) -> None:
    case = await checked(house)
    await case.life.happens(Kind.WMS_REJECTED, 2, note="no such article here")
    (ticket,) = (await case.view()).open_tickets
    assert (ticket.step, ticket.actions) == ("replacement not sent", ("retry", "give_up"))
    pushes = len(house.systems.of("wms.push"))
    await case.resolve("retry")
    assert len(house.systems.of("wms.push")) == pushes + 1
    # All rejections of a parcel have one key: a later one is another one.
    await house.pass_until(house.now() + timedelta(minutes=1))
    await house.deliver(case.life.fact(Kind.WMS_REJECTED, 2, note="still none"), event_id="another message")
    assert [t.step for t in (await case.view()).open_tickets] == ["replacement not sent"]
    await case.resolve("retry")
    assert len(house.systems.of("wms.push")) == pushes + 2
    await case.life.happens(Kind.WAYBILL_RETURNED, 2)
    assert await case.status() is CaseStatus.REPLACEMENT_SHIPPED


async def test_given_up_the_exchange_ends_and_the_goods_are_a_persons_question(house: ScenarioEnvironment) -> None:
    case = await checked(house)
    await case.life.happens(Kind.WMS_REJECTED, 2)
    await case.resolve("give_up")
    view = await case.view()
    assert (view.status, [t.step for t in view.open_tickets]) == (CaseStatus.REJECTED, ["send back"])
    assert "L1#0 (CUP, put back on sale)" in view.open_tickets[0].error
    stock = {b.sku: (b.available, b.reserved) for b in await house.stock.show()}
    assert stock["CUP-L"] == (1, 0)
    await case.resolve("give_up")
    assert (await case.shown()).status is CaseStatus.REJECTED


async def test_a_replacement_that_the_warehouse_cancelled_is_sent_under_another_number(
    house: ScenarioEnvironment,
) -> None:
    case = await checked(house)
    await case.life.happens(Kind.INTERCEPTED, 2)
    await case.resolve("retry")
    assert (await case.view()).replacement_no == case.life.child_no(3)
    assert case.life.child_no(3) not in house.systems.booked
    await case.check_outbound(passed=True)
    assert case.life.child_no(3) in house.systems.booked
    await case.life.happens(Kind.WAYBILL_RETURNED, 3)
    await case.life.happens(Kind.SIGNED, 3)
    assert (await case.shown()).status is CaseStatus.EXCHANGED
    stock = {b.sku: (b.available, b.reserved) for b in await house.stock.show()}
    assert stock["CUP-L"] == (0, 0)


async def test_a_replacement_of_which_nothing_was_found_is_asked_about(house: ScenarioEnvironment) -> None:
    case = await checked(house)
    await case.life.happens(Kind.SHORT_PICKED, 2, actual={"L1": 0})
    assert [t.step for t in (await case.view()).open_tickets] == ["replacement not sent"]


async def test_an_empty_shelf_given_up_leaves_the_goods_with_a_person(house: ScenarioEnvironment) -> None:
    case = await exchange(house, spare=0)
    await case.goods_come_back()
    await case.resolve("give_up")
    view = await case.view()
    assert (view.status, [t.step for t in view.open_tickets]) == (CaseStatus.REJECTED, ["send back"])


async def test_a_replacement_of_which_a_part_was_found_ships_and_the_rest_is_a_persons_question(
    house: ScenarioEnvironment,
) -> None:
    life = await signed(house, cups(2))
    await house.receive("CUP-L", (await life.detail()).lines[0]["warehouse"], 2)
    case = await case_of(life, ReturnType.EXCHANGE, {"L1": 2}, replacements={"L1": "CUP-L"})
    await case.apply()
    await case.decide()
    await case.goods_come_back()
    await case.check_outbound(passed=True)
    await life.happens(Kind.SHORT_PICKED, 2, actual={"L1": 1})
    await life.happens(Kind.WAYBILL_RETURNED, 2)
    view = await case.view()
    assert view.status is CaseStatus.REPLACEMENT_SHIPPED
    (ticket,) = view.open_tickets
    assert ticket.step == "replacement short" and "1 of CUP-L (line L1)" in ticket.error
    await life.happens(Kind.SIGNED, 2)
    stock = {b.sku: (b.available, b.reserved) for b in await house.stock.show()}
    assert stock["CUP-L"] == (0, 0)
    await case.resolve("give_up")
    assert (await case.shown()).status is CaseStatus.EXCHANGED and not house.systems.refunds
