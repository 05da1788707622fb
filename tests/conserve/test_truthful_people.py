"""What people of the machine answer becomes true in its world; else a run that waits for it says nothing of us."""

import pytest

from bench.conserve.life import Life
from bench.scenarios.environment.return_case import case_of
from domain.facts import Kind
from domain.returns.enums import CaseStatus, ReturnType
from providers.errors import Refused
from tests.conserve.conftest import Ground
from tests.conserve.test_late_words import paid, world
from workflows.order_return_signals import return_workflow_id

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


async def test_who_says_that_a_warehouse_sends_a_replacement_by_hand_has_it_sent(ground: Ground) -> None:
    number = "88000010"
    life = await paid(ground, number)
    await life.ships(1)
    await life.happens(Kind.SIGNED, 1)
    house = world(life)
    await house.receive(f"CUPL{number}", "WH-BJ", 1)
    case = await case_of(life, ReturnType.EXCHANGE, {"L1": 1}, replacements={"L1": f"CUPL{number}"})
    await case.apply()
    await case.decide()
    house.world.script("wms.push", Refused("scripted", "NO", "no"))
    await case.goods_come_back()
    (ticket,) = (await case.view()).open_tickets
    assert ticket.step == "push replacement" and life.child_no(2) not in house.world.parcels
    answer = Life(house, int(number), life, {}).answer(ticket, "give_up")
    assert answer is not None
    house.engine.update(return_workflow_id(case.return_no), "resolve_ticket", house.converted(answer))
    await house.rest()
    assert house.world.parcels[life.child_no(2)].state == "there"
    await case.check_outbound(passed=True)
    await life.happens(Kind.WAYBILL_RETURNED, 2)
    await life.happens(Kind.SIGNED, 2)
    assert (await case.shown()).status is CaseStatus.EXCHANGED
