"""Orders as people find and see them."""

from datetime import timedelta

import pytest

from domain.records import ChildState
from domain.states import ChildStatus, OrderStatus
from store.orders.orders import OrderStore
from store.orders.pages import OrderFilter
from store.pool import Pool
from tests.store.examples import NOW, PAYABLE, a_refund, a_settled_order, a_write, an_order


@pytest.fixture
async def seven(orders: OrderStore) -> None:
    for n in range(7):
        placed = NOW + timedelta(minutes=n // 2)
        await orders.register(an_order(f"SO-PAGE-{n}", placed_at=placed), "run-1", NOW)
    await orders.write(a_write("SO-PAGE-3", needs_attention=True, status=OrderStatus.CLOSED, ended=True))


async def test_pages_hold_every_order_once_newest_first(orders: OrderStore, seven: None) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = await orders.list(limit=3, cursor=cursor)
        seen += [o.order_no for o in page.orders]
        if page.next is None:
            break
        cursor = page.next
    assert seen == [f"SO-PAGE-{n}" for n in (6, 5, 4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (OrderFilter(status="CLOSED"), ["SO-PAGE-3"]),
        (OrderFilter(needs_attention=True), ["SO-PAGE-3"]),
        (OrderFilter(ended=False, placed_from=NOW + timedelta(minutes=2)), ["SO-PAGE-6", "SO-PAGE-5", "SO-PAGE-4"]),
        (OrderFilter(number="C-SO-PAGE-1"), ["SO-PAGE-1"]),
        (OrderFilter(channel="elsewhere"), []),
        (OrderFilter(buyer_id="b-1", placed_before=NOW + timedelta(minutes=1)), ["SO-PAGE-1", "SO-PAGE-0"]),
    ],
)
async def test_filters_narrow_the_list(
    orders: OrderStore, seven: None, filters: OrderFilter, expected: list[str]
) -> None:
    assert [o.order_no for o in (await orders.list(filters)).orders] == expected


async def test_a_cursor_that_we_did_not_make_is_refused(orders: OrderStore) -> None:
    with pytest.raises(ValueError, match="first page"):
        await orders.list(cursor="bm90IGEgY3Vyc29y")


async def test_the_family_is_found_by_order_child_and_waybill(orders: OrderStore) -> None:
    await a_settled_order(orders)
    child = ChildState(child_no="SO20261120-02", status=ChildStatus.PACKED, waybill_no="W1", carrier="SF")
    await orders.write(a_write(seq=2, children=(child,), refunds=(a_refund("R-1", 500, L2=1),)))
    views = [await orders.view(number) for number in ("SO20261120", "SO20261120-01", "W1")]
    assert views[0] == views[1] == views[2]
    found = views[0]
    assert found is not None
    assert found.order.paid_minor == PAYABLE
    assert [c["lines"] for c in found.children] == [{"L1": 3}, {"L2": 2}]
    assert [c["status"] for c in found.children] == ["BACKORDER", "PACKED"]
    assert found.refunds[0]["units"] == {"L2": 1}
    assert found.address["city"] == "杭州市"
    assert await orders.view("SO-NONE") is None


PLANS = [
    ("SELECT id FROM inbox WHERE state = 'received' AND next_try_at <= now() ORDER BY id LIMIT 10", "inbox_to_deliver"),
    ("SELECT order_no FROM orders ORDER BY placed_at DESC, order_no DESC LIMIT 10", "orders_newest"),
    ("SELECT status FROM orders WHERE status = 'CLOSED' ORDER BY placed_at DESC, order_no DESC LIMIT 10", "by_status"),
    ("SELECT seq FROM orders WHERE needs_attention ORDER BY placed_at DESC, order_no DESC LIMIT 9", "attention"),
    ("SELECT child_no FROM parcels WHERE waybill_no = 'W1'", "parcels_once_a_child"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "index"), PLANS)
async def test_the_queries_of_every_second_find_their_index(pool: Pool, query: str, index: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        # Empty tables are scanned whole unless that is forbidden; what counts is that the index fits without sorting.
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}"))
    assert index in plan and "Sort" not in plan, plan
