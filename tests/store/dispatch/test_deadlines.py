"""Until when an order was promised to leave, who is warned, what is late and why, and the share on time (R82)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.dispatch.holds import Hold, HoldKind
from domain.policy import Policy
from domain.records import ChildState, SettlePayment
from domain.states import ChildStatus
from store.dispatch.deadlines import DispatchShare, DispatchStore
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.ledger import StockStore
from store.tickets.tickets import TicketStore
from tests.store.examples import NOW, a_payment, a_write, an_order

PAID = NOW + timedelta(minutes=1)
HOUR = timedelta(hours=1)
NUMBER = "SO20261120"
FIRST, SECOND = f"{NUMBER}-01", f"{NUMBER}-02"


@pytest.fixture
async def stocked(stock: StockStore) -> None:
    await stock.receive("A", "WH-1", 100, "GR-1")
    await stock.receive("B", "WH-2", 100, "GR-2")


async def settled(orders: OrderStore, policy: Policy | None = None, **changes: Any) -> datetime:
    """Until when it was promised."""
    await orders.register(an_order(**changes), "run-1", NOW)
    await orders.settle(SettlePayment(write=a_write(payment=a_payment()), policy=policy or Policy()))
    detail = await orders.view(NUMBER)
    assert detail is not None and detail.order.dispatch_by is not None
    return detail.order.dispatch_by


async def leaves(orders: OrderStore, seq: int, at: datetime, *children: str) -> None:
    states = tuple(ChildState(child_no=c, status=ChildStatus.SHIPPED, shipped_at=at) for c in children)
    await orders.write(a_write(seq=seq, children=states))


async def test_the_channels_promise_counts_before_the_policys(orders: OrderStore, stocked: None) -> None:
    assert await settled(orders, dispatch_by=NOW + 5 * HOUR) == NOW + 5 * HOUR


async def test_without_one_the_policys_time_counts_from_payment(orders: OrderStore, stocked: None) -> None:
    assert await settled(orders, Policy(dispatch_s=12 * 3600)) == PAID + 12 * HOUR


async def test_a_channel_has_a_time_of_its_own_and_an_order_that_brings_one_keeps_it(
    orders: OrderStore, stocked: None
) -> None:
    policy = Policy(dispatch_s=12 * 3600, dispatch_by_channel={"shop": 24 * 3600, "another": 3_600})
    assert await settled(orders, policy, channel="shop") == PAID + 24 * HOUR


async def test_what_an_order_brings_counts_before_its_channels_time(orders: OrderStore, stocked: None) -> None:
    policy = Policy(dispatch_by_channel={"shop": 24 * 3600})
    assert await settled(orders, policy, channel="shop", dispatch_by=NOW + 5 * HOUR) == NOW + 5 * HOUR


async def test_a_settlement_told_again_does_not_move_the_promise(orders: OrderStore, stocked: None) -> None:
    promised = await settled(orders)
    again = SettlePayment(write=a_write(payment=a_payment()), policy=Policy(dispatch_s=3_600))
    await orders.settle(again)
    detail = await orders.view(NUMBER)
    assert detail is not None and detail.order.dispatch_by == promised


async def test_a_warning_comes_once_before_and_goes_when_all_has_left(
    orders: OrderStore, pool: Pool, stocked: None
) -> None:
    due, store = await settled(orders), DispatchStore(pool)
    assert await store.warn(due - 7 * HOUR, 6 * HOUR) == (0, 0)
    assert await store.warn(due - 5 * HOUR, 6 * HOUR) == (1, 0)
    (ticket,) = await TicketStore(pool).list()
    assert (ticket.step, ticket.order_no) == ("dispatch due", NUMBER) and "kept by: warehouse" in ticket.error
    await leaves(orders, 2, due, FIRST)
    assert await store.warn(due, 6 * HOUR) == (0, 0), "half of it"
    await leaves(orders, 3, due, SECOND)
    assert await store.warn(due, 6 * HOUR) == (0, 1)
    assert await store.warn(due + HOUR, 6 * HOUR) == (0, 0)


async def test_what_is_late_says_what_keeps_it(orders: OrderStore, pool: Pool, stocked: None) -> None:
    await settled(orders)
    store = DispatchStore(pool)
    assert await store.why_waiting([NUMBER]) == {NUMBER: "warehouse"}
    hold = Hold(
        hold_id=f"H-{NUMBER}-1", kind=HoldKind.RISK, source="hand", reason="look", placed_by="u-cs", placed_at=NOW
    )
    await orders.write(a_write(seq=2, holds=(hold,)))
    assert await store.why_waiting([NUMBER]) == {NUMBER: "hold"}
    await leaves(orders, 3, NOW + HOUR, FIRST, SECOND)
    assert await store.why_waiting([NUMBER]) == {}


async def test_an_order_waits_for_stock_when_a_parcel_does(orders: OrderStore, pool: Pool, stock: StockStore) -> None:
    await stock.receive("A", "WH-1", 100, "GR-1")
    await settled(orders)
    assert await DispatchStore(pool).why_waiting([NUMBER]) == {NUMBER: "stock"}


@pytest.mark.parametrize(("left_after", "share"), [(0, (1, 0)), (1, (0, 1))])
async def test_on_time_is_when_the_last_parcel_left_by_then(
    orders: OrderStore, pool: Pool, stocked: None, left_after: int, share: tuple[int, int]
) -> None:
    due = await settled(orders)
    await leaves(orders, 2, due - HOUR, FIRST)
    await leaves(orders, 3, due + left_after * timedelta(seconds=1), SECOND)
    found = await DispatchStore(pool).share(due, due + HOUR)
    assert (found.on_time, found.late, found.undecided) == (*share, 0)


async def test_what_may_still_leave_in_time_counts_in_neither(orders: OrderStore, pool: Pool, stocked: None) -> None:
    far = datetime.now(NOW.tzinfo) + timedelta(days=2)
    due = await settled(orders, dispatch_by=far)
    assert await DispatchStore(pool).share(due, due + HOUR) == DispatchShare(0, 0, 1)


async def test_cancelled_parcels_are_not_waited_for(orders: OrderStore, pool: Pool, stocked: None) -> None:
    due = await settled(orders)
    await orders.write(a_write(seq=2, children=(ChildState(child_no=SECOND, status=ChildStatus.CANCELLED),)))
    await leaves(orders, 3, due, FIRST)
    found = await DispatchStore(pool).share(due, due + HOUR)
    assert (found.on_time, found.undecided) == (1, 0)
