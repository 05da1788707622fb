"""Differences are noted once, heal in sight, and are a ticket when they do not; the measures count as promised."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.fulfilment.readdressing import NewAddress
from domain.policy import Policy
from domain.polling.reconciling import Drift
from domain.records import ChildState, Package, SettlePayment
from domain.states import ChildStatus, Outcome
from store.orders.orders import OrderStore
from store.polling.measures import MeasureStore
from store.polling.reconciling import ReconcileStore
from store.pool import Pool
from store.stock.ledger import StockStore
from store.tickets.tickets import TicketStore
from tests.store.examples import ADDRESS, NOW, a_payment, a_settled_order, a_write, an_event, an_order

NO, DAY = "SO20261120", date(2026, 11, 20)
MISSING = Drift(NO, "payment", NO, "wechat:pay:TX-9", "CREATED")


@pytest.fixture
def reconcile(pool: Pool) -> ReconcileStore:
    return ReconcileStore(pool)


async def test_orders_changed_since_come_page_by_page(orders: OrderStore, reconcile: ReconcileStore) -> None:
    for n in range(5):
        await orders.register(an_order(f"SO-{n:04}"), "run-1", NOW + timedelta(minutes=n))
    since = NOW + timedelta(minutes=1)
    assert await reconcile.changed(since, "", 2) == ["SO-0001", "SO-0002"]
    assert await reconcile.changed(since, "SO-0002", 9) == ["SO-0003", "SO-0004"]


async def test_what_the_tables_say_and_whom_to_ask(orders: OrderStore, reconcile: ReconcileStore, pool: Pool) -> None:
    for sku, warehouse in (("A", "WH-1"), ("B", "WH-2")):
        await StockStore(pool).receive(sku, warehouse, 9, "GR-1")
    await a_settled_order(orders)
    on_its_way = ChildState(child_no=f"{NO}-01", status=ChildStatus.SHIPPED, waybill_no="YT0000001", carrier="YTO")
    stopped = ChildState(child_no=f"{NO}-02", status=ChildStatus.CANCELLED)
    await orders.write(a_write(seq=2, children=(on_its_way, stopped), events=(an_event("wechat:pay:TX-1"),)))
    (order,) = await reconcile.standing([NO])
    assert order.channel == "wechat"
    assert [(s.kind, s.number) for s in order.subjects] == [
        ("payment", NO),
        ("outbound", f"{NO}-01"),
        ("parcel", "YT0000001"),
    ]
    assert order.books.known == {"wechat:pay:TX-1"} and order.books.payments == {f"wechat:pay:TX-{NO}": 10_200}
    assert order.books.children[f"{NO}-02"] is ChildStatus.CANCELLED


async def test_a_courier_is_asked_with_the_phone_that_its_parcel_was_shipped_with(
    orders: OrderStore, reconcile: ReconcileStore, pool: Pool
) -> None:
    for sku, warehouse in (("A", "WH-1"), ("B", "WH-2")):
        await StockStore(pool).receive(sku, warehouse, 9, "GR-1")
    await a_settled_order(orders)
    await orders.write(a_write(seq=2, children=tuple(_on_the_road(n) for n in (1, 2))))
    moved = ADDRESS.model_copy(update={"phone": "13900000000"})
    await orders.change_address(NewAddress(order_no=NO, address=moved, kept=(f"{NO}-01",)))
    (order,) = await reconcile.standing([NO])
    assert {s.number: s.phone for s in order.subjects if s.kind == "parcel"} == {
        "YT1": ADDRESS.phone,
        "YT2": moved.phone,
    }


def _on_the_road(n: int) -> ChildState:
    return ChildState(child_no=f"{NO}-{n:02}", status=ChildStatus.SHIPPED, waybill_no=f"YT{n}", carrier="YTO")


async def test_a_difference_is_noted_once_a_day_and_heals_in_sight(
    orders: OrderStore, reconcile: ReconcileStore, pool: Pool
) -> None:
    await orders.register(an_order(), "run-1", NOW)
    await reconcile.note(DAY, [MISSING], NOW)
    await reconcile.note(DAY, [MISSING], NOW)
    assert await reconcile.drifting("", 9) == [NO]
    books = [order.books for order in await reconcile.standing([NO])]
    assert await reconcile.settle(books, [MISSING], frozenset(), NOW) == (0, 1)
    (ticket,) = await TicketStore(pool).list()
    assert (ticket.order_no, ticket.step, ticket.severity) == (NO, "reconcile", "urgent")
    assert await reconcile.settle(books, [], {("payment", NO)}, NOW) == (0, 1), "nobody answered: it stays"
    assert await reconcile.settle(books, [], frozenset(), NOW) == (1, 0)
    assert await TicketStore(pool).list() == ()
    (resolved,) = await TicketStore(pool).list(state="resolved")
    assert resolved.action == "evidence"
    assert await reconcile.drifting("", 9) == []


async def test_a_difference_that_the_books_know_of_by_now_has_healed_even_when_nobody_was_asked_again(
    orders: OrderStore, reconcile: ReconcileStore
) -> None:
    await orders.register(an_order(), "run-1", NOW)
    await reconcile.note(DAY, [MISSING], NOW)
    await orders.write(a_write(events=(an_event(MISSING.expected),)))
    books = [order.books for order in await reconcile.standing([NO])]
    assert await reconcile.settle(books, [], {("payment", NO)}, NOW) == (1, 0)


@pytest.mark.parametrize(("late_s", "delayed"), [(299, 0), (300, 0), (301, 1)])
async def test_a_payment_known_after_exactly_the_threshold_is_in_step(
    orders: OrderStore, pool: Pool, late_s: int, delayed: int
) -> None:
    await orders.register(an_order(), "run-1", NOW)
    at = a_payment().paid_at + timedelta(seconds=late_s)
    paid = a_write(payment=a_payment(), at=at, events=(an_event(a_payment().key, occurred_at=a_payment().paid_at),))
    await orders.settle(SettlePayment(write=paid, policy=Policy()))
    report = await MeasureStore(pool).day(DAY)
    (delay,) = report.delays
    assert (delay.paid, delay.delayed, delay.delayed_ppm, delay.worst_s) == (1, delayed, delayed * 1_000_000, late_s)
    (seen,) = await pool.fetch("SELECT paid, delayed, worst_s FROM payment_delays")
    assert tuple(seen) == (1, delayed, late_s), "the view that says it of every day"
    (accuracy,) = report.accuracy
    assert (accuracy.source, accuracy.transitions, accuracy.in_step) == ("wechat", 1, 1 - delayed)


async def test_accuracy_counts_every_transition_once_and_what_is_still_missing(
    orders: OrderStore, reconcile: ReconcileStore, pool: Pool
) -> None:
    await orders.register(an_order(), "run-1", NOW)
    at = NOW + timedelta(minutes=1)
    events = [
        an_event("qimen:1", Outcome.HELD, source="qimen"),
        an_event("qimen:1", Outcome.APPLIED, source="qimen"),
        an_event("qimen:1", Outcome.DUPLICATE, source="qimen"),
        an_event("qimen:2", Outcome.STALE, source="qimen", occurred_at=at - timedelta(seconds=301)),
        an_event("stock:1", source="stock"),
    ]
    await orders.write(a_write(at=at, events=tuple(events)))
    await reconcile.note(DAY, [Drift(NO, "outbound", "x", "qimen:3", "PICKING"), Drift(NO, "view", NO, "a", "b")], NOW)
    (accuracy,) = (await MeasureStore(pool).day(DAY)).accuracy
    assert (accuracy.source, accuracy.transitions, accuracy.in_step, accuracy.accuracy_bp) == ("qimen", 3, 1, 3333)
    seen = await pool.fetch("SELECT source, transitions, in_step, accuracy_bp FROM sync_accuracy WHERE day = $1", DAY)
    assert [tuple(row) for row in seen] == [("qimen", 3, 1, 3333)], "the view that says it of every day"


async def test_days_are_those_of_shanghai(orders: OrderStore, pool: Pool) -> None:
    await orders.register(an_order(), "run-1", NOW)
    late_evening = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    await orders.write(
        a_write(at=late_evening, events=(an_event("qimen:1", source="qimen", occurred_at=late_evening),))
    )
    measures = MeasureStore(pool)
    assert (await measures.day(DAY)).accuracy == ()
    assert len((await measures.day(DAY + timedelta(days=1))).accuracy) == 1


async def test_a_day_is_done_when_it_says_so(reconcile: ReconcileStore, pool: Pool) -> None:
    assert (await MeasureStore(pool).day(DAY)).reconciled is None
    await reconcile.done(DAY, 3, 9, 1, NOW)
    await reconcile.done(DAY, 4, 9, 0, NOW)
    done = (await MeasureStore(pool).day(DAY)).reconciled
    assert done is not None and (done.looked_at, done.asked, done.unanswered) == (4, 9, 0)


async def test_every_package_of_a_child_is_asked_about(
    orders: OrderStore, reconcile: ReconcileStore, pool: Pool
) -> None:
    for sku, warehouse in (("A", "WH-1"), ("B", "WH-2")):
        await StockStore(pool).receive(sku, warehouse, 9, "GR-1")
    await a_settled_order(orders)
    packages = tuple(Package(waybill_no=f"YT{n}", carrier="YTO") for n in (1, 2, 3))
    several = ChildState(
        child_no=f"{NO}-01", status=ChildStatus.SHIPPED, waybill_no="YT1", carrier="YTO", packages=packages
    )
    await orders.write(a_write(seq=2, children=(several,)))
    (order,) = await reconcile.standing([NO])
    asked = [(s.number, s.carrier) for s in order.subjects if s.kind == "parcel"]
    assert asked == [("YT1", "YTO"), ("YT2", "YTO"), ("YT3", "YTO")]
