"""From the inbox to the order: every fact once, in order, together where it came together, lost nowhere."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from deploy.local import ports
from deploy.local.temporal import LocalTemporal
from domain.facts import Fact, Kind
from domain.records import ChildState
from domain.states import ChildStatus
from relay.delivery.loop import DeliverySettings
from store.inbox.inbox import InboxStore, Incoming
from store.orders.orders import OrderStore
from store.pool import Pool
from store.tickets.tickets import TicketStore
from tests.postgres import as_an_older_version
from tests.relay.conftest import Running, lazy_client, now, running, until
from tests.relay.hmac_source import fact, signed
from tests.relay.recorder import record, recording
from tests.store.examples import NOW, a_settled_order, a_write, an_event, an_order


@pytest.fixture
def order_no() -> str:
    """The Temporal server is shared by all tests of a session, so every test has an order of its own."""
    return f"SO{secrets.token_hex(6)}"


async def put(inbox: InboxStore, event_id: str, *facts: Fact) -> None:
    """Straight into the inbox, as a poller or another relay would."""
    message = Incoming("shop", event_id, "told", event_id.encode().ljust(32)[:32], b"x", facts, now())
    await inbox.add_many([message])


async def states(pool: Pool) -> list[str]:
    return [row["state"] for row in await pool.fetch("SELECT state FROM inbox ORDER BY id")]


async def reach(pool: Pool, *wanted: str, within_s: float = 20) -> None:
    """Until the inbox rows are in these states, in the order of their ids."""

    async def reached() -> Sequence[str] | bool:
        return await states(pool) == list(wanted)

    try:
        await until(reached, within_s)
    except AssertionError:
        assert await states(pool) == list(wanted)


async def test_a_fact_reaches_its_order_with_the_number_of_its_row(
    delivering: Running, pool: Pool, client: Client, orders: OrderStore, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    order = await record(client, order_no)
    answer = await delivering.http.post("/hooks/shop", **signed("e-1", fact("k-1", order_no)))
    assert answer.status_code == 200
    await reach(pool, "delivered")
    assert await order.query("seen") == [["k-1"]]
    assert await order.query("rows") == [await pool.fetchval("SELECT id FROM inbox")]


async def test_facts_that_arrive_together_are_one_signal_in_the_order_of_arrival(
    pool: Pool, client: Client, orders: OrderStore, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    order = await record(client, order_no)
    async with running(pool, client, pace=DeliverySettings(linger_s=1.0)) as started:
        for i in range(3):
            await started.http.post("/hooks/shop", **signed(f"e-{i}", fact(f"k-{i}", order_no)))
        await reach(pool, *["delivered"] * 3)
    assert await order.query("seen") == [["k-0", "k-1", "k-2"]]


async def test_repeats_of_a_message_are_one_signal(
    delivering: Running, pool: Pool, client: Client, orders: OrderStore, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    order = await record(client, order_no)
    for _ in range(5):
        await delivering.http.post("/hooks/shop", **signed("e-1", fact("k-1", order_no)))
    await reach(pool, "delivered")
    assert await order.query("seen") == [["k-1"]]


async def test_a_fact_before_its_order_is_parked_and_delivered_when_the_order_appears(
    delivering: Running, pool: Pool, client: Client, orders: OrderStore, order_no: str
) -> None:
    await delivering.http.post("/hooks/shop", **signed("e-1", fact("k-1", order_no)))
    await reach(pool, "parked")
    order = await record(client, order_no)
    await orders.register(an_order(order_no), "run-1", NOW)
    await reach(pool, "delivered")
    assert await order.query("seen") == [["k-1"]]


async def test_an_order_that_never_appears_is_one_ticket(delivering: Running, pool: Pool, inbox: InboxStore) -> None:
    await put(inbox, "e-1", fact("k-1", "SO-NOBODY"))
    await reach(pool, "parked")
    await as_an_older_version(pool, "UPDATE inbox SET received_at = received_at - interval '5 hours'")
    for _ in range(2):
        await delivering.relay.parked.ask_about_overdue()
    (ticket,) = await TicketStore(pool).list()
    assert (ticket.system, ticket.step, ticket.outside) == ("shop", "parked event", True)


async def test_two_relays_signal_every_fact_once(
    pool: Pool, client: Client, orders: OrderStore, inbox: InboxStore, order_no: str
) -> None:
    numbers = [f"{order_no}{n}" for n in range(4)]
    for number in numbers:
        await orders.register(an_order(number), "run-1", NOW)
    workflows = [await record(client, number) for number in numbers]
    pace = DeliverySettings(linger_s=0.05, claim=7)
    async with running(pool, client, pace=pace), running(pool, client, pace=pace):
        for i in range(100):
            await put(inbox, f"e-{i}", fact(f"k-{i}", numbers[i % 4]))
        await reach(pool, *["delivered"] * 100)
    for n, workflow in enumerate(workflows):
        seen = [key for batch in await workflow.query("seen") for key in batch]
        assert sorted(seen) == sorted(f"k-{i}" for i in range(n, 100, 4))


async def test_a_message_that_cannot_be_delivered_dies_alone_with_a_ticket(
    pool: Pool, client: Client, orders: OrderStore, inbox: InboxStore, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    order = await record(client, order_no)
    huge = {f"{i:064}": 1 for i in range(40_000)}
    await put(inbox, "e-1", fact("k-1", order_no))
    await put(inbox, "e-2", fact("k-2", order_no, Kind.SHORT_PICKED, actual=huge))
    await put(inbox, "e-3", fact("k-3", order_no))
    async with running(pool, client, pace=DeliverySettings(linger_s=0.1)):
        await reach(pool, "delivered", "dead", "delivered")
    assert [key for batch in await order.query("seen") for key in batch] == ["k-1", "k-3"]
    (ticket,) = await TicketStore(pool).list()
    assert ticket.step == "dead letter"


async def test_a_scan_that_can_move_nothing_any_more_is_recorded_and_not_signalled(
    delivering: Running, pool: Pool, client: Client, orders: OrderStore, inbox: InboxStore, order_no: str
) -> None:
    order = await record(client, order_no)
    settled = await a_settled_order(orders, order_no)
    child = settled.children[0].child_no
    signed_for = ChildState(child_no=child, status=ChildStatus.SIGNED, signed_at=NOW)
    await orders.write(a_write(order_no, seq=2, children=(signed_for,)))
    await put(inbox, "e-1", fact("k-1", kind=Kind.IN_TRANSIT, child_no=child))
    await put(inbox, "e-2", fact("k-2", order_no, Kind.REFUND_SUCCEEDED))
    await reach(pool, "stale", "delivered")
    assert await order.query("seen") == [["k-2"]]
    event = await pool.fetchrow("SELECT outcome, child_no, inbox_id IS NOT NULL AS known FROM order_events")
    assert event is not None
    assert (event["outcome"], event["child_no"], event["known"]) == ("STALE", child, True)


async def test_a_fact_of_an_ended_order_is_parked_and_a_person_is_asked_where_money_or_goods_moved(
    delivering: Running, pool: Pool, orders: OrderStore, inbox: InboxStore, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    await orders.write(a_write(order_no, seq=1, ended=True))
    await put(inbox, "e-1", fact("k-1", order_no, Kind.REFUND_ABNORMAL))
    await put(inbox, "e-2", fact("k-2", order_no, Kind.PAYMENT_CLOSED))
    await reach(pool, "parked", "stale")
    assert await pool.fetchval("SELECT note FROM inbox ORDER BY id LIMIT 1") == "after close"
    (ticket,) = await TicketStore(pool).list()
    assert (ticket.step, ticket.order_no, ticket.severity) == ("event after close", order_no, "urgent")


async def test_money_of_an_ended_order_that_is_not_its_own_is_one_ticket_however_often_it_is_told(
    delivering: Running, pool: Pool, orders: OrderStore, inbox: InboxStore, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    await orders.write(a_write(order_no, seq=1, ended=True))
    for message in ("e-1", "e-2"):
        await put(inbox, message, fact("k-1", order_no, Kind.PAYMENT_SUCCEEDED))
    await reach(pool, "mismatch", "mismatch")
    (ticket,) = await TicketStore(pool).list()
    assert (ticket.ticket_id.startswith("T-money-"), ticket.order_no, ticket.severity) == (True, order_no, "urgent")


async def test_what_an_ended_order_had_applied_is_a_duplicate_when_another_message_tells_it_and_nobody_is_asked(
    delivering: Running, pool: Pool, orders: OrderStore, inbox: InboxStore, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    await orders.write(a_write(order_no, seq=1, ended=True, events=(an_event("k-1"),)))
    await put(inbox, "e-1", fact("k-1", order_no, Kind.PAYMENT_SUCCEEDED))
    await reach(pool, "duplicate")
    assert await pool.fetchval("SELECT array_agg(outcome ORDER BY id) FROM order_events") == ["APPLIED", "DUPLICATE"]
    assert await TicketStore(pool).list() == ()


async def test_an_order_whose_workflow_ends_meanwhile_is_looked_at_again(
    delivering: Running, pool: Pool, client: Client, orders: OrderStore, inbox: InboxStore, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    order = await record(client, order_no)
    await order.signal("end")
    await order.result()
    await put(inbox, "e-1", fact("k-1", order_no, Kind.REFUND_ABNORMAL))

    async def tried() -> int:
        return int(await pool.fetchval("SELECT attempts FROM inbox"))

    await until(tried)
    assert await states(pool) == ["received"]
    await orders.write(a_write(order_no, seq=1, ended=True))
    await reach(pool, "parked")


async def test_an_open_order_without_a_workflow_becomes_a_ticket_and_is_never_started_anew(
    delivering: Running, pool: Pool, client: Client, orders: OrderStore, inbox: InboxStore, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    await put(inbox, "e-1", fact("k-1", order_no))
    await pool.execute("UPDATE inbox SET attempts = 4")

    async def asked() -> bool:
        return bool(await TicketStore(pool).list())

    await until(asked)
    (ticket,) = await TicketStore(pool).list()
    assert (ticket.step, ticket.severity) == ("order without workflow", "urgent")
    assert await states(pool) == ["received"]


async def test_without_temporal_callbacks_are_taken_at_once_and_delivered_afterwards(
    pool: Pool, orders: OrderStore, tmp_path: Path, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    server = LocalTemporal(tmp_path, port=ports.free_port())
    async with running(pool, await lazy_client(server.address), pace=DeliverySettings(linger_s=0.05)) as started:
        began = asyncio.get_running_loop().time()
        for i in range(20):
            answer = await started.http.post("/hooks/shop", **signed(f"e-{i}", fact(f"k-{i}", order_no)))
            assert answer.status_code == 200
        assert asyncio.get_running_loop().time() - began < 5

        async def tried() -> bool:
            return bool(await pool.fetchval("SELECT max(attempts) > 0 FROM inbox"))

        await until(tried)
        assert set(await states(pool)) == {"received"}
        await asyncio.to_thread(server.start)
        try:
            client = await Client.connect(server.address, data_converter=pydantic_data_converter)
            async with recording(client):
                order = await record(client, order_no)
                await reach(pool, *["delivered"] * 20, within_s=60)
                seen = [key for batch in await order.query("seen") for key in batch]
                assert sorted(seen) == sorted(f"k-{i}" for i in range(20))
        finally:
            await asyncio.to_thread(server.stop)


async def test_what_a_relay_holds_when_it_is_stopped_is_sent_or_given_back(
    pool: Pool, client: Client, nowhere: Client, orders: OrderStore, inbox: InboxStore, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    order = await record(client, order_no)
    await put(inbox, "e-1", fact("k-1", order_no))

    async def claimed() -> bool:
        return bool(await pool.fetchval("SELECT leased_until IS NOT NULL FROM inbox"))

    async with running(pool, nowhere, pace=DeliverySettings(linger_s=5, lease_s=600)):
        await until(claimed)
    assert not await claimed()
    await pool.execute("UPDATE inbox SET next_try_at = now()")
    async with running(pool, client, pace=DeliverySettings(linger_s=5, lease_s=600)):
        await until(claimed)
    assert await states(pool) == ["delivered"]
    assert await order.query("seen") == [["k-1"]]


async def test_a_row_of_a_relay_that_died_is_delivered_when_its_lease_ends(
    delivering: Running, pool: Pool, client: Client, orders: OrderStore, inbox: InboxStore, order_no: str
) -> None:
    await orders.register(an_order(order_no), "run-1", NOW)
    order = await record(client, order_no)
    message = Incoming("shop", "e-1", "told", b"x" * 32, b"x", (fact("k-1", order_no),), now() + timedelta(seconds=1))
    await inbox.add_many([message])
    await inbox.claim(10, 2.0, now() + timedelta(seconds=1))
    await reach(pool, "delivered")
    assert await order.query("seen") == [["k-1"]]
