"""Goods at the desk, or on the road, that never left the warehouse by our books: refused at the door with what to do;
what of a case had not left is no part of it any more; and what the stock ledger refuses is a person's question."""

from datetime import timedelta

import pytest

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import Case, case_of
from bench.scenarios.order import LineIn, OrderIn
from domain.order import SkuTags
from domain.returns.enums import CaseStatus, Reception, ReturnType
from starter.clients.return_errors import StepRefused
from tests.returns.orders import paid, signed
from workflows.durable.stalls import REFUSED

ORDER = OrderIn(
    order_no="SO26112052",
    lines=(
        LineIn(id="L1", sku="DESK", qty=2, unit_price=30_000, tags=SkuTags(warehouse="WH-BJ")),
        LineIn(id="L2", sku="LAMP", qty=1, unit_price=12_900, tags=SkuTags(warehouse="WH-SH")),
    ),
)


async def cannot_be_stopped(house: ScenarioEnvironment) -> tuple[ScenarioOrder, Case]:
    """A cancellation of everything; both parcels are at the warehouse and will leave. It is approved as a return."""
    house.systems.intercepts |= {f"{ORDER.order_no}-0{n}": "too_late" for n in (1, 2)}
    life = await paid(house, ORDER)
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 2, "L2": 1}, images=0)
    await case.apply()
    await case.decide()
    assert await case.status() is CaseStatus.WAITING_RETURN
    return life, case


async def test_the_desk_does_not_receive_what_has_not_left_and_is_told_what_to_do(house: ScenarioEnvironment) -> None:
    life, case = await cannot_be_stopped(house)
    with pytest.raises(StepRefused, match=r"L1 0-1, L2 0-0 of order SO26112052.*oms order refresh") as refused:
        await case.receive()
    assert refused.value.type == "NOT_LEFT"
    state = await case.view()
    assert (state.status, state.open_tickets) == (CaseStatus.WAITING_RETURN, ())
    audited = await house.pool.fetchval(
        "SELECT count(*) FROM audit WHERE action = 'return.refused' AND detail->>'code' = 'NOT_LEFT'"
    )
    assert audited == 1
    await life.ships(1, 2)
    await case.goods_come_back()
    assert await case.status() is CaseStatus.FINANCE_REVIEW


async def test_no_waybill_is_taken_for_what_has_not_left_and_the_seven_days_go_on(house: ScenarioEnvironment) -> None:
    life, case = await cannot_be_stopped(house)
    with pytest.raises(StepRefused, match="nothing of return"):
        await case.enter_waybill()
    await life.ships(1, 2)
    await case.days_pass(8)
    assert (await case.shown()).status is CaseStatus.CLOSED_NOT_SENT
    await case.enter_waybill()
    await house.rest()
    assert await house.pool.fetchval("SELECT count(*) FROM return_cases WHERE linked_to = $1", case.return_no) == 1


async def test_a_closed_case_is_not_reopened_by_goods_that_never_left(house: ScenarioEnvironment) -> None:
    _, case = await cannot_be_stopped(house)
    await case.days_pass(8)
    with pytest.raises(StepRefused, match="nothing of return"):
        await case.receive()
    assert await house.pool.fetchval("SELECT count(*) FROM return_cases") == 1


async def test_what_had_not_left_when_the_desk_had_the_rest_is_no_part_of_the_case(house: ScenarioEnvironment) -> None:
    life, case = await cannot_be_stopped(house)
    await life.ships(1)
    await case.goods_come_back()
    await case.decide()  # less money than was agreed on
    await case.decide()
    assert house.systems.refunds == {f"R{case.return_no}": 60_000}
    note = await house.pool.fetchval("SELECT error FROM tickets WHERE step = 'not left yet'")
    assert note.startswith("L2 0-0 had not left")
    unit = await house.pool.fetchval(
        "SELECT reception FROM return_units WHERE return_no = $1 AND line_id = 'L2'", case.return_no
    )
    assert unit == Reception.CANCELLED
    await life.ships(2)
    again = await case_of(life, ReturnType.RETURN_REFUND, {"L2": 1})
    await again.apply()
    await again.plain_life()
    assert house.systems.refunds[f"R{again.return_no}"] == 12_900


async def test_a_buyer_who_is_believed_is_paid_for_nothing_that_had_not_left(house: ScenarioEnvironment) -> None:
    life, case = await cannot_be_stopped(house)
    await life.ships(1)
    await case.enter_waybill()
    await case.receive()
    await case.scan()
    await case.finish_inspection()
    await case.decide(verdict="reject")  # that the buyer bears the desk that is missing
    await case.plain_life()
    assert house.systems.refunds == {f"R{case.return_no}": 60_000}


async def test_a_move_that_the_stock_ledger_refuses_is_asked_about_and_not_tried_without_end(
    house: ScenarioEnvironment,
) -> None:
    life = await signed(house)
    case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 2})
    await case.apply()
    await house.pool.execute("UPDATE stock SET shipped = 0, scrapped = scrapped + shipped WHERE sku = 'CUP'")
    await case.decide()
    await house.pass_until(house.now() + timedelta(minutes=1))
    (ticket,) = (await case.view()).open_tickets
    assert ticket.step == REFUSED and "freeze of 2 CUP" in ticket.error and "give_up" in ticket.actions
    await case.resolve("give_up")
    assert (await case.view()).open_tickets == ()
    assert (await case.shown()).status is CaseStatus.WAITING_RETURN
