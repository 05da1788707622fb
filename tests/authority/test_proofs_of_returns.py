"""A return is applied for, taken in, inspected and sent out by proven people only, each in their role (F6)."""

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.approvers import SHOP
from bench.scenarios.environment.return_case import DESK, Case, case_of
from domain.access.authority import ProofCode
from domain.approvals import Role
from domain.returns.enums import CaseStatus, Grade, ReturnType
from domain.returns.models import Actor, Parcel, ReopenReturn
from starter.clients.errors import CommandRefused
from starter.clients.return_errors import StepRefused
from starter.clients.returns import ReturnClient
from tests.authority.sender import Sender
from tests.returns.orders import cups, signed
from workflows.messages import TASK_QUEUE, SignedCommand
from workflows.order_return_signals import RETURN_WORKFLOW
from workflows.returns.messages import (
    AskSupervisor,
    CancelReturn,
    CheckOutbound,
    EnterWaybill,
    FinishInspection,
    LowerAmount,
    PayNow,
    PrintLabel,
    ReceiveReturn,
    ScanUnit,
)


async def wanted(house: ScenarioEnvironment, kind: ReturnType = ReturnType.RETURN_REFUND) -> Case:
    return await case_of(await signed(house, cups(2)), kind, {"L1": 2})


async def proof_is_demanded(case: Case, *commands: tuple[str, SignedCommand]) -> None:
    """Of each of these, which would be taken now."""
    sender = Sender(case.house, f"return/{case.return_no}")
    before = await case.view()
    for update, message in commands:
        assert await sender.refused(update, message) == ProofCode.PROOF_REQUIRED, update
    refused = await sender.audited("command.refused")
    assert [row.detail["command"] for row in refused][-len(commands) :] == [f"return.{name}" for name, _ in commands]
    after = await case.view()
    assert after.model_copy(update={"as_of": before.as_of}) == before


async def test_no_step_of_a_return_is_taken_unproven_and_all_are_proven(house: ScenarioEnvironment) -> None:
    case = await wanted(house)
    await case.apply()
    buyer = case.application.actor.id
    await proof_is_demanded(
        case,
        ("cancel", CancelReturn(by=buyer, reason="keep it")),
        ("lower", LowerAmount(by="u-cs", amount_minor=1, reason="used")),
    )
    await case.decide()
    code, parcel = await case.code(), Parcel(carrier="YTO", waybill_no="BACK-1")
    await proof_is_demanded(
        case,
        ("enter_waybill", EnterWaybill(by=buyer, parcel=parcel)),
        ("receive", ReceiveReturn(by=DESK, code=code)),
    )
    await case.enter_waybill()
    await case.receive()
    await proof_is_demanded(
        case,
        ("scan", ScanUnit(by=DESK, scan_id="s-1", code=code, grade=Grade.GOOD)),
        ("finish_inspection", FinishInspection(by=DESK, remark="that was all")),
        ("ask_supervisor", AskSupervisor(by=DESK, amount_minor=1, reason="worn")),
        ("pay", PayNow(by="u-fin")),
        ("print_label", PrintLabel(by=DESK)),
    )
    await case.plain_life()
    await case.inspect()
    await case.plain_life()
    assert house.systems.refunds == {f"R{case.return_no}": 6_000}


async def test_an_exchange_that_staff_apply_for_goes_out_by_proven_hands(house: ScenarioEnvironment) -> None:
    case = await wanted(house, ReturnType.EXCHANGE)
    agent = Actor(kind="cs_agent", id="u-cs", on_behalf_of=case.application.actor.id)
    case.application = case.application.model_copy(update={"actor": agent})
    await case.apply()
    await case.plain_life()
    assert await case.status() is CaseStatus.REPLACEMENT_QC
    await proof_is_demanded(case, ("check_outbound", CheckOutbound(by=DESK, passed=True, remark="looked at it")))
    await case.check_outbound(passed=True)
    assert await case.print_label() in ("OK", "LABEL_PENDING")


async def test_nobody_applies_under_an_invented_name(house: ScenarioEnvironment) -> None:
    case = await wanted(house)
    bare = ReturnClient(house.temporal)
    with pytest.raises(CommandRefused) as refused:
        await bare.apply(case.application)
    assert refused.value.type == ProofCode.PROOF_REQUIRED
    invented = Actor(kind="cs_agent", id="u-invented", on_behalf_of=case.life.order.buyer.buyer_id)
    with pytest.raises(CommandRefused) as refused:
        await case.client.apply(case.application.model_copy(update={"actor": invented}))
    assert refused.value.type == ProofCode.WRONG_ROLE
    assert await case.store.view(case.return_no) is None
    assert (await case.apply()).return_no == case.return_no, "the number is not spoilt"
    kept = await house.pool.fetchval("SELECT application FROM return_cases")
    assert kept["proof"] is None, "the books keep no token"


async def test_a_backend_does_not_work_at_the_desk(house: ScenarioEnvironment) -> None:
    case = await wanted(house)
    await case.apply()
    await case.decide()
    await case.enter_waybill()
    sender = Sender(house, f"return/{case.return_no}")
    message = ReceiveReturn(by=SHOP, code=await case.code())
    proof = sender.proof(SHOP, "receive", message, key=house.office.shop_key, issuer=SHOP)
    assert await sender.refused("receive", message, proof) == ProofCode.WRONG_ROLE
    assert (await case.view()).status is CaseStatus.IN_RETURN


async def test_a_proof_serves_one_scan(house: ScenarioEnvironment) -> None:
    case = await wanted(house)
    await case.apply()
    await case.decide()
    await case.enter_waybill()
    await case.receive()
    sender = Sender(house, f"return/{case.return_no}")
    scan = ScanUnit(by=DESK, scan_id="s-1", code=await case.code(), grade=Grade.GOOD)
    proof = sender.proof(DESK, "scan", scan)
    first = await sender.send("scan", scan, proof, id="told-once")
    assert await sender.send("scan", scan, proof, id="told-once") == first
    assert await sender.refused("scan", scan, proof) == ProofCode.TOKEN_REPLAYED
    assert await sender.send("scan", scan, sender.proof(DESK, "scan", scan)) == first


async def test_whoever_decided_does_not_check_what_goes_out(house: ScenarioEnvironment) -> None:
    case = await wanted(house, ReturnType.EXCHANGE)
    await case.apply()
    await case.plain_life()
    await house.office.people.set_role("u-sup", Role.WAREHOUSE, True, "u-admin", house.now())
    message = CheckOutbound(by="u-sup", passed=True, remark="looked at it")
    with pytest.raises(StepRefused) as refused:
        await case.client.check_outbound(case.return_no, message)
    assert refused.value.type == "SAME_PERSON"
    await case.check_outbound(passed=True)


async def test_a_linked_case_is_started_by_the_closed_one_only(house: ScenarioEnvironment) -> None:
    case = await wanted(house)
    await case.apply()
    await case.decide()
    await case.days_pass(8)  # closed: nothing was sent
    message = ReopenReturn(return_no="RT-LINKED-1", reopens=case.return_no)
    handle = await house.temporal.start_workflow(
        RETURN_WORKFLOW, message, id="return/RT-LINKED-1", task_queue=TASK_QUEUE
    )
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "InvalidReturn"
    assert await case.store.view("RT-LINKED-1") is None
    linked = await case.receive()
    assert linked not in (case.return_no, "RT-LINKED-1"), "the desk has the goods: the closed case opens one"
