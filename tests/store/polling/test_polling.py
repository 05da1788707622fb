"""Who is asked about next: everybody in turn, nobody too often, and only what the asked system can still change."""

from datetime import timedelta

import pytest

from domain.records import ChildState
from domain.states import ChildStatus, OrderStatus, PaymentStatus, RefundStatus
from store.orders.orders import OrderStore
from store.polling.due import MOST_LOOKS
from store.polling.polling import PullStore, Scope, Tick
from store.pool import Pool
from store.stock.ledger import StockStore
from store.tickets.tickets import TicketStore
from tests.store.examples import NOW, a_refund, a_settled_order, a_write, an_event, an_order

WECHAT, QIMEN, KUAIDI100 = Scope("wechat", "money"), Scope("qimen", "outbounds"), Scope("kuaidi100", "parcels")
SPACING = timedelta(seconds=25)
TICK = timedelta(seconds=30)
HALF_HOUR = timedelta(minutes=30)
NO = "SO20261120"


@pytest.fixture
def pulls(pool: Pool) -> PullStore:
    return PullStore(pool)


async def unpaid(orders: OrderStore, *numbers: str) -> None:
    for n, number in enumerate(numbers):
        await orders.register(an_order(number), "run-1", NOW - timedelta(minutes=1) + timedelta(seconds=n))


async def shipped(orders: OrderStore, pool: Pool, status: ChildStatus = ChildStatus.SHIPPED) -> None:
    for sku, warehouse in (("A", "WH-1"), ("B", "WH-2")):
        await StockStore(pool).receive(sku, warehouse, 9, "GR-1")
    await a_settled_order(orders)
    left = ChildState(child_no=f"{NO}-01", status=status, waybill_no="YT0000001", carrier="YTO", shipped_at=NOW)
    await orders.write(a_write(seq=2, children=(left, ChildState(child_no=f"{NO}-02", status=ChildStatus.PICKING))))


async def test_everybody_has_a_turn_and_who_waited_longest_comes_first(orders: OrderStore, pulls: PullStore) -> None:
    numbers = [f"SO-{n:04}" for n in range(5)]
    await unpaid(orders, *numbers)
    turns = []
    for n in range(5):
        turns.append([s.number for s in await pulls.claim(WECHAT, 2, SPACING, NOW + n * TICK)])
    assert turns == [
        ["SO-0000", "SO-0001"],
        ["SO-0002", "SO-0003"],
        ["SO-0004", "SO-0000"],
        ["SO-0001", "SO-0002"],
        ["SO-0003", "SO-0000"],
    ]


async def test_a_new_order_does_not_jump_the_queue(orders: OrderStore, pulls: PullStore) -> None:
    await unpaid(orders, "SO-0001")
    await pulls.claim(WECHAT, 9, SPACING, NOW)
    await orders.register(an_order("SO-0002"), "run-1", NOW + timedelta(minutes=9))
    assert [s.number for s in await pulls.claim(WECHAT, 1, SPACING, NOW + timedelta(minutes=10))] == ["SO-0001"]


async def test_nobody_is_asked_again_within_the_spacing(orders: OrderStore, pulls: PullStore) -> None:
    await unpaid(orders, NO)
    assert [s.kind for s in await pulls.claim(WECHAT, 9, SPACING, NOW)] == ["payment"]
    assert await pulls.claim(WECHAT, 9, SPACING, NOW + timedelta(seconds=24)) == ()
    assert len(await pulls.claim(WECHAT, 9, SPACING, NOW + SPACING)) == 1


async def test_a_channel_is_asked_about_its_own_orders_only(orders: OrderStore, pulls: PullStore) -> None:
    await unpaid(orders, NO)
    assert await pulls.claim(Scope("alipay", "money"), 9, SPACING, NOW) == ()


async def test_who_was_not_asked_after_all_keeps_the_place(orders: OrderStore, pulls: PullStore) -> None:
    await unpaid(orders, "SO-0001", "SO-0002")
    first = await pulls.claim(WECHAT, 1, SPACING, NOW)
    await pulls.give_back("wechat", first)
    again = await pulls.claim(WECHAT, 1, SPACING, NOW + TICK)
    assert [s.number for s in again] == [s.number for s in first] == ["SO-0001"]
    await pulls.claim(WECHAT, 1, SPACING, NOW + TICK)
    third = await pulls.claim(WECHAT, 2, SPACING, NOW + 3 * TICK)
    await pulls.give_back("wechat", third[:1])
    assert [s.number for s in await pulls.claim(WECHAT, 2, SPACING, NOW + 4 * TICK)] == [third[0].number, "SO-0002"]


async def test_a_paid_order_is_not_asked_about_and_a_closed_one_seldom(orders: OrderStore, pulls: PullStore) -> None:
    await a_settled_order(orders, "SO-PAID01")
    await unpaid(orders, NO)
    closed = {"status": OrderStatus.CLOSED, "payment_status": PaymentStatus.CLOSED}
    await orders.write(a_write(seq=1, **closed))
    assert [s.number for s in await pulls.claim(WECHAT, 9, SPACING, NOW)] == [NO]
    assert await pulls.claim(WECHAT, 9, SPACING, NOW + 19 * SPACING) == ()
    assert len(await pulls.claim(WECHAT, 9, SPACING, NOW + 20 * SPACING)) == 1
    await orders.write(a_write(seq=2, ended=True, **closed))
    assert await pulls.claim(WECHAT, 9, SPACING, NOW + timedelta(days=1)) == ()


