"""Money leaves only as the books have reserved it: this number, order, amount, currency and channel."""

import pytest

from domain.states import RefundStatus
from store.orders.orders import OrderStore
from store.pool import Pool
from store.reserved_refunds import ReservedRefunds
from tests.store.examples import a_write
from tests.store.ownership.books import CANCELLED, FIRST, ORDER, paid, refund, write

__all__ = ["paid"]
RESERVED = a_write(seq=3, refunds=(refund("R-1", 6_120, FIRST, 3, RefundStatus.REQUESTED),))
RIGHT = ("R-1", ORDER, 6_120, "CNY", "wechat")


@pytest.fixture
async def reserved(orders: OrderStore, pool: Pool, paid: str) -> ReservedRefunds:
    await write(orders, CANCELLED, RESERVED)
    return ReservedRefunds(pool)


async def test_what_is_reserved_may_be_asked_for_any_number_of_times(reserved: ReservedRefunds) -> None:
    assert [await reserved.why_not(*RIGHT) for _ in range(2)] == ["", ""]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("R-2", ORDER, 6_120, "CNY", "wechat"), "R-2 is not in the books"),
        (("R-1", "SO-OTHER", 6_120, "CNY", "wechat"), f"order {ORDER}, not SO-OTHER"),
        (("R-1", ORDER, 19_580, "CNY", "wechat"), "amount 6120, not 19580"),
        (("R-1", ORDER, 6_120, "USD", "wechat"), "currency CNY, not USD"),
        (("R-1", ORDER, 6_120, "CNY", "alipay"), "paid by wechat, not alipay"),
    ],
)
async def test_anything_else_is_refused_and_named(
    reserved: ReservedRefunds, asked: tuple[str, str, int, str, str], why: str
) -> None:
    assert why in await reserved.why_not(*asked)


async def test_what_a_person_has_taken_over_is_not_asked_for(reserved: ReservedRefunds, orders: OrderStore) -> None:
    await write(orders, a_write(seq=4, refunds=(refund("R-1", 6_120, FIRST, 3, RefundStatus.CLOSED),)))
    assert "taken over by a person" in await reserved.why_not(*RIGHT)
