"""A case from application to its end."""

from datetime import timedelta

import pytest

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.return_case import case_of
from domain.returns.enums import CaseStatus, Level, ReturnType
from domain.states import OrderStatus
from starter.clients.return_errors import ReturnRefused
from tests.returns.orders import cups, signed
from workflows.returns.messages import CancelReturn


async def test_goods_come_back_and_the_money_follows(house: ScenarioEnvironment) -> None:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    answer = await case.apply()
    assert answer.quote.total_minor == 3_000
    await case.decide()
    assert await case.status() is CaseStatus.WAITING_RETURN
    await case.goods_come_back()
    shown = await case.shown()
    assert (shown.status, shown.refunded_minor) == (CaseStatus.REFUNDED, 3_000)
    assert house.systems.refunds == {f"R{case.return_no}": 3_000}


async def test_above_the_small_amount_finance_looks_again_before_payout(house: ScenarioEnvironment) -> None:
    case = await case_of(await signed(house, cups(price=10_001)), ReturnType.RETURN_REFUND, {"L1": 1})
    answer = await case.apply()
    assert answer.route == (Level.CS_SUPERVISOR, Level.FINANCE)
    await case.decide("u-sup")
    await case.goods_come_back()
    assert (await case.status(), house.systems.refunds) == (CaseStatus.FINANCE_REVIEW, {})
    await case.decide("u-fin")
    assert (await case.shown()).status is CaseStatus.REFUNDED


async def test_a_refund_without_goods_is_paid_after_approval(house: ScenarioEnvironment) -> None:
    case = await case_of(await signed(house), ReturnType.REFUND_ONLY, {"L1": 2})
    await case.apply()
    await case.decide()
    assert (await case.shown()).status is CaseStatus.REFUNDED
    assert (await case.life.detail()).order.status == OrderStatus.CLOSED  # every unit has been paid back


async def test_an_application_that_is_refused_tells_every_reason(house: ScenarioEnvironment) -> None:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 3, "L9": 1}, images=0)
    with pytest.raises(ReturnRefused) as refused:
        await case.apply()
    assert refused.value.codes == ("EVIDENCE_REQUIRED", "UNKNOWN_LINE", "QTY_EXCEEDED")


async def test_a_rejected_application_gives_the_units_free(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    first = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 2})
    await first.apply()
    await first.decide(verdict="reject")
    assert (await first.shown()).status is CaseStatus.REJECTED
    second = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 2})
    assert (await second.apply()).quote.total_minor == 6_000


async def test_the_buyer_takes_it_back_before_sending(house: ScenarioEnvironment) -> None:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    await case.client.cancel(case.return_no, CancelReturn(by="buyer", reason="I keep it"))
    await house.rest()
    assert (await case.shown()).status is CaseStatus.CANCELLED_BY_BUYER
    assert await house.office.waiting(case.return_no) == ()


async def test_goods_sent_too_late_close_the_case_and_open_a_linked_one(house: ScenarioEnvironment) -> None:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    await case.decide()
    await house.pass_until(house.now() + timedelta(days=7, seconds=2))
    shown = await case.shown()
    assert (shown.status, shown.close_reason) == (CaseStatus.CLOSED_NOT_SENT, "RETURN_NOT_SENT_7D")
    linked = await case.linked(await case.receive())
    assert (await linked.view()).linked_to == case.return_no
    await linked.receive()
    await linked.inspect()
    await linked.decide()
    assert (await linked.shown()).status is CaseStatus.REFUNDED
