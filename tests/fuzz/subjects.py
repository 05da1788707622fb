"""Workflows in the middle of their lives, to be spoken to."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from activities.polling import Pull
from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.return_case import case_of
from domain.access.controls import CHANGE_CONTROLS
from domain.access.desk import DESK_WORK
from domain.approvals import Decision, Role
from domain.facts import Kind
from domain.order import StartOrder
from domain.returns.enums import CaseStatus, ReturnType
from domain.returns.models import ApplyReturn
from domain.strict import Strict
from tests.authority.test_controls import CRONY, Controls
from tests.fuzz.stranger import Handle
from tests.returns.orders import paid, signed
from workflows.approvals.control_messages import ChangeOfControls
from workflows.desk.messages import AtDesk
from workflows.loops.automation import AUTOMATION_WORKFLOW, Automate
from workflows.loops.courier_subscription import COURIER_WORKFLOW, FollowParcels
from workflows.loops.insight import INSIGHT_WORKFLOW, Insight
from workflows.loops.offers import OFFERS_WORKFLOW, Offers
from workflows.loops.polling import PULL_WORKFLOW
from workflows.loops.reconciliation import DAILY_WORKFLOW, Daily
from workflows.messages import ORDER_WORKFLOW, TASK_QUEUE, order_workflow_id
from workflows.order_return_signals import RETURN_WORKFLOW


@dataclass(frozen=True)
class Subject:
    """`goes_on`: raises unless what is told to it next counts."""

    handle: Handle
    goes_on: Callable[[], Awaitable[None]]


Begin = Callable[[ScenarioEnvironment], Awaitable[Subject]]


async def order(house: ScenarioEnvironment) -> Subject:
    life = await paid(house)

    async def goes_on() -> None:
        await life.ships(1)
        await life.happens(Kind.SIGNED)
        assert (await life.detail()).order.status == "DELIVERED"

    return Subject(house.temporal.get_workflow_handle(order_workflow_id(life.order.order_no)), goes_on)


async def case(house: ScenarioEnvironment) -> Subject:
    asked = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    await asked.apply()

    async def goes_on() -> None:
        await asked.decide()
        assert await asked.status() is CaseStatus.WAITING_RETURN

    return Subject(asked.handle, goes_on)


async def change(house: ScenarioEnvironment) -> Subject:
    for admin in ("u-admin1", "u-admin2"):
        await house.office.people.add(admin, [Role.ADMIN], "installation", house.now())
    controls = Controls(house)
    asked = await controls.ask(CRONY)

    async def goes_on() -> None:
        assert (await controls.decide(asked, "u-admin2")).state == "made"

    name = asked.request.approval_id.removeprefix("A-")
    return Subject(house.temporal.get_workflow_handle(f"controls/{name}"), goes_on)


def loop(name: str, settings: Strict) -> Begin:
    async def begin(house: ScenarioEnvironment) -> Subject:
        handle = await house.temporal.start_workflow(name, settings, id=f"reconcile/fuzz-{name}", task_queue=TASK_QUEUE)

        async def goes_on() -> None:
            """Nothing is told to a loop: that it runs is all."""

        return Subject(handle, goes_on)

    return begin


BEGIN: Mapping[str, Begin] = {
    ORDER_WORKFLOW: order,
    RETURN_WORKFLOW: case,
    CHANGE_CONTROLS: change,
    PULL_WORKFLOW: loop(PULL_WORKFLOW, Pull(connector="wechat", tick_s=3_600)),
    DAILY_WORKFLOW: loop(DAILY_WORKFLOW, Daily()),
    COURIER_WORKFLOW: loop(COURIER_WORKFLOW, FollowParcels()),
    INSIGHT_WORKFLOW: loop(INSIGHT_WORKFLOW, Insight()),
    AUTOMATION_WORKFLOW: loop(AUTOMATION_WORKFLOW, Automate()),
    OFFERS_WORKFLOW: loop(OFFERS_WORKFLOW, Offers()),
}
STARTED_WITH: Mapping[str, type[BaseModel]] = {
    ORDER_WORKFLOW: StartOrder,
    RETURN_WORKFLOW: ApplyReturn,
    CHANGE_CONTROLS: ChangeOfControls,
    PULL_WORKFLOW: Pull,
    DAILY_WORKFLOW: Daily,
    COURIER_WORKFLOW: FollowParcels,
    INSIGHT_WORKFLOW: Insight,
    AUTOMATION_WORKFLOW: Automate,
    OFFERS_WORKFLOW: Offers,
    "DecideInPlace": Decision,
    DESK_WORK: AtDesk,
}
