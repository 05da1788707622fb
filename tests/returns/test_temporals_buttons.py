"""What the buttons of Temporal's Web UI do to orders and returns, pressed by the plain CLI: nothing is lost by them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.watching.ended_workflows import EndedWorkflows
from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.return_case import Case, case_of
from domain.returns.enums import CaseStatus, ReturnType
from domain.states import OrderStatus
from tests.returns.orders import signed
from tests.returns.plain_cli import temporal_cli
from workflows.durable.cancellation import STEP


async def no_loops() -> None:
    """None run here."""


def watch(house: ScenarioEnvironment) -> EndedWorkflows:
    return EndedWorkflows(house.temporal, house.pool, no_loops, lambda: datetime.now(UTC))


async def tickets(house: ScenarioEnvironment, state: str, step: str) -> list[Any]:
    asked = "SELECT * FROM tickets WHERE state = $1 AND step = $2 ORDER BY ticket_id"
    return list(await house.pool.fetch(asked, state, step))


async def looks(house: ScenarioEnvironment, looking: EndedWorkflows, state: str, step: str, count: int) -> list[Any]:
    """Once around until so many stand: what the server lists may be a moment old."""
    async with asyncio.timeout(20):
        while len(found := await tickets(house, state, step)) != count:
            await looking.look()
    return found


async def open_case(house: ScenarioEnvironment) -> Case:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    return case


async def test_a_cancellation_requested_there_is_told_to_people_and_stops_nothing(house: ScenarioEnvironment) -> None:
    case = await open_case(house)
    for workflow_id in (f"order/{case.life.order.order_no}", f"return/{case.return_no}"):
        await temporal_cli(house, "cancel", "--workflow-id", workflow_id)
    await house.rest()
    told = await tickets(house, "open", STEP)
    assert [t["severity"] for t in told] == ["info", "info"]
    said = " ".join(t["error"] for t in told)
    assert "`oms order cancel" in said and "`oms return cancel" in said
    await case.decide()
    await case.goods_come_back()
    assert (await case.shown()).status is CaseStatus.REFUNDED
    await house.clocks.pass_time(timedelta(days=60))
    assert (await case.life.detail()).order.status == OrderStatus.COMPLETED


async def test_what_is_terminated_is_found_and_goes_on_where_it_stood(house: ScenarioEnvironment) -> None:
    case, looking = await open_case(house), watch(house)
    ids = [f"order/{case.life.order.order_no}", f"return/{case.return_no}"]
    for workflow_id in ids:
        await temporal_cli(house, "terminate", "--workflow-id", workflow_id, "--reason", "a slip")
    found = await looks(house, looking, "open", "order without workflow", 2)
    assert {t["order_no"] for t in found} == {case.life.order.order_no}
    await looking.look()
    assert len(await tickets(house, "open", "order without workflow")) == 2, "each is asked about once"
    for workflow_id in ids:
        assert any(f"--workflow-id {workflow_id} --type LastWorkflowTask" in t["error"] for t in found)
        await temporal_cli(
            house, "reset", "--workflow-id", workflow_id, "--type", "LastWorkflowTask", "--reason", "ended by mistake"
        )
    await looks(house, looking, "resolved", "order without workflow", 2)
    await case.decide()
    await case.goods_come_back()
    assert (await case.shown()).status is CaseStatus.REFUNDED


async def test_tickets_of_what_a_reset_undid_close_by_themselves(house: ScenarioEnvironment) -> None:
    life, looking = await signed(house), watch(house)
    to = ("--workflow-id", f"order/{life.order.order_no}")
    history = await house.temporal.get_workflow_handle(to[1]).fetch_history()
    last_task = [e.event_id for e in history.events if e.HasField("workflow_task_completed_event_attributes")][-1]
    await temporal_cli(house, "cancel", *to)
    await house.rest()
    assert len(await tickets(house, "open", STEP)) == 1
    await temporal_cli(
        house, "reset", *to, "--event-id", str(last_task), "--reapply-exclude", "All", "--reason", "a trial"
    )
    (closed,) = await looks(house, looking, "resolved", STEP, 1)
    assert (closed["action"], closed["resolved_by"]) == ("evidence", "system")
    await temporal_cli(house, "cancel", *to)
    await house.rest()
    (anew,) = await tickets(house, "open", STEP)
    assert anew["ticket_id"] == closed["ticket_id"], "a number that a reset has freed asks the next question"
    assert anew["opened_at"] > closed["resolved_at"]
    await house.clocks.pass_time(timedelta(days=60))
    assert (await life.detail()).order.status == OrderStatus.COMPLETED
