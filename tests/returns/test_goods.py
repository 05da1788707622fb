"""The way back, and the desk: waybills, receipt, grades, shortage."""

from datetime import timedelta

import pytest

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.return_case import DESK, Case, case_of
from domain.facts import Kind
from domain.returns.enums import CaseStatus, Grade, ReturnType
from starter.clients.return_errors import StepRefused
from tests.returns.orders import signed
from tests.returns.test_exchange import exchange
from workflows.returns.messages import LowerAmount


async def approved(house: ScenarioEnvironment, qty: int = 2) -> Case:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": qty})
    await case.apply()
    await case.decide()
    return case


async def test_a_couriers_scan_of_the_parcel_finds_its_case(house: ScenarioEnvironment) -> None:
    case = await approved(house)
    number = await case.enter_waybill()
    await case.courier(Kind.COLLECTED, number)
    (line,) = [t for t in (await case.shown()).timeline if t.action == "COLLECTED"]
    assert line.detail["outcome"] == "APPLIED"
    state = await house.pool.fetchval("SELECT state FROM inbox WHERE event_id = $1", f"kuaidi100:{number}:COLLECTED")
    assert state == "applied"


async def test_a_number_that_no_courier_knows_is_a_ticket_after_three_days_and_closes_by_itself(
    house: ScenarioEnvironment,
) -> None:
    case = await approved(house)
    await case.enter_waybill()
    await house.pass_until(house.now() + timedelta(hours=72, seconds=2))
    assert [t.step for t in (await case.view()).open_tickets] == ["unknown waybill"]
    await case.receive()
    assert (await case.view()).open_tickets == ()


async def test_a_parcel_that_nobody_receives_is_a_ticket_after_ten_days(house: ScenarioEnvironment) -> None:
    case = await approved(house)
    number = await case.enter_waybill()
    await case.courier(Kind.SIGNED, number)
    await house.pass_until(house.now() + timedelta(days=10, seconds=2))
    assert [t.step for t in (await case.view()).open_tickets] == ["not received"]


async def overdue(house: ScenarioEnvironment, case: Case | None = None) -> Case:
    """Handed over, and not received in ten days."""
    case = case or await approved(house)
    await case.enter_waybill()
    await case.courier(Kind.SIGNED, f"BACK{case.return_no}")
    await case.house.pass_until(case.house.now() + timedelta(days=10, seconds=2))
    return case


async def test_who_waits_on_for_a_parcel_is_asked_again_until_it_is_here(house: ScenarioEnvironment) -> None:
    case = await overdue(house)
    for _ in range(2):
        await case.resolve("retry")
        assert (await case.view()).open_tickets == ()
        await case.days_pass(10)
        await case.house.pass_until(case.house.now() + timedelta(seconds=2))
        assert [t.step for t in (await case.view()).open_tickets] == ["not received"]
    await case.receive()
    assert (await case.view()).open_tickets == ()
    await case.inspect()
    assert house.systems.refunds == {f"R{case.return_no}": 6_000}


@pytest.mark.parametrize(("verdict", "paid", "status"), [("approve", None, "REJECTED"), ("reject", 6_000, "REFUNDED")])
async def test_goods_that_are_given_up_as_lost_are_for_the_supervisor_to_decide(
    house: ScenarioEnvironment, verdict: str, paid: int | None, status: str
) -> None:
    case = await overdue(house)
    await case.resolve("give_up")
    asked = await case.asked()
    assert (asked.request.kind, asked.request.content["amount_minor"]) == ("dispute", 0)
    await case.decide(verdict=verdict)
    assert ((await case.shown()).status, house.systems.refunds) == (
        CaseStatus(status), {f"R{case.return_no}": paid} if paid else {}
    )  # fmt: skip
    assert {b.sku: (b.available, b.frozen, b.shipped) for b in await house.stock.show()} == {"CUP": (0, 0, 2)}


async def test_an_exchange_whose_goods_are_given_up_as_lost_ends_without_a_replacement(
    house: ScenarioEnvironment,
) -> None:
    case = await overdue(house, await exchange(house))
    await case.resolve("give_up")
    shown = await case.shown()
    assert (shown.status, shown.close_reason) == (CaseStatus.REJECTED, "NOTHING_ACCEPTED")