async def test_accepted_refunds_are_asked_about(orders: OrderStore, pulls: PullStore) -> None:
    await a_settled_order(orders)
    await orders.write(a_write(seq=2, refunds=(a_refund("R-1"),)))
    later = NOW + timedelta(hours=1)
    assert await pulls.claim(WECHAT, 9, SPACING, later) == ()
    await orders.write(a_write(seq=3, refunds=(a_refund("R-1", status=RefundStatus.ACCEPTED),)))
    assert [(s.kind, s.number) for s in await pulls.claim(WECHAT, 9, SPACING, later)] == [("refund", "R-1")]


async def test_a_warehouse_is_asked_about_children_without_news(
    orders: OrderStore, pulls: PullStore, pool: Pool
) -> None:
    await shipped(orders, pool)
    written = NOW + timedelta(minutes=2)
    assert await pulls.claim(QIMEN, 9, SPACING, written + timedelta(seconds=24)) == ()
    due = await pulls.claim(QIMEN, 9, SPACING, written + SPACING)
    # -01 has left by a courier's word; what was in it only the warehouse knows.
    assert [(s.number, s.warehouse) for s in due] == [(f"{NO}-01", "WH-1"), (f"{NO}-02", "WH-2")]
    assert [s.number for s in await pulls.claim(QIMEN, 9, SPACING, written + 3 * SPACING)] == [f"{NO}-02"]
    told = an_event(f"qimen:{NO}-01:WAYBILL_RETURNED", source="qimen", child_no=f"{NO}-01")
    await orders.write(a_write(seq=3, events=(told,)))
    assert f"{NO}-01" not in [s.number for s in await pulls.claim(QIMEN, 9, SPACING, NOW + timedelta(days=1))]


async def test_a_courier_is_asked_about_a_parcel_once_in_half_an_hour(
    orders: OrderStore, pulls: PullStore, pool: Pool
) -> None:
    await shipped(orders, pool)
    first = NOW + timedelta(hours=1)
    (parcel,) = await pulls.claim(KUAIDI100, 9, HALF_HOUR, first)
    assert (parcel.number, parcel.carrier, parcel.phone) == ("YT0000001", "YTO", "13800138000")
    almost = first + HALF_HOUR - timedelta(seconds=1)
    assert await pulls.claim(KUAIDI100, 9, HALF_HOUR, almost) == ()
    assert await pulls.may_ask("kuaidi100", "parcel", "YT0000001", HALF_HOUR, almost) == first
    assert await pulls.may_ask("kuaidi100", "parcel", "YT0000001", HALF_HOUR, first + HALF_HOUR) is None
    assert await pulls.claim(KUAIDI100, 9, HALF_HOUR, first + 1.5 * HALF_HOUR) == (), "a person's question counts"


async def test_couriers_share_the_parcels_by_carrier(orders: OrderStore, pulls: PullStore, pool: Pool) -> None:
    await shipped(orders, pool)
    at = NOW + timedelta(hours=1)
    assert await pulls.claim(Scope("sf", "parcels", carriers=("SF",)), 9, HALF_HOUR, at) == ()
    assert await pulls.claim(Scope("other", "parcels", without=("YTO",)), 9, HALF_HOUR, at) == ()
    assert len(await pulls.claim(Scope("yto", "parcels", carriers=("YTO",)), 9, HALF_HOUR, at)) == 1


@pytest.mark.parametrize("status", [ChildStatus.SIGNED, ChildStatus.CANCELLED])
async def test_nothing_is_asked_about_what_cannot_change(
    orders: OrderStore, pulls: PullStore, pool: Pool, status: ChildStatus
) -> None:
    await shipped(orders, pool, status)
    later = NOW + timedelta(hours=1)
    asked = [*await pulls.claim(QIMEN, 9, SPACING, later), *await pulls.claim(KUAIDI100, 9, SPACING, later)]
    assert [s.child_no for s in asked] == [f"{NO}-02"]


async def test_an_outage_is_told_once_and_its_ticket_closes_by_itself(pulls: PullStore, pool: Pool) -> None:
    tickets = TicketStore(pool)

    async def tick(error: str = "") -> int:
        return await pulls.note("wechat", Tick(asked=3, found=0, error=error), NOW, 2)

    assert [await tick("no"), len(await tickets.list()), await tick("no"), await tick("no")] == [1, 0, 2, 3]
    (ticket,) = await tickets.list()
    assert (ticket.ticket_id, ticket.step, ticket.outside) == ("T-pull-wechat-1", "pull", True)
    assert await tick() == 0 and await tickets.list() == ()
    await tick("no")
    await tick("no again")
    assert [t.ticket_id for t in await tickets.list()] == ["T-pull-wechat-2"]


