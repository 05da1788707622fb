"""What news costs in round trips, counted at the connection: a statement, and BEGIN and COMMIT, are one each.

The books are asked for every order some hundred times, so a read before a write that could say it itself is a tenth.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from bench.budget import budget
from domain.access.authority import Binding, ProvenCaller
from domain.approvals import Role
from domain.facts import Kind
from domain.records import ChildState
from domain.states import ChildStatus
from store.approvals.command_proofs import AskedCommand, CommandProofStore
from store.inbox.inbox import InboxStore, Incoming
from store.orders.orders import OrderStore
from store.polling.tracking import TrackingStore
from store.pool import Pool, open_pool
from store.stock.ledger import StockStore
from tests.store.examples import NOW, a_fact, a_settled_order, a_write, an_event

CHILD = "SO20261120-01"


class Counted:
    """A pool of one connection, and what was sent over it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.asked: list[str] = []

    def note(self, query: asyncpg.connection.LoggedQuery) -> None:
        if not any(word in query.query for word in ("typeinfo_tree", "'jit'")):  # asked once a connection and type
            self.asked.append(" ".join(query.query.split()))

    def since(self) -> list[str]:
        asked, self.asked = self.asked, []
        return asked


@pytest.fixture
async def counted(database_url: str) -> AsyncIterator[Counted]:
    pool = await open_pool(database_url, max_size=1)
    try:
        made = Counted(pool)
        async with pool.acquire() as connection:
            connection.add_query_logger(made.note)
        yield made
    finally:
        await pool.close()


async def test_a_callback_is_taken_in_claimed_and_marked_within_its_budget(counted: Counted) -> None:
    inbox = InboxStore(counted.pool)
    await inbox.add_many([Incoming("qimen", "e-1", "k", b"d" * 32, b"{}", (a_fact(),), NOW)])
    (claimed,) = await inbox.claim(10, 20.0, NOW + timedelta(seconds=1))
    await inbox.mark_delivered([claimed.id])
    asked = counted.since()
    assert len(asked) == budget("round trips")["a callback"], asked


async def test_a_write_that_moves_a_parcel_keeps_its_budget(counted: Counted, stock: StockStore) -> None:
    orders, inbox = OrderStore(counted.pool), InboxStore(counted.pool)
    await stock.receive("A", "WH-1", 100, "GR-1")
    await stock.receive("B", "WH-2", 100, "GR-2")
    await a_settled_order(orders)
    await inbox.add_many([Incoming("qimen", "e-1", "k", b"d" * 32, b"{}", (a_fact(),), NOW)])
    (claimed,) = await inbox.claim(10, 20.0, NOW + timedelta(seconds=1))
    event = an_event("qimen:1:PICKING").model_copy(update={"kind": Kind.PICKING.value, "inbox_id": claimed.id})
    moved = ChildState(child_no=CHILD, status=ChildStatus.PICKING)
    counted.since()
    await orders.write(a_write(seq=4, children=(moved,), events=(event,)))
    asked = counted.since()
    assert len(asked) == budget("round trips")["a write"], (
        asked
    )  # BEGIN, the rows with their lock, the event with its message, COMMIT
    assert await counted.pool.fetchval("SELECT state FROM inbox") == event.outcome.value.lower()
    assert await counted.pool.fetchval("SELECT status FROM child_orders WHERE child_no = $1", CHILD) == "PICKING"


async def test_a_parcel_on_its_way_is_moved_without_looking_its_waybill_up_again(
    counted: Counted, stock: StockStore
) -> None:
    orders = OrderStore(counted.pool)
    await stock.receive("A", "WH-1", 100, "GR-1")
    await stock.receive("B", "WH-2", 100, "GR-2")
    await a_settled_order(orders)
    packed = ChildState(child_no=CHILD, status=ChildStatus.PACKED, waybill_no="YT1", carrier="YTO")
    await orders.write(a_write(seq=4, children=(packed,)))
    counted.since()
    away = packed.model_copy(update={"status": ChildStatus.IN_TRANSIT})
    await orders.write(a_write(seq=5, at=NOW + timedelta(hours=2), children=(away,), events=(an_event("k:2"),)))
    assert not [query for query in counted.since() if "parcels" in query]
    assert await counted.pool.fetchval("SELECT count(*) FROM parcels") == 1


async def test_a_command_of_somebody_known_is_admitted_within_its_budget(counted: Counted) -> None:
    """BEGIN, whether it was before, who it is, the token spent with its audit row, COMMIT: nothing is written of who
    is as the proof says."""
    store = CommandProofStore(counted.pool)
    await store.admit(a_command("first"), a_caller("first"), NOW)
    counted.since()
    assert (await store.admit(a_command("second"), a_caller("second"), NOW)).person_id == "shop"
    asked = counted.since()
    assert len(asked) == budget("round trips")["a command"], asked
    rows = await counted.pool.fetch("SELECT actor, action FROM audit WHERE action = 'command.admitted'")
    assert [tuple(row) for row in rows] == [("shop", "command.admitted")] * 2


async def test_a_waybill_that_is_followed_is_one_round_trip(counted: Counted) -> None:
    await TrackingStore(counted.pool).subscribed([CHILD, "return/RT1"])
    assert len(asked := counted.since()) == 1, asked


def a_command(token: str) -> AskedCommand:
    binding = Binding("order/SO20261120", "order.confirm_receipt", "0" * 64)
    return AskedCommand(binding, "order.confirm_receipt", "shop", f"request {token}", "SO20261120")


def a_caller(token: str) -> ProvenCaller:
    return ProvenCaller(
        person_id="shop", token_id=token, source="service", roles=frozenset({Role.SERVICE}), claims={}, on_behalf_of="b"
    )
