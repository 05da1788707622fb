"""Tickets, stock, catalogue, policies, traces and waybills to follow."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from domain.catalog.records import Size, SkuRecord
from domain.policy import Policy
from domain.records import ChildState, StockMove, TicketRecord, TicketResolution
from domain.states import ChildStatus
from store.audit.audit import AuditStore
from store.errors import NoSuchTicket, ReceiptChanged
from store.inbox.courier_scans import StoredScan, TraceStore
from store.orders.orders import OrderStore
from store.polling.tracking import TrackingStore
from store.pool import Pool
from store.rules.policies import PolicyStore
from store.stock.catalog import CatalogStore, Put
from store.stock.ledger import StockStore
from store.tickets.tickets import TicketStore
from tests.store.examples import NOW, a_settled_order, a_write, an_order

PARKED = TicketRecord(ticket_id="T-inbox-7", system="relay", step="find order", error="no such order")
ANSWER = TicketResolution(ticket_id="T-inbox-7", action="give_up", remark="a test call", resolved_by="ops")


async def test_a_relay_ticket_is_opened_once_and_answered_once(pool: Pool) -> None:
    tickets = TicketStore(pool)
    assert await tickets.open_outside(PARKED, None, NOW)
    assert not await tickets.open_outside(PARKED, None, NOW)
    await tickets.resolve_outside(ANSWER, NOW)
    await tickets.resolve_outside(ANSWER, NOW)  # told again in the same words: it is that answer
    with pytest.raises(NoSuchTicket):
        await tickets.resolve_outside(ANSWER.model_copy(update={"remark": "other words"}), NOW)
    assert not await tickets.open_outside(PARKED, None, NOW), "a resolved one is not opened anew"


async def test_an_orders_ticket_is_not_answered_past_its_workflow(orders: OrderStore, pool: Pool) -> None:
    await orders.register(an_order(), "run-1", NOW)
    await orders.write(a_write(tickets=(PARKED,)))
    with pytest.raises(NoSuchTicket):
        await TicketStore(pool).resolve_outside(ANSWER, NOW)


async def test_tickets_are_listed_newest_first_page_by_page(pool: Pool) -> None:
    tickets = TicketStore(pool)
    for n in range(5):
        ticket = PARKED.model_copy(update={"ticket_id": f"T-{n}", "severity": "urgent" if n == 2 else "normal"})
        await tickets.open_outside(ticket, None, NOW + timedelta(minutes=n))
    first = await tickets.list(limit=2)
    rest = await tickets.list(limit=9, after=first[-1].ticket_id)
    assert [t.ticket_id for t in (*first, *rest)] == ["T-4", "T-3", "T-2", "T-1", "T-0"]
    assert [t.ticket_id for t in await tickets.list(severity="urgent")] == ["T-2"]


async def test_a_ticket_is_never_half_resolved(pool: Pool) -> None:
    await TicketStore(pool).open_outside(PARKED, None, NOW)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("UPDATE tickets SET state = 'resolved', resolved_at = now()")


async def test_a_goods_receipt_counts_once_and_keeps_its_quantity(stock: StockStore) -> None:
    answers = await asyncio.gather(*(stock.receive("A", "WH-1", 5, "GR-1") for _ in range(6)))
    assert answers.count(True) == 1
    with pytest.raises(ReceiptChanged):
        await stock.receive("A", "WH-1", 6, "GR-1")
    (balance,) = await stock.show(sku="A")
    assert balance.available == 5


@pytest.mark.parametrize("column", ["available", "reserved", "shipped", "frozen", "second_hand", "scrapped"])
async def test_no_balance_is_ever_negative(stock: StockStore, pool: Pool, column: str) -> None:
    await stock.receive("A", "WH-1", 5, "GR-1")
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(f"UPDATE stock SET {column} = -1")  # noqa: S608


@pytest.mark.parametrize("table", ["stock_moves", "policies", "audit"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {0} SET {1} = {1}", "TRUNCATE {} CASCADE"])
async def test_some_tables_only_grow(pool: Pool, table: str, statement: str) -> None:
    column = {"stock_moves": "qty", "policies": "version", "audit": "action"}[table]
    with pytest.raises(asyncpg.RestrictViolationError):
        await pool.execute(statement.format(table, column))


async def test_the_catalogue_takes_new_values_and_lists_in_pages(pool: Pool) -> None:
    catalogue = CatalogStore(pool)
    records = [SkuRecord(sku=f"S{n}", ship_from=("WH-1", "WH-2"), name=f"名 {n}") for n in range(4)]
    assert await catalogue.put(records, "anna", NOW) == Put(added=4)
    cold = SkuRecord(sku="S3", ship_from=("WH-2",), logistics="cold", size=Size(length_mm=3, width_mm=2, height_mm=1))
    again = [*records, cold, SkuRecord(sku="S9")]
    assert await catalogue.put(again, "anna", NOW) == Put(added=1, changed=1, unchanged=3)
    assert await catalogue.get(["S3", "none"]) == {"S3": cold}
    first = await catalogue.list(limit=3)
    assert [e.sku for e in (*first, *await catalogue.list(after=first[-1].sku))] == ["S0", "S1", "S2", "S3", "S9"]
    assert [e.sku for e in await catalogue.list(untagged=True)] == ["S9"]


async def test_a_put_that_changes_nothing_is_not_audited(pool: Pool) -> None:
    catalogue = CatalogStore(pool)
    for _ in range(2):
        await catalogue.put([SkuRecord(sku="S1", ship_from=("WH-1",))], "anna", NOW, "mdm")
    audit = await AuditStore(pool).list()
    assert [(row.action, row.actor, row.detail["added"]) for row in audit] == [("catalog.put", "anna", 1)]


async def test_policies_are_published_in_versions_without_gaps(pool: Pool) -> None:
    policies = PolicyStore(pool)
    assert await policies.current() == Policy()
    await asyncio.gather(*(policies.publish(Policy(window_s=n), "ops") for n in range(1, 6)))
    assert (await policies.current()).version == 5
    assert (await policies.version(0)) == Policy()
    with pytest.raises(KeyError):
        await policies.version(9)


async def test_publishing_is_audited_with_what_it_changed_or_does_not_happen(pool: Pool) -> None:
    policies, audit = PolicyStore(pool), AuditStore(pool)
    await policies.publish(Policy(window_s=60), "anna")
    await policies.publish(Policy(window_s=60, receipt_s=5), "bo")
    newest, first = await audit.list()
    assert (newest.actor, newest.action) == ("bo", "policy.publish")
    assert newest.detail == {"version": 2, "changed": {"receipt_s": [864_000, 5]}}
    assert first.detail["changed"] == {"window_s": [604_800, 60]}
    await pool.execute("ALTER TABLE audit ADD CONSTRAINT nothing_more CHECK (id < 3)")
    with pytest.raises(asyncpg.CheckViolationError):
        await policies.publish(Policy(), "eve")
    assert (await policies.current()).version == 2
    told = [(v.version, v.published_by, dict(v.changed)) for v in await policies.history()]
    assert told == [
        (2, "bo", {"receipt_s": (864_000, 5)}),
        (1, "anna", {"window_s": (604_800, 60)}),
        (0, "built-in", {}),
    ]
    assert [v.version for v in await policies.history(limit=1)] == [2]
    assert (await policies.history(limit=1))[0].changed


async def test_an_order_keeps_the_policy_it_started_with(orders: OrderStore, pool: Pool) -> None:
    policies = PolicyStore(pool)
    await policies.publish(Policy(payment_timeout_s=60), "ops")
    first = await orders.register(an_order(), "run-1", NOW)
    await policies.publish(Policy(payment_timeout_s=120), "ops")
    assert first.policy.version == 1 and first.pay_deadline == NOW + timedelta(seconds=60)
    assert (await orders.register(an_order(), "run-1", NOW)).policy == first.policy
    assert (await orders.register(an_order("SO-NEXT-1"), "run-1", NOW)).policy.version == 2


async def test_a_scan_is_kept_once_newest_first(pool: Pool) -> None:
    traces = TraceStore(pool)
    scans = [StoredScan("W1", f"k{n}", "tms", NOW + timedelta(hours=n), "在途", "到达", "杭州") for n in range(3)]
    await traces.add_many("tms", scans)
    await traces.add_many("tms", scans)
    assert [t.key for t in await traces.list("W1")] == ["k2", "k1", "k0"]


async def test_a_waybill_is_to_be_followed_until_somebody_does(orders: OrderStore, pool: Pool) -> None:
    tracking, tickets = TrackingStore(pool), TicketStore(pool)
    await a_settled_order(orders)
    child = ChildState(child_no="SO20261120-01", status=ChildStatus.PACKED, waybill_no="W1", carrier="SF")
    await orders.write(a_write(seq=2, children=(child,)))
    (waybill,) = await tracking.to_subscribe(10)
    assert (waybill.waybill_no, waybill.carrier, waybill.phone) == ("W1", "SF", "13800138000")
    for _ in range(2):
        await tracking.not_subscribed(waybill.child_no, waybill.order_no, "unknown carrier")
    assert await tracking.to_subscribe(10) == (), "not at once again"
    assert [t.error for t in await tickets.list()] == ["unknown carrier"]
    await tracking.subscribed([waybill.child_no])
    assert await tickets.list() == ()
    assert await pool.fetchval("SELECT tracking_subscribed_at IS NOT NULL FROM parcels")


async def test_a_courier_that_is_down_is_one_ticket_a_span_however_many_waybills_wait(
    orders: OrderStore, pool: Pool
) -> None:
    tracking, tickets = TrackingStore(pool), TicketStore(pool)
    await a_settled_order(orders)
    children = [f"SO20261120-{n:02d}" for n in (1, 2)]
    for _ in range(2):
        await asyncio.gather(*(tracking.unreachable(child, "kuaidi100 does not answer") for child in children))
    (first,) = await tickets.list()
    assert (first.system, first.step, first.severity) == ("kuaidi100", "courier unreachable", "urgent")
    await tracking.subscribed([children[0]])
    assert await tickets.list() == ()
    await tracking.unreachable(children[1], "kuaidi100 does not answer")
    (second,) = await tickets.list()
    assert second.ticket_id != first.ticket_id


async def test_a_cancelled_child_is_not_followed(orders: OrderStore, pool: Pool) -> None:
    await a_settled_order(orders)
    child = ChildState(child_no="SO20261120-01", status=ChildStatus.CANCELLED, waybill_no="W1", carrier="SF")
    await orders.write(a_write(seq=2, children=(child,)))
    assert await TrackingStore(pool).to_subscribe(10) == ()


async def test_units_lost_after_shipping_are_booked_back_and_cannot_be_returned(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await stock.receive("A", "WH-1", 5, "GR-1")
    await a_settled_order(orders)
    ref = "SO20261120-01/L1"
    ship = StockMove(ref=ref, kind="ship", sku="A", warehouse="WH-1", qty=3)
    lost = StockMove(ref=f"{ref}~1", kind="unship", sku="A", warehouse="WH-1", qty=1)
    for seq in (2, 2, 3):
        await orders.write(a_write(seq=seq, moves=(ship, lost)))
    (balance,) = await stock.show(sku="A")
    assert (balance.available, balance.reserved, balance.shipped, balance.scrapped) == (2, 0, 2, 1)
    line = await pool.fetchrow("SELECT shipped_units FROM order_lines WHERE line_id = 'L1'")
    child = await pool.fetchrow("SELECT lost_units FROM child_lines WHERE line_id = 'L1'")
    assert line and child and (line["shipped_units"], child["lost_units"]) == (2, 1)


async def test_units_that_all_came_back_are_not_booked_as_lost(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    """The write must not fail for ever over it: everything else in it is true."""
    await stock.receive("A", "WH-1", 5, "GR-1")
    await a_settled_order(orders)
    lost = StockMove(ref="SO20261120-01/L1~1", kind="unship", sku="A", warehouse="WH-1", qty=1)
    await orders.write(a_write(seq=2, moves=(lost,)))
    (balance,) = await stock.show(sku="A")
    assert (balance.reserved, balance.shipped, balance.scrapped) == (3, 0, 0)