async def test_places_of_those_nobody_asks_about_any_more_are_forgotten(
    orders: OrderStore, pulls: PullStore, pool: Pool
) -> None:
    await unpaid(orders, NO)
    await pulls.claim(WECHAT, 9, SPACING, NOW)
    await pulls.prune(NOW)
    assert await pool.fetchval("SELECT count(*) FROM pulls") == 1
    await pulls.prune(NOW + TICK)
    assert await pool.fetchval("SELECT count(*) FROM pulls") == 0


async def test_a_package_that_carries_two_children_is_asked_about_once_and_for_as_long_as_one_of_them_is_on_the_road(
    orders: OrderStore, pulls: PullStore, pool: Pool
) -> None:
    async def children(seq: int, first: ChildStatus) -> None:
        states = ((f"{NO}-01", first), (f"{NO}-02", ChildStatus.SHIPPED))
        both = tuple(ChildState(child_no=n, status=s, waybill_no="YT0000001", carrier="YTO") for n, s in states)
        await orders.write(a_write(seq=seq, children=both))

    await shipped(orders, pool)
    await children(3, ChildStatus.SHIPPED)
    at = NOW + timedelta(hours=1)
    assert [s.number for s in await pulls.claim(KUAIDI100, 9, HALF_HOUR, at)] == ["YT0000001"]
    assert await pulls.claim(KUAIDI100, 9, HALF_HOUR, at + HALF_HOUR / 2) == ()
    await children(4, ChildStatus.SIGNED)
    later = at + timedelta(hours=2)
    assert [s.child_no for s in await pulls.claim(KUAIDI100, 9, HALF_HOUR, later)] == [f"{NO}-02"]


async def test_a_tick_looks_at_no_more_rows_than_it_can_bear_however_many_are_due(pulls: PullStore, pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO pull_queue (kind, scope, number, order_no, child_no, due_at) "
        "SELECT 'parcel', 'C' || n % 7, 'W' || n, 'O' || n, 'O' || n || '-01', $1::timestamptz - n * interval '1 s' "
        "FROM generate_series(1, 3000) n",
        NOW,
    )
    assert await pulls.claim(KUAIDI100, 10, HALF_HOUR, NOW) == ()
    left = await pool.fetchval("SELECT count(*) FROM pull_queue")
    assert left == 3000 - MOST_LOOKS * 20, "those that have no child any more are over, twenty rows at a time"


async def test_two_carriers_parcels_of_one_number_are_both_asked_about(
    orders: OrderStore, pulls: PullStore, pool: Pool
) -> None:
    await shipped(orders, pool)
    number, others = "YT0000001", ChildStatus.SHIPPED
    second = ChildState(child_no=f"{NO}-02", status=others, waybill_no=number, carrier="ZTO", shipped_at=NOW)
    await orders.write(a_write(seq=3, children=(second,)))
    asked = await pulls.claim(KUAIDI100, 9, HALF_HOUR, NOW + timedelta(hours=1))
    assert sorted((s.number, s.carrier) for s in asked) == [(number, "YTO"), (number, "ZTO")]
    await pulls.give_back("kuaidi100", asked)
    assert len(await pulls.claim(KUAIDI100, 9, HALF_HOUR, NOW + timedelta(hours=1))) == 2


async def test_a_package_of_two_children_far_apart_in_the_queue_is_asked_about_once(
    orders: OrderStore, pulls: PullStore, pool: Pool
) -> None:
    await shipped(orders, pool)
    second = ChildState(child_no=f"{NO}-02", status=ChildStatus.SHIPPED, waybill_no="YT0000001", carrier="YTO")
    await orders.write(a_write(seq=3, children=(second,)))
    at = NOW + timedelta(hours=1)
    await pool.execute(
        "INSERT INTO pull_queue (kind, scope, number, order_no, child_no, due_at) "
        "SELECT 'parcel', 'YTO', 'GONE' || n, 'O', 'O-01', $1::timestamptz FROM generate_series(1, 20) n",
        NOW + timedelta(minutes=30),
    )
    await pool.execute("UPDATE pull_queue SET due_at = $1 WHERE child_no = $2", at, f"{NO}-02")
    assert [s.number for s in await pulls.claim(KUAIDI100, 5, HALF_HOUR, at)] == ["YT0000001"]


async def test_a_child_that_is_being_stopped_is_asked_about_soon_though_it_was_asked_about_seldom_before(
    orders: OrderStore, pulls: PullStore, pool: Pool
) -> None:
    await shipped(orders, pool)
    at = NOW + timedelta(hours=1)
    assert f"{NO}-01" in [s.number for s in await pulls.claim(QIMEN, 9, SPACING, at)]
    stopping = ChildState(child_no=f"{NO}-01", status=ChildStatus.INTERCEPTING, waybill_no="YT0000001", carrier="YTO")
    await orders.write(a_write(seq=3, children=(stopping,)))
    assert f"{NO}-01" in [s.number for s in await pulls.claim(QIMEN, 9, SPACING, at + SPACING)]
