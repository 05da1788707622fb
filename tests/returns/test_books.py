"""A case beside its order: the nightly comparison finds nothing amiss."""

import json

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import case_of
from domain.facts import Kind
from domain.polling.reconciling import against_source, against_view
from domain.returns.enums import ReturnType
from store.polling.reconciling import ReconcileStore
from tests.returns.orders import cups, signed


async def differences(house: ScenarioEnvironment, life: ScenarioOrder) -> list[object]:
    (compared,) = await ReconcileStore(house.pool).standing([life.order.order_no])
    view = json.loads((await life.view()).model_dump_json())
    return list(against_view(compared.books, view))


async def test_a_refund_of_a_case_is_no_difference_between_order_and_books(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
    await case.apply()
    await case.decide()
    assert house.systems.refunds == {f"R{case.return_no}": 3_000}
    assert await differences(house, life) == []


async def test_what_the_channel_says_of_a_cases_refund_is_known(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
    await case.apply()
    await case.decide()
    (compared,) = await ReconcileStore(house.pool).standing([life.order.order_no])
    number = f"R{case.return_no}"
    told = [house.systems.ended[number]]
    assert against_source(compared.books, "refund", number, None, told) == []


async def test_a_replacement_is_not_missed_by_its_order(house: ScenarioEnvironment) -> None:
    life = await signed(house, cups(1))
    case = await case_of(life, ReturnType.EXCHANGE, {"L1": 1})
    await case.apply()
    await case.decide()
    await case.goods_come_back()
    await case.check_outbound(passed=True)
    await life.happens(Kind.WAYBILL_RETURNED, 2)
    assert await differences(house, life) == []
