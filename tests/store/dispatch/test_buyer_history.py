"""What is counted of a buyer's other orders when one is paid."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bench.insight.planting import PlantedOrder, PlantedReturn, plant_orders, plant_returns
from domain.insight.risk import BuyerHistory
from domain.returns.enums import Reason, ReturnType
from store.dispatch.buyer_history import buyer_history
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.store.examples import NOW, a_settled_order, an_order

BEFORE = "SO-BEFORE"
Counted = Callable[[], Awaitable[BuyerHistory]]


@pytest.fixture
async def counted(orders: OrderStore, pool: Pool) -> Counted:
    """Of the buyer of an order that is paid now, who had another one a year ago."""
    then = NOW - timedelta(days=365)
    await orders.register(an_order(), "run-1", NOW)
    await plant_orders(pool, [PlantedOrder(BEFORE, "杭州", then, then, buyer="b-1")])

    async def count() -> BuyerHistory:
        async with pool.acquire() as connection:
            return await buyer_history(connection, "SO20261120", NOW)

    return count


def case(at: datetime = NOW, **more: Any) -> PlantedReturn:
    return PlantedReturn(BEFORE, at, **more)


async def test_exchanges_for_a_size_and_returns_are_counted_apart_and_other_cases_not(
    counted: Counted, pool: Pool
) -> None:
    size = case(type=ReturnType.EXCHANGE, reason=Reason.SIZE_DOES_NOT_FIT)
    other = [
        case(type=ReturnType.EXCHANGE, reason=Reason.QUALITY_PROBLEM), case(type=ReturnType.REFUND_ONLY),
        case(type=ReturnType.CANCEL_UNSHIPPED), case(type=ReturnType.WARRANTY_REPLACEMENT),
    ]  # fmt: skip
    await plant_returns(pool, [size, size, case(), *other])
    assert await counted() == BuyerHistory(size_exchange_90d=2, returns_90d=1)


async def test_ninety_days_before_payment_count_and_nothing_after_it(counted: Counted, pool: Pool) -> None:
    ninety = timedelta(days=90)
    second = timedelta(seconds=1)
    await plant_returns(pool, [case(), case(NOW + second), case(NOW - ninety + second), case(NOW - ninety)])
    assert (await counted()).returns_90d == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE return_cases SET fault = 'seller'", "UPDATE return_cases SET status = 'REJECTED'",
        "UPDATE return_cases SET status = 'CANCELLED_BY_BUYER'", "UPDATE return_cases SET status = 'CLOSED_NOT_SENT'",
        "UPDATE orders SET buyer_id = 'b-2' WHERE order_no = 'SO-BEFORE'",
    ],
)  # fmt: skip
async def test_what_says_nothing_about_the_buyer_does_not_count(counted: Counted, pool: Pool, change: str) -> None:
    await plant_returns(pool, [case()])
    assert (await counted()).returns_90d == 1
    await pool.execute(change)
    assert (await counted()).returns_90d == 0


async def test_the_settlement_tells_it_to_the_order_without_the_orders_own_cases(
    counted: Counted, orders: OrderStore, pool: Pool
) -> None:
    await plant_returns(pool, [case(), PlantedReturn("SO20261120", NOW)])
    settled = await a_settled_order(orders, "SO20261120")
    assert settled.history == BuyerHistory(returns_90d=1)
