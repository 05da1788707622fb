"""Cancelled before shipping: the warehouse is stopped first, then the money goes back (S22)."""

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import Case, case_of
from bench.scenarios.order import CouponIn, LineIn, OrderIn
from domain.order import SkuTags
from domain.returns.enums import CaseStatus, ReturnType
from domain.states import ChildStatus, OrderStatus
from tests.returns.orders import paid

TWO = OrderIn(
    order_no="SO26112022",
    lines=(
        LineIn(id="L1", sku="DESK", qty=1, unit_price=89_900, tags=SkuTags(warehouse="WH-BJ")),
        LineIn(id="L2", sku="LAMP", qty=1, unit_price=12_900, tags=SkuTags(warehouse="WH-SH")),
    ),
)
WITH_COUPON = TWO.model_copy(update={"coupons": (CouponIn(id="C100", amount=10_000),)})


async def cancelled(
    house: ScenarioEnvironment, lines: dict[str, int], order: OrderIn = TWO
) -> tuple[ScenarioOrder, Case]:
    life = await paid(house, order)
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, lines, images=0)
    await case.apply()
    return life, case


async def test_both_parcels_are_stopped_before_anybody_pays(house: ScenarioEnvironment) -> None:
    life, case = await cancelled(house, {"L1": 1, "L2": 1}, WITH_COUPON)
    assert [a.key for a in house.systems.of("wms.cancel")] == [life.child_no(1), life.child_no(2)]
    assert house.systems.refunds == {}
    await case.decide("u-sup")
    await case.decide("u-fin")
    assert house.systems.refunds == {f"R{case.return_no}": 92_800}
    assert "coupons given back" in [t.action for t in (await case.shown()).timeline]
    detail = await life.detail()
    assert detail.order.status == OrderStatus.CLOSED
    assert [c["status"] for c in detail.children] == [ChildStatus.CANCELLED] * 2


async def test_only_the_cancelled_parcel_stays_behind(house: ScenarioEnvironment) -> None:
    life, case = await cancelled(house, {"L2": 1})
    await case.decide("u-sup")
    await case.decide("u-fin")
    assert house.systems.refunds == {f"R{case.return_no}": 12_900}
    await life.ships(1)
    assert (await life.detail()).order.status == OrderStatus.SHIPPED


async def test_a_parcel_that_could_not_be_stopped_comes_back_as_a_return(house: ScenarioEnvironment) -> None:
    house.systems.intercepts[f"{TWO.order_no}-01"] = "too_late"
    life, case = await cancelled(house, {"L1": 1, "L2": 1})
    await case.decide("u-sup")
    assert (await case.status(), house.systems.refunds) == (CaseStatus.WAITING_RETURN, {})
    await life.ships(1)
    await case.goods_come_back()
    await case.decide("u-fin")
    assert house.systems.refunds == {f"R{case.return_no}": 102_800}


async def test_what_was_stopped_is_paid_although_the_rest_never_comes_back(house: ScenarioEnvironment) -> None:
    house.systems.intercepts[f"{TWO.order_no}-01"] = "too_late"
    _, case = await cancelled(house, {"L1": 1, "L2": 1})
    await case.decide("u-sup")
    await case.days_pass(8)
    await case.decide("u-sup")  # less money than was agreed on: asked anew
    await case.decide("u-fin")
    assert house.systems.refunds == {f"R{case.return_no}": 12_900}
