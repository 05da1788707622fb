"""Holds are kept with the order's writes: late ones change nothing, and an order that has ended holds nothing."""

from datetime import timedelta

import pytest

from domain.dispatch.holds import Hold, HoldEnd, HoldKind
from domain.insight.risk import RiskFeatures, RiskTable
from store.orders.orders import OrderFilter, OrderStore
from store.pool import Pool
from tests.store.examples import NOW, a_write, an_order

HOLD = Hold(
    hold_id="H-SO20261120-1", kind=HoldKind.ADDRESS, source="hand", reason="wrong street", placed_by="u-cs",
    placed_at=NOW,
)  # fmt: skip
OVER = HOLD.model_copy(
    update={"ended_at": NOW + timedelta(hours=1), "end": HoldEnd.RELEASED, "ended_by": "u-sup", "end_remark": "right"}
)


@pytest.fixture
async def order(orders: OrderStore) -> str:
    await orders.register(an_order(), "run-1", NOW)
    return "SO20261120"


async def kept(orders: OrderStore) -> list[tuple[str, str | None]]:
    detail = await orders.view("SO20261120")
    assert detail is not None
    return [(row.hold_id[-1], row.ending) for row in detail.holds]


async def test_a_hold_is_told_once_and_a_late_write_does_not_open_it_again(orders: OrderStore, order: str) -> None:
    await orders.write(a_write(seq=2, holds=(HOLD,)))
    assert await kept(orders) == [("1", None)]
    assert [o.order_no for o in (await orders.list(OrderFilter(held=True))).orders] == [order]
    await orders.write(a_write(seq=4, holds=(OVER,)))
    await orders.write(a_write(seq=3, holds=(HOLD,)))
    assert await kept(orders) == [("1", "released")]
    assert (await orders.list(OrderFilter(held=True))).orders == ()


async def test_an_order_that_has_ended_holds_nothing(orders: OrderStore, order: str) -> None:
    """Also what only a task that was done again has told, under a number that never came back."""
    ghost = HOLD.model_copy(update={"hold_id": "H-SO20261120-2"})
    await orders.write(a_write(seq=2, holds=(HOLD, ghost)))
    await orders.write(a_write(seq=3, holds=(OVER,), ended=True))
    assert sorted(await kept(orders)) == [("1", "released"), ("2", "nothing_left")]


async def test_words_about_a_hold_go_with_the_buyers_other_words(orders: OrderStore, pool: Pool, order: str) -> None:
    risk = RiskTable().score(RiskFeatures(returns_90d=2))
    await orders.write(a_write(seq=2, holds=(OVER.model_copy(update={"risk": risk}),)))
    detail = await orders.view("SO20261120")
    assert detail is not None and detail.holds[0].risk == risk
    await pool.execute("UPDATE orders SET erased_at = now()")
    row = await pool.fetchrow("SELECT reason, remark, end_remark, kind, risk FROM order_holds")
    assert row is not None and tuple(row) == ("[erased]", "", "", "address", None)
