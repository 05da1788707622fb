"""Goods for goods: the returned unit is inspected, the replacement checked, and only then its label prints (R56)."""

from bench.scenarios.town import House, Life
from bench.scenarios.town.case import Case, case_of
from domain.facts import Kind
from domain.returns.words import CaseStatus, ReturnType
from tests.returns.orders import cups, signed


async def exchange(house: House, spare: int = 1) -> Case:
    """A cup for another size, with `spare` of these in stock."""
    life: Life = await signed(house, cups(1))
    warehouse = (await life.detail()).lines[0]["warehouse"]
    await house.receive("CUP-L", warehouse, spare)
    case = await case_of(life, ReturnType.EXCHANGE, {"L1": 1}, replacements={"L1": "CUP-L"})
    await case.apply()
    await case.decide()
    return case


async def test_the_label_prints_after_both_checks_and_not_before(house: House) -> None:
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


async def test_the_replacement_is_a_child_of_its_own_and_ends_the_case_when_signed(house: House) -> None:
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


async def test_stock_moves_on_both_sides(house: House) -> None:
    case = await exchange(house, spare=5)
    await case.goods_come_back()
    await case.check_outbound(passed=True)
    await case.life.happens(Kind.COLLECTED, 2, waybill_no=f"YT{case.life.child_no(2)}", carrier="YTO")
    stock = {b.sku: (b.available, b.reserved, b.frozen) for b in await house.stock.show()}
    assert stock == {"CUP": (1, 0, 0), "CUP-L": (4, 0, 0)}


async def test_an_empty_shelf_is_a_ticket_and_the_case_goes_on_when_goods_are_there(house: House) -> None:
    case = await exchange(house, spare=0)
    await case.goods_come_back()
    (ticket,) = (await case.view()).open_tickets
    assert ticket.step == "replacement out of stock"
    await house.stock.receive("CUP-L", (await case.life.detail()).lines[0]["warehouse"], 1, "late goods")
    await case.resolve("retry")
    assert (await case.view()).replacement_no == case.life.child_no(2)
