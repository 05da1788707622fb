"""The nightly look for units without an owner: once a night, by one of the relays; its tickets live and die with it."""

from datetime import UTC, datetime

from relay.jobs.ownership import NightlyOwnership
from store.inbox.retention import RetentionStore
from store.orders.orders import OrderStore
from store.ownership.check import OwnershipStore
from store.pool import Pool
from store.stock.ledger import StockStore
from store.tickets.tickets import TicketStore
from tests.outbound.conftest import Clock
from tests.store.examples import a_settled_order, a_write
from tests.store.ownership.books import CANCELLED, FIRST, refund

BEFORE_FOUR = datetime(2026, 11, 25, 19, 59, tzinfo=UTC)


async def test_a_night_finds_it_once_and_the_next_one_closes_its_ticket(pool: Pool) -> None:
    orders, stock = OrderStore(pool), StockStore(pool)
    await stock.receive("A", "WH-1", 10, "GR-A")
    await stock.receive("B", "WH-2", 10, "GR-B")
    await a_settled_order(orders)
    await orders.write(CANCELLED)
    clock = Clock(BEFORE_FOUR)
    relays = [NightlyOwnership(OwnershipStore(pool), RetentionStore(pool), clock) for _ in range(2)]
    assert [await relay.look() for relay in relays] == [False, False]
    clock.forward(60)
    assert [await relay.look() for relay in relays] == [True, False]
    assert await pool.fetchval("SELECT note FROM nightly_care") == "looked_at 1, opened 2, closed 0"
    assert len(await TicketStore(pool).list(system="ownership")) == 2
    await orders.write(a_write(seq=3, refunds=(refund("R-1", 6_120, FIRST, 3),)))
    clock.forward(86_400)
    assert [await relay.look() for relay in relays] == [True, False]
    assert await TicketStore(pool).list(system="ownership") == ()
