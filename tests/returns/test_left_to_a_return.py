"""A parcel that a return wants some units of, and that another has stopped for good: nothing of it ships again."""

import pytest
from temporalio.client import WorkflowUpdateStage

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.providers import no_answer
from bench.scenarios.environment.return_case import MINUTE, case_of
from domain.returns.enums import ReturnType
from domain.states import ChildStatus
from tests.returns.orders import paid
from tests.returns.test_undoing_stops import CHEAP, children
from workflows.messages import ResolveTicket
from workflows.order.messages import Cancelled, CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

ACCEPTED = WorkflowUpdateStage.ACCEPTED


@pytest.mark.parametrize("verdict", ["approve", "reject"])
async def test_what_the_buyer_cancelled_does_not_ship_although_the_return_names_a_part_of_it(
    house: ScenarioEnvironment, verdict: str
) -> None:
    house.systems.script("wms.push", no_answer("push"))  # the cancellation waits until it is known where the parcel is
    life = await paid(house, CHEAP)
    asked = await life.handle.start_update(
        "cancel", CancelOrder(by="buyer", reason="not wanted any more"), result_type=Cancelled, wait_for_stage=ACCEPTED
    )
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
    await case.apply()
    await house.pass_until(house.now() + MINUTE)
    assert (await asked.result()).too_late == (life.child_no(1),), "it is the return's"
    await case.decide("u-sup", verdict)
    await house.pass_until(house.now() + 3 * MINUTE)
    assert set((await children(life)).values()) == {ChildStatus.CANCELLED}
    if verdict == "approve":
        assert house.systems.refunds == {f"R{case.return_no}": 9_900}
        (ticket,) = (await life.view()).open_tickets
        assert (ticket.step, ticket.child_no) == ("ship again", life.child_no(1)) and "L2 0-0" in ticket.error
        answer = ResolveTicket(ticket_id=ticket.ticket_id, action="give_up", remark="paid by hand", by="u-ops")
        await house.client.resolve_ticket(life.order.order_no, answer)
    else:
        assert sum(house.systems.refunds.values()) == 12_800
