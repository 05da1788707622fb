"""The money of a case: once, never too much, and only on approvals that still stand."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import DESK, Case, case_of
from domain.facts import Fact, Kind
from domain.returns.enums import CaseStatus, ReturnType
from providers.errors import UnknownOutcome
from starter.clients.approvals import ApprovalClient, DecisionNotTaken
from starter.clients.return_errors import ReturnRefused, StepRefused
from store.approvals.approvals import ApprovalStore
from tests.returns.orders import cups, signed
from workflows.returns.messages import AskSupervisor, CancelReturn, LowerAmount


async def ready_for_finance(house: ScenarioEnvironment, qty: int = 1) -> Case:
    """Approved by the supervisor, received, inspected; 200.00 a unit."""
    case = await case_of(await signed(house, cups(qty, price=20_000)), ReturnType.RETURN_REFUND, {"L1": qty})
    await case.apply()
    await case.decide("u-sup")
    await case.goods_come_back()
    assert await case.status() is CaseStatus.FINANCE_REVIEW
    return case


async def test_a_refund_whose_answer_was_lost_is_one_refund_under_one_number(house: ScenarioEnvironment) -> None:
    case = await ready_for_finance(house)
    lost = UnknownOutcome("wechat", "TIMEOUT", "no answer")
    house.systems.script("payment.refund", lost, lost)
    await case.decide("u-fin")
    await house.pass_until(house.now() + timedelta(minutes=3))
    assert {a.key for a in house.systems.of("payment.refund")} == {f"R{case.return_no}"}
    assert (await case.shown()).status is CaseStatus.REFUNDED
    assert house.systems.refunds == {f"R{case.return_no}": 20_000}


async def test_after_a_persons_retry_the_channel_is_asked_first(house: ScenarioEnvironment) -> None:
    case = await ready_for_finance(house)
    house.systems.script("payment.refund", *[UnknownOutcome("wechat", "TIMEOUT", "no answer")] * 4)
    await case.decide("u-fin")
    await house.pass_until(house.now() + timedelta(minutes=5))
    (ticket,) = (await case.view()).open_tickets
    assert ticket.step == "refund"
    await house.pass_until(house.now() + timedelta(hours=25))
    await case.resolve("retry")
    assert (await case.shown()).status is CaseStatus.REFUNDED
    assert house.systems.asked_first == [f"R{case.return_no}"]


async def test_an_abnormal_refund_goes_to_a_person_and_late_success_ends_the_case(house: ScenarioEnvironment) -> None:
    case = await ready_for_finance(house)
    house.systems.refund_answers.append("ABNORMAL")
    await case.decide("u-fin")
    (ticket,) = (await case.view()).open_tickets
    assert (ticket.step, await case.status()) == ("refund not paid out", CaseStatus.REFUNDING)
    number = f"R{case.return_no}"
    await house.deliver(
        Fact(
            key=f"wechat:refund:{number}:SUCCESS", kind=Kind.REFUND_SUCCEEDED, source="wechat", occurred_at=house.now(),
            order_no=case.application.order_no, refund_no=number, amount_minor=20_000, currency="CNY",
        )
    )  # fmt: skip
    assert (await case.shown()).status is CaseStatus.REFUNDED


async def test_of_ten_applications_for_the_same_unit_one_is_admitted(house: ScenarioEnvironment) -> None:
    life = await signed(house, cups(1))
    cases = [await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1}) for _ in range(10)]
    await house.office.open_for_business()
    answers = await asyncio.gather(*(c.client.apply(c.application) for c in cases), return_exceptions=True)
    refused = [a for a in answers if isinstance(a, ReturnRefused)]
    assert len(refused) == 9
    assert all(set(r.codes) <= {"QTY_EXCEEDED", "TOO_MANY_APPLICATIONS"} for r in refused)


async def test_a_lowered_amount_has_to_be_approved_again_and_is_never_raised(house: ScenarioEnvironment) -> None:
    case = await ready_for_finance(house)
    asked = await case.asked()
    await case.client.lower(case.return_no, LowerAmount(by="u-cs", amount_minor=15_000, reason="agreed"))
    await house.rest()
    with pytest.raises(DecisionNotTaken) as late:
        await house.office.decide(ApprovalClient(house.temporal), asked, "u-fin")
    assert late.value.type in ("ALREADY_DECIDED", "HASH_MISMATCH")
    with pytest.raises(StepRefused) as raised:
        await case.client.lower(case.return_no, LowerAmount(by="u-cs", amount_minor=19_000, reason="sorry"))
    assert raised.value.type == "AMOUNT_RAISED"
    await case.decide("u-sup")
    await case.decide("u-fin")
    assert house.systems.refunds == {f"R{case.return_no}": 15_000}


async def test_an_approver_who_is_deactivated_before_payout_has_approved_nothing(house: ScenarioEnvironment) -> None:
    case = await ready_for_finance(house)
    await house.office.people.set_active("u-sup", False, "u-admin", house.now())
    await case.decide("u-fin")
    assert (await case.status(), house.systems.refunds) == (CaseStatus.SUPERVISOR_REVIEW, {})
    await case.decide("u-sup2")
    await case.decide("u-fin")
    assert (await case.shown()).status is CaseStatus.REFUNDED


async def test_refunds_of_one_order_are_a_minute_apart(house: ScenarioEnvironment) -> None:
    life: ScenarioOrder = await signed(house)
    for _ in range(2):
        case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
        await case.apply()
        await case.decide()
    assert len(house.systems.refunds) == 1
    await house.pass_until(house.now() + timedelta(seconds=62))
    first, second = house.systems.of("payment.refund")
    on_the_way = timedelta(seconds=1)  # the first call may reach its channel later after its decision than the second
    assert second.at - first.at >= timedelta(seconds=60) - on_the_way


async def test_what_finance_decides_about_is_not_disputed_but_lowered(house: ScenarioEnvironment) -> None:
    case = await ready_for_finance(house)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await case.handle.execute_update("ask_supervisor", AskSupervisor(by=DESK, amount_minor=5_000, reason="worn"))
    assert "lower it instead" in str(refused.value.cause)
    await case.decide("u-fin")
    assert house.systems.refunds == {f"R{case.return_no}": 20_000}


async def test_taken_back_while_approvals_are_spent_nothing_is_paid(
    house: ScenarioEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await case_of(await signed(house), ReturnType.REFUND_ONLY, {"L1": 1})
    await case.apply()
    spending, go_on = asyncio.Event(), asyncio.Event()
    plain = ApprovalStore.use

    async def slow(store: ApprovalStore, *args: Any) -> Any:
        spending.set()
        await asyncio.wait_for(go_on.wait(), 2)
        return await plain(store, *args)

    monkeypatch.setattr(ApprovalStore, "use", slow)
    await house.office.decide(ApprovalClient(house.temporal), await case.asked(), None, "approve")
    await spending.wait()
    message = CancelReturn(by=case.application.actor.id, reason="keep it")
    asked = asyncio.ensure_future(case.handle.execute_update("cancel", message))
    async for event in case.handle.fetch_history_events(wait_new_event=True):
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            accepted = event.workflow_execution_update_accepted_event_attributes.accepted_request
            if accepted.input.name == "cancel":
                break
    go_on.set()
    await asked
    await house.rest()
    assert ((await case.shown()).status, house.systems.refunds) == (CaseStatus.CANCELLED_BY_BUYER, {})
