"""What any client may send to a case, or to an order about its cases: refused or asked about, and nothing stops."""

import asyncio

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.return_case import Case, case_of
from domain.returns.enums import CaseStatus, ReturnType
from domain.returns.models import MOST_RETURNED_UNITS
from starter.clients.return_errors import ReturnRefused
from tests.raw_messages import STRANGE, updates_of
from tests.returns.orders import signed
from workflows.messages import TASK_QUEUE
from workflows.order_return_signals import RETURN_WORKFLOW, return_workflow_id
from workflows.returns.messages import PayNow
from workflows.returns.workflow import Return

ANSWER_S = 20.0


async def applied(house: ScenarioEnvironment) -> Case:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    return case


async def failed_tasks(case: Case) -> int:
    history = await case.handle.fetch_history()
    return sum(e.HasField("workflow_task_failed_event_attributes") for e in history.events)


async def test_every_update_of_a_case_refuses_what_is_not_its_message(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    for arguments in STRANGE.values():
        for name in updates_of(Return):
            if name != "apply":  # takes no argument, and looks at none
                with pytest.raises(WorkflowUpdateFailedError):
                    await asyncio.wait_for(case.handle.execute_update(name, args=list(arguments)), ANSWER_S)
    assert (await case.client.pay(case.return_no, PayNow(by="u-cs"))).result == "NOT_APPROVED"
    assert await failed_tasks(case) == 0


async def test_signals_of_any_shape_stop_no_case_and_are_asked_about(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    for arguments in STRANGE.values():
        for name in ("facts", "stopped", "an_unknown_one"):
            await case.handle.signal(name, args=list(arguments))
    await house.rest()
    tickets = (await case.view()).open_tickets
    assert tickets and {t.step for t in tickets} == {"unread signal"}
    await case.decide("u-sup")
    assert (await case.status(), await failed_tasks(case)) == (CaseStatus.WAITING_RETURN, 0)


async def test_a_decision_of_any_shape_is_refused_in_the_audit(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    for arguments in STRANGE.values():
        await case.handle.signal("decide_by_signal", args=list(arguments))
    await house.rest()
    codes = await house.pool.fetch("SELECT detail ->> 'code' AS code FROM audit WHERE action LIKE '%refuse%'")
    assert [row["code"] for row in codes] == ["BAD_DECISION"] * len(STRANGE)
    assert await failed_tasks(case) == 0
    await case.decide("u-sup")
    assert await case.status() == CaseStatus.WAITING_RETURN


async def test_a_fact_that_a_case_cannot_read_is_a_mismatch_in_the_inbox(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    row = await house.pool.fetchval(
        "UPDATE inbox SET state = 'delivered' WHERE id = (SELECT max(id) FROM inbox) RETURNING id"
    )
    fact = {"key": "wechat:refund:X", "kind": "REFUND_SPLIT", "source": "wechat", "inbox_id": row}
    await case.handle.signal("facts", {"facts": [fact]})
    await house.rest()
    assert (await house.pool.fetchval("SELECT state FROM inbox WHERE id = $1", row)) == "mismatch"
    (ticket,) = (await case.view()).open_tickets
    assert "wechat:refund:X" in ticket.error and f"oms event replay {row}" in ticket.give_up_means


async def test_a_return_too_large_for_the_engine_is_refused_with_nothing_changed(house: ScenarioEnvironment) -> None:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": MOST_RETURNED_UNITS + 1})
    with pytest.raises(ReturnRefused, match="at most"):
        await case.client.apply(case.application)
    started = await house.temporal.start_workflow(
        RETURN_WORKFLOW, case.application, id=return_workflow_id(case.return_no), task_queue=TASK_QUEUE
    )
    with pytest.raises(WorkflowFailureError) as refused:
        await asyncio.wait_for(started.result(), ANSWER_S)
    assert isinstance(refused.value.cause, ApplicationError) and refused.value.cause.type == "InvalidReturn"
    assert await case.store.view(case.return_no) is None
