"""Abuse of running cases: each is refused, moves nothing, and leaves an audit row (docs: A1, A2; cases 51-66)."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities.evidence import EvidenceRefused
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import Case, case_of
from domain.approvals import Role
from domain.policy import Policy
from domain.returns.enums import CaseStatus, Grade, ReturnType
from domain.returns.models import Actor, ApplyReturn
from domain.strict import of
from starter.clients.approvals import ApprovalClient, DecisionNotTaken
from starter.clients.return_errors import ReturnRefused, StepRefused
from store.approvals.approvals import Approval
from store.returns.errors import TooManyGuesses, UnknownCode
from store.rules.policies import PolicyStore
from tests.domain.rules import a_table
from tests.returns.orders import cups, signed
from tests.store.rule_books import published
from workflows.returns.messages import CancelReturn, PayNow, ScanUnit


async def applied(house: ScenarioEnvironment) -> Case:
    """By customer service for the buyer; 200.00, so that two people have to agree."""
    clerk = Actor(kind="cs_agent", id="u-cs", on_behalf_of="buyer")
    case = await case_of(await signed(house, cups(1, 20_000)), ReturnType.RETURN_REFUND, {"L1": 1}, actor=clerk)
    await case.apply()
    return case


async def audited(house: ScenarioEnvironment) -> list[str]:
    """Codes of refusals in the audit, oldest first."""
    rows = await house.pool.fetch("SELECT action, detail FROM audit WHERE action LIKE '%refuse%' ORDER BY id")
    return [row["detail"].get("code") or row["detail"]["codes"][0] for row in rows]


@dataclass(frozen=True)
class Attempt:
    """A decision that somebody tries. `changed`: of the token, or of the message."""

    code: str
    person: str = "u-sup"
    token: dict[str, Any] | None = None
    message: dict[str, Any] | None = None


ATTEMPTS = [
    Attempt("SELF_APPROVAL", "u-cs"),
    Attempt("WRONG_ROLE", "u-fin"),
    Attempt("WRONG_ROLE", "u-wh"),
    Attempt("REMARK_REQUIRED", message={"remark": "  "}),
    Attempt("HASH_MISMATCH", message={"content_hash": "0" * 64}),
    Attempt("TOKEN_EXPIRED", token={"life": timedelta(minutes=-1)}),
    Attempt("TOKEN_INVALID", token={"audience": "somebody-else"}),
    Attempt("TOKEN_INVALID", message={"token": "eyJhbGciOiJub25lIn0.e30."}),
]


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda a: f"{a.code}-{a.person}")
@pytest.mark.parametrize("door", ["update", "signal"])
async def test_a_bad_decision_moves_nothing_and_is_written_down(
    house: ScenarioEnvironment, attempt: Attempt, door: str
) -> None:
    case = await applied(house)
    asked = await case.asked()
    await _try(house, case, asked, attempt, door)
    assert (await case.status(), (await case.asked()).state) == (CaseStatus.SUPERVISOR_REVIEW, "open")
    assert await audited(house) == [attempt.code]


async def _try(house: ScenarioEnvironment, case: Case, asked: Approval, attempt: Attempt, door: str) -> None:
    office = house.office
    message = dict(attempt.message or {})
    if "token" not in message:
        message["token"] = office.token(attempt.person, asked, **(attempt.token or {}))
    decision = office.decision(asked, attempt.person, **message)
    if door == "signal":
        await case.handle.signal("decide_by_signal", decision)
        await house.rest()
        return
    with pytest.raises(StepRefused) as refused:
        await case.client.decide(case.return_no, decision)
    assert refused.value.type == attempt.code


async def test_a_token_decides_once_and_not_for_another_case(house: ScenarioEnvironment) -> None:
    first = await applied(house)
    asked = await first.asked()
    decision = house.office.decision(asked, "u-sup")
    await first.client.decide(first.return_no, decision)
    await house.rest()
    with pytest.raises(StepRefused) as again:
        await first.client.decide(first.return_no, decision)
    assert again.value.type == "TOKEN_REPLAYED"
    assert await audited(house) == ["TOKEN_REPLAYED"]


async def test_the_supervisor_is_not_finance_as_well(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    await house.office.people.set_role("u-sup", Role.FINANCE, True, "u-admin", house.now())
    await case.decide("u-sup")
    await case.goods_come_back()
    with pytest.raises(DecisionNotTaken) as refused:
        await house.office.decide(ApprovalClient(house.temporal), await case.asked(), "u-sup")
    assert (refused.value.type, house.systems.refunds) == ("NOT_DISTINCT", {})


async def test_a_signal_that_is_no_decision_leaves_an_audit_row(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    await case.handle.signal("decide_by_signal", {"approved": True, "approved_by": "u-sup"})
    await house.rest()
    assert (await case.status(), await audited(house)) == (CaseStatus.SUPERVISOR_REVIEW, ["BAD_DECISION"])


async def test_no_step_is_skipped(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    assert await case.ask_for_money() == "NOT_APPROVED"
    with pytest.raises(StepRefused):
        await case.client.scan(case.return_no, ScanUnit(scan_id="s", by="u-wh", code="x", grade=Grade.GOOD))
    await case.decide("u-sup")
    answer = await case.client.pay(case.return_no, PayNow(by="u-cs"))
    assert (answer.result, house.systems.refunds) == ("GOODS_NOT_RECEIVED", {})
    assert await audited(house) == ["NOT_APPROVED", "GOODS_NOT_RECEIVED"]


async def test_a_stranger_learns_only_that_he_is_one(house: ScenarioEnvironment) -> None:
    stranger = Actor(kind="buyer", id="somebody-else")
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L9": 9}, images=0, actor=stranger)
    with pytest.raises(ReturnRefused) as refused:
        await case.apply()
    assert (refused.value.codes, await audited(house)) == (("FORBIDDEN",), ["FORBIDDEN"])


async def test_a_stranger_takes_no_case_back(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    with pytest.raises(StepRefused) as refused:
        await case.client.cancel(case.return_no, CancelReturn(by="somebody-else", reason="mine"))
    assert (refused.value.type, await audited(house)) == ("FORBIDDEN", ["FORBIDDEN"])
    assert await case.status() is CaseStatus.SUPERVISOR_REVIEW


async def test_a_stranger_sees_no_picture_of_a_case(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    (picture,) = case.application.evidence
    assert (await house.evidence.fetch(case.return_no, picture, "buyer", staff=False)).content
    with pytest.raises(EvidenceRefused) as refused:
        await house.evidence.fetch(case.return_no, picture, "somebody-else", staff=False)
    assert (refused.value.code, await audited(house)) == ("UNKNOWN", ["UNKNOWN"])


@pytest.mark.parametrize("extra", [{"status": "REFUNDED"}, {"approved_by": "u-sup"}, {"role": "CS_SUPERVISOR"}])
async def test_an_application_that_brings_its_own_approval_is_no_application(
    house: ScenarioEnvironment, extra: dict[str, str]
) -> None:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    message = json.loads(case.application.model_dump_json()) | extra
    with pytest.raises(ValueError, match="Extra inputs"):
        of(ApplyReturn, message)
    handle = await house.temporal.start_workflow("Return", message, id=f"return/{case.return_no}", task_queue="oms")
    with pytest.raises(WorkflowFailureError) as refused:
        await handle.result()
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "InvalidReturn"


async def test_return_codes_cannot_be_guessed_for_long(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    for n in range(100):
        try:
            await case.look_up(f"RC-{n:08d}", "u-guess")
        except UnknownCode:
            continue
        except TooManyGuesses:
            return
    raise AssertionError("a hundred guesses were looked up")


async def test_splitting_a_refund_does_not_get_around_finance(house: ScenarioEnvironment) -> None:
    life = await signed(house, cups(2, 6_000))
    routes = []
    for _ in range(2):
        case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
        routes.append([level.value for level in (await case.apply()).route])
    assert routes == [["CS_SUPERVISOR"], ["CS_SUPERVISOR", "FINANCE"]]
    told = await house.pool.fetch("SELECT detail FROM audit WHERE action = 'return.apply' ORDER BY id")
    assert [row["detail"]["total_minor"] for row in told] == [6_000, 6_000]


LATER = cups(2, 6_000).model_copy(update={"order_no": "SO26112002"})


async def test_a_limit_raised_after_an_order_was_placed_does_not_count_for_it(house: ScenarioEnvironment) -> None:
    policies, strict = PolicyStore(house.pool), Policy(small_refund_max_minor=5_000)
    await policies.publish(strict, "ops")
    placed_before = await signed(house, cups(2, 6_000))
    await policies.publish(Policy(small_refund_max_minor=100_000, cumulative_refunds=False), "ops")
    assert await routes_of(placed_before, await signed(house, LATER)) == [
        ["CS_SUPERVISOR", "FINANCE"],
        ["CS_SUPERVISOR"],
    ]


async def test_a_limit_lowered_since_counts_for_old_orders_too(house: ScenarioEnvironment) -> None:
    placed_before = await signed(house, cups(2, 6_000))
    await PolicyStore(house.pool).publish(Policy(small_refund_max_minor=100), "ops")
    assert await routes_of(placed_before) == [["CS_SUPERVISOR", "FINANCE"]]


async def test_a_table_by_which_fewer_agree_is_not_obeyed_for_orders_placed_before(house: ScenarioEnvironment) -> None:
    both, small = '["CS_SUPERVISOR", "FINANCE"]', "amount_minor <= small_max_minor"
    await published(house.pool, approval_route=a_table("approval_route", {"levels": both}))
    placed_before = await signed(house, cups(2, 6_000))
    await published(
        house.pool,
        approval_route=a_table("approval_route", {"condition": small, "levels": '["CS_SUPERVISOR"]'}, {"levels": both}),
    )
    assert await routes_of(placed_before, await signed(house, LATER)) == [
        ["CS_SUPERVISOR", "FINANCE"],
        ["CS_SUPERVISOR"],
    ]


async def routes_of(*lives: ScenarioOrder) -> list[list[str]]:
    routes = []
    for life in lives:
        case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
        routes.append([level.value for level in (await case.apply()).route])
    return routes
