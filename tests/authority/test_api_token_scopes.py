"""A token of one shop or warehouse gives no command about another's, whichever command it is and whoever brings it: the
worker asks, and not only the pages in front of it."""

from typing import Any

import pytest
import pytest_asyncio

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.approvers import AUDIENCE
from bench.scenarios.environment.return_case import case_of
from domain.access.api_tokens import ApiScope
from domain.access.authority import ProofCode
from domain.access.desk import DeskTask, ReceiveGoods, TellPayment
from domain.returns.enums import ReturnType
from domain.states import OrderStatus
from starter.clients.desk import DeskClient
from starter.clients.errors import CommandRefused, OrderError
from starter.clients.proving import Prover, service
from starter.clients.returns import ReturnClient
from tests.authority.test_api_tokens import Program, made
from tests.authority.test_controls import Controls, controls
from tests.returns.orders import cups, paid

__all__ = ["controls"]
pytestmark = pytest.mark.usefixtures("cancelled_at_once")
EVERYTHING = (ApiScope.ORDERS_WRITE, ApiScope.RETURNS_WRITE, ApiScope.STOCK_WRITE)
ELSEWHERE = [{"channels": ("another-shop",)}, {"warehouses": ("ANOTHER-WH",)}]
"""Where a token is good that is not for the orders of these tests."""
OF_ELSEWHERE = pytest.mark.parametrize("narrowed", ELSEWHERE, ids=["another shop", "another warehouse"])


@pytest_asyncio.fixture(loop_scope="session")
async def life(house: ScenarioEnvironment) -> ScenarioOrder:
    return await paid(house, cups())


def prover(program: Program) -> Prover:
    return service(program.key, program.name, AUDIENCE, program.house.now)


async def a_program(controls: Controls, **narrowed: Any) -> Program:
    program = Program(controls.house)
    await made(controls, program.wanted(EVERYTHING, **narrowed))
    return program


async def refused_at_desk(program: Program, work: DeskTask) -> str:
    with pytest.raises(OrderError) as refused:
        await DeskClient(program.house.temporal, prover=prover(program)).do(work, 1, program.name)
    return str(getattr(refused.value, "type", ""))


@OF_ELSEWHERE
async def test_it_cancels_no_order(controls: Controls, life: ScenarioOrder, narrowed: dict[str, Any]) -> None:
    program = await a_program(controls, **narrowed)
    assert await program.is_refused(life.order.order_no) == ProofCode.WRONG_ROLE
    assert (await controls.house.client.view(life.order.order_no)).status is OrderStatus.AWAITING_SHIPMENT


@OF_ELSEWHERE
async def test_it_applies_for_no_return(controls: Controls, life: ScenarioOrder, narrowed: dict[str, Any]) -> None:
    program = await a_program(controls, **narrowed)
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 1})
    with pytest.raises(CommandRefused) as refused:
        await ReturnClient(program.house.temporal, prover=prover(program)).apply(case.application)
    assert refused.value.type == ProofCode.WRONG_ROLE
    assert await controls.house.pool.fetchval("SELECT count(*) FROM return_cases") == 0


@OF_ELSEWHERE
async def test_it_tells_of_no_payment(controls: Controls, life: ScenarioOrder, narrowed: dict[str, Any]) -> None:
    program = await a_program(controls, **narrowed)
    told = TellPayment(
        order_no=life.order.order_no, channel="wechat", merchant_id="m", transaction_id="T1", amount_minor=1,
        paid_at=controls.house.now(), evidence="a statement",
    )  # fmt: skip
    assert await refused_at_desk(program, told) == ProofCode.WRONG_ROLE


async def test_goods_come_in_at_its_own_warehouses_alone(controls: Controls) -> None:
    program = await a_program(controls, warehouses=("WH-OWN",))
    goods = ReceiveGoods(sku="CUP", warehouse="WH-OTHER", qty=1, ref="GR-1")
    assert await refused_at_desk(program, goods) == ProofCode.WRONG_ROLE
    own = goods.model_copy(update={"warehouse": "WH-OWN"})
    done = await DeskClient(program.house.temporal, prover=prover(program)).do(own, 1, program.name)
    assert done["booked"] is True


async def test_where_it_is_for_the_order_it_applies(controls: Controls, life: ScenarioOrder) -> None:
    house, order_no = controls.house, life.order.order_no
    channel = await house.pool.fetchval("SELECT channel FROM orders WHERE order_no = $1", order_no)
    warehouse = await house.pool.fetchval("SELECT warehouse FROM child_orders WHERE order_no = $1", order_no)
    program = await a_program(controls, channels=(channel,), warehouses=(warehouse,))
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 1})
    applied = await ReturnClient(house.temporal, prover=prover(program)).apply(case.application)
    assert applied.order_no == order_no
