"""A step of a case that is told again, because its answer was not heard, gets the first answer and happens once."""

import pytest

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.return_case import DESK, Case, case_of
from domain.returns.enums import CaseStatus, Grade, ReturnType
from starter.clients.return_errors import StepRefused
from tests.returns.orders import cups, signed
from workflows.returns.messages import CancelReturn, FinishInspection, LowerAmount, ScanUnit


async def applied(house: ScenarioEnvironment) -> Case:
    case = await case_of(await signed(house, cups(2)), ReturnType.RETURN_REFUND, {"L1": 2})
    await case.apply()
    return case


async def test_an_application_taken_back_twice_is_taken_back_once(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    message = CancelReturn(by=case.application.actor.id, reason="keep it")
    await case.client.cancel(case.return_no, message)
    await house.rest()
    await case.client.cancel(case.return_no, message)  # by now the case has ended
    with pytest.raises(StepRefused):
        await case.client.cancel(case.return_no, CancelReturn(by="somebody", reason="keep it"))
    assert [t.action for t in (await case.shown()).timeline].count("taken back") == 1


async def test_an_amount_lowered_twice_is_lowered_once(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    message = LowerAmount(by="u-cs", amount_minor=5_000, reason="used")
    await case.client.lower(case.return_no, message)
    await case.client.lower(case.return_no, message)
    with pytest.raises(StepRefused) as refused:
        await case.client.lower(case.return_no, LowerAmount(by="u-cs", amount_minor=5_000, reason="other"))
    assert refused.value.type == "AMOUNT_RAISED"
    assert (await case.view()).version == 2


async def test_an_inspection_finished_twice_is_finished_once(house: ScenarioEnvironment) -> None:
    case = await applied(house)
    await case.decide()
    await case.enter_waybill()
    await case.receive()
    await case.scan()
    await case.finish_inspection()
    await case.client.finish_inspection(case.return_no, FinishInspection(by=DESK, remark="that was all"))
    with pytest.raises(StepRefused):
        await case.client.finish_inspection(case.return_no, FinishInspection(by=DESK, remark="no, otherwise"))
    assert (await case.status()) is not CaseStatus.CANCELLED_BY_BUYER
    assert [t.action for t in (await case.shown()).timeline].count("inspection finished") == 1


async def test_a_key_stands_for_one_step_whatever_the_step_also_after_the_case_has_ended(
    house: ScenarioEnvironment,
) -> None:
    case = await applied(house)
    await case.decide()
    await case.enter_waybill()
    await case.receive()
    code = await case.code()
    one = ScanUnit(scan_id="s-1", by=DESK, code=code, grade=Grade.GOOD)
    two = one.model_copy(update={"scan_id": "s-2"})
    first, second = case.client.keyed("desk-1"), case.client.keyed("desk-2")
    answer = await first.scan(case.return_no, one)
    assert (answer.accepted, await first.scan(case.return_no, one)) == (1, answer)
    with pytest.raises(StepRefused) as refused:
        await first.scan(case.return_no, two)
    assert refused.value.type == "KeyReused"
    last = await second.scan(case.return_no, two)
    await house.rest()
    await case.plain_life()
    assert house.systems.refunds == {f"R{case.return_no}": 6_000}
    assert await second.scan(case.return_no, two) == last
    with pytest.raises(StepRefused):
        await second.scan(case.return_no, one)
