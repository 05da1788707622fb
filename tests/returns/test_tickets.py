"""Tickets of cases are answered like those of orders, by the same command."""

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.return_case import case_of
from domain.facts import Kind
from domain.records import TicketResolution
from domain.returns.enums import ReturnType
from tests.returns.orders import signed


async def test_a_ticket_names_its_case_and_a_note_that_outlived_it_can_be_closed(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    await case.decide()
    number = await case.enter_waybill()
    await case.courier(Kind.COURIER_EXCEPTION, number)
    (ticket,) = [t for t in await house.tickets.list(order_no=life.order.order_no) if t.state == "open"]
    assert await house.tickets.case_of(ticket.ticket_id) == case.return_no
    await case.receive()
    await case.inspect()
    answer = TicketResolution(ticket_id=ticket.ticket_id, action="give_up", remark="seen", resolved_by="u-ops")
    await house.tickets.resolve_outside(answer, house.now())
    assert await house.tickets.case_of(f"T-{life.order.order_no}-1") is None
