"""An order of a play is cancelled, and everybody who is asked agrees."""

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.approvers import DECIDERS
from starter.clients.approvals import ApprovalClient
from workflows.messages import order_workflow_id
from workflows.order.messages import Cancelled, CancelOrder


async def cancel_with_consent(house: ScenarioEnvironment, order_no: str, message: CancelOrder) -> Cancelled:
    """The answer; `approval_id` of it where somebody was asked, and has agreed since."""
    await house.office.open_for_business()
    answer = await house.client.cancel(order_no, message)
    if answer.approval_id is not None:
        await house.rest()
        await everybody_agrees(house, order_no)
    return answer


async def everybody_agrees(house: ScenarioEnvironment, order_no: str) -> None:
    """To what is asked about the order, one level after the other."""
    client = ApprovalClient(house.temporal)
    while waiting := await house.office.waiting(order_no):
        for approval in waiting:
            decision = house.office.decision(approval, DECIDERS[approval.request.role])
            await client.decide(order_workflow_id(order_no), decision)
        await house.rest()
