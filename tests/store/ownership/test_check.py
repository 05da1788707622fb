"""What is kept of the check: one ticket a violation, closed when it is gone; which orders are looked at."""

from datetime import timedelta

from domain.records import TicketRecord
from store.orders.orders import OrderStore
from store.ownership.check import OwnershipStore
from store.pool import Pool
from store.tickets.tickets import TicketStore
from tests.store.examples import NOW, a_settled_order, a_write
from tests.store.ownership.books import CANCELLED, FIRST, MUCH_LATER, ORDER, paid, refund, write

__all__ = ["paid"]


async def look(pool: Pool) -> tuple[int, int]:
    store = OwnershipStore(pool)
    return await store.settle([ORDER], await store.violations([ORDER], MUCH_LATER), MUCH_LATER)


async def test_a_violation_is_one_ticket_that_names_the_unit_however_often_it_is_found(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, CANCELLED)
    assert await look(pool) == (2, 0)
    assert await look(pool) == (0, 0)
    texts = sorted(t.error for t in await TicketStore(pool).list(system="ownership"))
    assert len(texts) == 2
    assert texts[1].startswith(f"order {ORDER}: unit 0-2 of line L1 (A): parcel {FIRST} is cancelled")


async def test_its_ticket_closes_on_evidence_when_it_is_gone_and_a_new_one_opens_when_it_is_back(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, CANCELLED)
    await look(pool)
    await write(orders, a_write(seq=3, refunds=(refund("R-1", 6_120, FIRST, 3),)))
    assert await look(pool) == (0, 2)
    closed = await TicketStore(pool).list(state="resolved", system="ownership")
    assert {(t.action, t.resolved_by) for t in closed} == {("evidence", "system")}
    await pool.execute("UPDATE unit_claims SET held = false")
    await pool.execute("UPDATE order_lines SET refunded_units = 0")
    assert (await look(pool))[0] >= 1


async def test_its_own_ticket_does_not_make_a_violation_go_away(orders: OrderStore, pool: Pool, paid: str) -> None:
    await write(orders, CANCELLED)
    await look(pool)
    assert len(await OwnershipStore(pool).violations([ORDER], MUCH_LATER)) == 2


async def test_an_order_that_moves_keeps_what_was_found_of_it(orders: OrderStore, pool: Pool, paid: str) -> None:
    await write(orders, CANCELLED)
    await look(pool)
    store = OwnershipStore(pool)
    assert await store.violations([ORDER], CANCELLED.at) == ()
    assert await store.settle([ORDER], (), CANCELLED.at) == (0, 0)
    assert len(await TicketStore(pool).list(system="ownership")) == 2


async def test_open_orders_are_looked_at_every_night_and_ended_ones_when_something_has_changed(
    orders: OrderStore, pool: Pool
) -> None:
    for number, ended in (("SO20261121", False), ("SO20261122", True), ("SO20261123", True)):
        await a_settled_order(orders, number)
        if ended:
            await write(orders, a_write(number, seq=2, ended=True))
    long_ago, since = NOW - timedelta(days=9), NOW - timedelta(days=1)
    await pool.execute("UPDATE orders SET updated_at = $1 WHERE order_no <> 'SO20261123'", long_ago)

    async def looked_at() -> list[str]:
        return sorted([number async for page in OwnershipStore(pool).to_look_at(since) for number in page])

    assert await looked_at() == ["SO20261121", "SO20261123"]
    record = TicketRecord(ticket_id="T-1", system="wms", step="push", error="down")
    await TicketStore(pool).open_outside(record, "SO20261122", NOW)
    assert await looked_at() == ["SO20261121", "SO20261122", "SO20261123"]
