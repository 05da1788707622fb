"""Replaced instead of repaired (以换代修): long after the returns window, as long as the warranty lasts."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import Case, case_of
from bench.scenarios.order import start_order
from domain.facts import Kind
from domain.returns.enums import CaseStatus, ReturnType
from domain.states import OrderStatus
from tests.returns.orders import cups, signed


async def bought(house: ScenarioEnvironment, **terms: Any) -> ScenarioOrder:
    """One cup in the buyer's hands, sold with these terms."""
    line = start_order(cups(1), house.now()).model_dump(mode="json")["lines"][0]
    return await signed(house, cups(1), lines=[line | {"after_sales": terms}])


async def later(life: ScenarioOrder, days: int) -> Case:
    await life.house.pass_until(life.house.now() + timedelta(days=days))
    return await case_of(life, ReturnType.WARRANTY_REPLACEMENT, {"L1": 1})


async def test_after_the_window_within_the_warranty_the_piece_is_replaced(house: ScenarioEnvironment) -> None:
    life = await bought(house, warranty_days=365)
    warehouse = (await life.detail()).lines[0]["warehouse"]
    await house.receive("CUP", warehouse, 1, "spare")
    case = await later(life, 200)
    assert (await life.detail()).order.status == OrderStatus.COMPLETED
    assert (await case.apply()).quote.total_minor == 0
    await case.decide()
    assert await case.print_label() == "RETURN_NOT_INSPECTED"
    await case.goods_come_back()
    await case.check_outbound(passed=True)
    assert (await case.view()).replacement_no == life.child_no(2)
    await life.happens(Kind.WAYBILL_RETURNED, 2)
    await life.happens(Kind.SIGNED, 2)
    shown = await case.shown()
    assert (shown.status, shown.refunded_minor, house.systems.refunds) == (CaseStatus.EXCHANGED, 0, {})


@pytest.mark.parametrize(
    ("terms", "code"), [({"warranty_days": 365}, "WARRANTY_OVER"), ({}, "NO_WARRANTY")], ids=["over", "none"]
)
async def test_without_a_warranty_that_lasts_nothing_is_replaced(
    house: ScenarioEnvironment, terms: dict[str, Any], code: str
) -> None:
    case = await later(await bought(house, **terms), 367)
    handle = await house.temporal.start_workflow(
        "Return", case.application, id=f"return/{case.return_no}", task_queue="oms"
    )
    with pytest.raises(WorkflowFailureError) as refused:
        await handle.result()
    assert isinstance(refused.value.cause, ApplicationError)
    rows = await house.pool.fetch("SELECT detail FROM audit WHERE action = 'return.refuse'")
    assert [d["code"] for d in refused.value.cause.details] == [code]
    assert [r["detail"]["codes"] for r in rows] == [[code]]
