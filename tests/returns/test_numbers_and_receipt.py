"""What an order and its cases owe each other: numbers of their own, and no receipt while a case is open."""

import pytest

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import case_of
from bench.scenarios.order import start_order
from domain.order import SkuTags
from domain.returns.enums import ReturnType
from domain.states import OrderStatus
from starter.clients.errors import DuplicateOrder, NotNow
from starter.clients.return_errors import ReturnRefused
from tests.returns.orders import cups, signed
from workflows.returns.messages import CancelReturn


async def test_receipt_is_not_confirmed_while_a_case_is_open(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    with pytest.raises(NotNow, match=case.return_no):
        await life.confirm_receipt()
    assert (await life.view()).status is OrderStatus.DELIVERED
    await case.client.cancel(case.return_no, CancelReturn(by="buyer", reason="I keep it"))
    await house.rest()
    await life.confirm_receipt()
    assert (await life.view()).status is OrderStatus.COMPLETED


async def test_a_return_does_not_take_the_number_of_an_order(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    number = life.order.order_no
    case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1}, return_no=number)
    with pytest.raises(ReturnRefused) as refused:
        await case.apply()
    rows = await house.pool.fetch("SELECT detail FROM audit WHERE action = 'return.refuse'")
    assert (refused.value.codes, [r["detail"]["codes"] for r in rows]) == (("NUMBER_TAKEN",), [["NUMBER_TAKEN"]])
    free = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1})
    await free.apply()  # nothing was held for the refused one


async def test_an_order_does_not_take_the_number_of_a_return(house: ScenarioEnvironment) -> None:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    order = cups().model_copy(update={"order_no": case.return_no})
    tagged = order.model_copy(update={"lines": (order.lines[0].model_copy(update={"tags": SkuTags(warehouse="HZ")}),)})
    with pytest.raises(DuplicateOrder):
        await ScenarioOrder.place(house, start_order(tagged, house.now()))