async def test_nobody_decides_for_two_days_and_it_only_grows_louder(house: ScenarioEnvironment) -> None:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    await house.pass_until(house.now() + timedelta(hours=24, seconds=2))
    assert "reminder" in [t.action for t in (await case.shown()).timeline]
    await house.pass_until(house.now() + timedelta(hours=24))
    assert [t.severity for t in (await case.view()).open_tickets] == ["urgent"]
    assert await case.status() is CaseStatus.SUPERVISOR_REVIEW
    await case.decide()
    assert (await case.view()).open_tickets == ()


async def test_missing_units_are_for_the_supervisor_to_decide(house: ScenarioEnvironment) -> None:
    case = await approved(house)
    await case.receive()
    await case.scan()
    await case.finish_inspection()
    asked = await case.asked()
    assert (asked.request.kind, asked.request.content["amount_minor"]) == ("dispute", 3_000)
    await case.decide()  # only what came is paid
    await case.decide()  # and the lower amount is approved anew
    assert house.systems.refunds == {f"R{case.return_no}": 3_000}
    stock = {b.sku: (b.available, b.frozen, b.shipped) for b in await house.stock.show()}
    assert stock == {"CUP": (1, 0, 1)}


async def test_a_missing_unit_that_the_buyer_is_believed_about_is_paid(house: ScenarioEnvironment) -> None:
    case = await approved(house)
    await case.receive()
    await case.scan()
    await case.finish_inspection()
    await case.decide(verdict="reject")
    assert house.systems.refunds == {f"R{case.return_no}": 6_000}


async def test_a_defect_needs_a_photo_and_goes_to_the_second_hand_pool(house: ScenarioEnvironment) -> None:
    case = await approved(house, 1)
    await case.receive()
    assert (await case.scan(Grade.MINOR, photos=())).result == "PHOTO_REQUIRED"
    assert (await case.scan(Grade.MINOR)).result == "SECOND_HAND"
    assert [b.second_hand for b in await house.stock.show()] == [1]
    assert house.systems.refunds == {f"R{case.return_no}": 3_000}  # a grade alone lowers nothing


@pytest.mark.parametrize(("code", "by", "kind"), [("RC-GUESSED", DESK, "UNKNOWN_CODE"), (None, "buyer", "SAME_PERSON")])
async def test_a_wrong_code_or_the_applicant_is_refused_at_the_desk(
    house: ScenarioEnvironment, code: str | None, by: str, kind: str
) -> None:
    case = await approved(house)
    with pytest.raises(StepRefused) as refused:
        await case.receive(code, by)
    assert refused.value.type == kind
    rows = await house.pool.fetch("SELECT detail FROM audit WHERE action = 'return.refused'")
    assert [row["detail"]["code"] for row in rows] == [kind]


async def test_a_unit_scanned_after_the_inspection_is_a_persons_question(house: ScenarioEnvironment) -> None:
    case = await approved(house)
    await case.receive()
    await case.scan()
    await case.finish_inspection()  # one is missing
    before = await house.stock.show()
    answer = await case.scan()  # it was under the packing paper
    (ticket,) = [t for t in (await case.view()).open_tickets if t.step == "unit after inspection"]
    assert (answer.result, answer.accepted) == ("INSPECTION_OVER", 1)
    assert "L1#1 (CUP)" in ticket.error and ticket.severity != "info"
    assert await house.stock.show() == before


async def test_goods_of_a_case_that_is_rejected_when_they_are_here_are_a_persons_question(
    house: ScenarioEnvironment,
) -> None:
    case = await approved(house)
    await case.receive()
    await case.client.lower(case.return_no, LowerAmount(by="u-cs", amount_minor=1, reason="worn"))
    await case.scan()
    await case.scan(Grade.MINOR)
    await case.decide("u-sup", "reject")
    view = await case.view()
    assert (view.status, [t.step for t in view.open_tickets]) == (CaseStatus.REJECTED, ["send back"])
    assert "L1#0 (CUP, put back on sale), L1#1 (CUP, put into the second-hand pool)" in view.open_tickets[0].error
    await case.resolve("give_up")
    assert (await case.shown()).status is CaseStatus.REJECTED
