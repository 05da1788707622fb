"""A package may carry several children, and its number is used again after months: nothing of it is refused."""

from datetime import timedelta

import pytest

from domain.facts import Kind
from domain.records import ChildState, Package
from domain.states import ChildStatus
from store.inbox.inbox import InboxStore
from store.orders.orders import OrderStore
from store.polling.polling import PullStore, Scope
from store.polling.tracking import TrackingStore
from store.pool import Pool
from store.tickets.tickets import TicketRow, TicketStore
from tests.store.examples import NOW, a_fact, a_settled_order, a_write
from tests.store.inbox.test_intake import incoming

A, B = "SO20261120-01", "SO20261120-02"


def shipped(child_no: str, number: str = "W1", carrier: str = "SF") -> tuple[ChildState, ...]:
    return (ChildState(child_no=child_no, status=ChildStatus.SHIPPED, waybill_no=number, carrier=carrier),)


async def shared(pool: Pool) -> list[TicketRow]:
    return [t for t in await TicketStore(pool).list() if t.step == "shared package"]


async def told_to(inbox: InboxStore, *, days: float, carrier: str | None = "SF") -> list[str | None]:
    """The children that a scan of W1 is told to, so many days after the first order was paid."""
    scan = a_fact("scan", waybill_no="W1", carrier=carrier, kind=Kind.SIGNED, occurred_at=NOW + timedelta(days=days))
    return [t.child_no for t in (await inbox.orders_of([scan])).get("scan", ())]


@pytest.fixture
async def two_orders(orders: OrderStore) -> None:
    await a_settled_order(orders)
    await a_settled_order(orders, "SO20261199")


async def test_one_number_for_two_children_is_one_package_and_a_person_is_told_once(
    orders: OrderStore, inbox: InboxStore, pool: Pool, two_orders: None
) -> None:
    await orders.write(a_write(seq=2, children=shipped(A)))
    assert await shared(pool) == []
    await orders.write(a_write(seq=3, children=shipped(A) + shipped(B)))
    await orders.write(a_write("SO20261199", seq=2, children=shipped("SO20261199-01")))
    await orders.write(a_write("SO20261199", seq=3, children=shipped("SO20261199-01")))
    (ticket,) = await shared(pool)
    assert (ticket.severity, ticket.outside, ticket.child_no) == ("info", True, B)
    assert A in ticket.error and B in ticket.error
    assert await told_to(inbox, days=1) == [A, B, "SO20261199-01"]


async def test_the_same_number_of_another_carrier_is_another_package(
    orders: OrderStore, inbox: InboxStore, pool: Pool, two_orders: None
) -> None:
    await orders.write(a_write(seq=2, children=shipped(A)))
    await orders.write(a_write("SO20261199", seq=2, children=shipped("SO20261199-01", carrier="YTO")))
    assert await shared(pool) == []
    assert [await told_to(inbox, days=1, carrier=c) for c in ("SF", "YTO")] == [[A], ["SO20261199-01"]]
    assert len(await told_to(inbox, days=1, carrier=None)) == 1


async def test_a_number_used_again_after_months_is_of_the_order_paid_before_the_scan(
    orders: OrderStore, inbox: InboxStore, pool: Pool
) -> None:
    await a_settled_order(orders)
    await orders.write(a_write(seq=2, children=shipped(A)))
    await a_settled_order(orders, "SO20261199")
    later = NOW + timedelta(days=200)
    await pool.execute("UPDATE orders SET paid_at = $1 WHERE order_no = 'SO20261199'", later)
    await orders.write(a_write("SO20261199", seq=2, children=shipped("SO20261199-01")).model_copy(update={"at": later}))
    assert await shared(pool) == []
    assert await told_to(inbox, days=3) == [A]
    assert await told_to(inbox, days=201) == ["SO20261199-01"]
    assert await told_to(inbox, days=-300) == ["SO20261199-01"], "stale, by its time; not unknown"


async def test_every_package_of_a_child_finds_it_and_is_followed_and_asked_about(
    orders: OrderStore, inbox: InboxStore, pool: Pool
) -> None:
    await a_settled_order(orders)
    packages = tuple(Package(waybill_no=number, carrier="SF") for number in ("W1", "W2"))
    (child,) = shipped(A, "W2")
    await orders.write(a_write(seq=2, children=(child,)))
    for seq in (3, 4):
        await orders.write(a_write(seq=seq, children=(child.model_copy(update={"packages": packages}),)))
    assert await told_to(inbox, days=1) == [A] and await shared(pool) == []
    tracking = TrackingStore(pool)
    assert sorted(w.waybill_no for w in await tracking.to_subscribe(10)) == ["W1", "W2"]
    await tracking.subscribed([A], "W1")
    assert [w.waybill_no for w in await tracking.to_subscribe(10)] == ["W2"]
    courier, later = Scope("kuaidi100", "parcels"), NOW + timedelta(days=2)
    asked = await PullStore(pool).claim(courier, 10, timedelta(hours=1), later)
    assert sorted(subject.number for subject in asked) == ["W1", "W2"]


async def test_a_cancelled_child_is_in_no_package(orders: OrderStore, pool: Pool, two_orders: None) -> None:
    cancelled = shipped(A)[0].model_copy(update={"status": ChildStatus.CANCELLED})
    await orders.write(a_write(seq=2, children=(cancelled,)))
    await orders.write(a_write("SO20261199", seq=2, children=shipped("SO20261199-01")))
    assert await shared(pool) == []


async def test_a_parked_scan_of_a_shared_package_is_not_tried_again_while_one_of_its_orders_has_ended(
    orders: OrderStore, inbox: InboxStore, pool: Pool, two_orders: None
) -> None:
    await orders.write(a_write(seq=2, children=shipped(A), ended=True))
    await orders.write(a_write("SO20261199", seq=2, children=shipped("SO20261199-01")))
    scan = a_fact("scan", waybill_no="W1", carrier="SF", kind=Kind.SIGNED, occurred_at=NOW + timedelta(days=1))
    await inbox.add_many([incoming("e-1", facts=(scan,))])
    row: int = await pool.fetchval("SELECT max(id) FROM inbox")
    await inbox.park([row], "after close")
    assert await inbox.unpark_ready(10) == 0
    await pool.execute("UPDATE orders SET ended_at = NULL")
    assert await inbox.unpark_ready(10) == 1
