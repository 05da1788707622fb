"""The delivery loop with a sender that misbehaves in ways a real server does only now and then."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from temporalio.client import Client

from domain.facts import Fact
from relay.delivery.loop import DeliveryLoop, DeliverySettings
from relay.delivery.outcomes import UNCLEAR_TRIES, Settling
from relay.delivery.signalling import OrderSender, SignalOutcome, SignalResult
from store.inbox.inbox import Claimed, InboxStore, Incoming
from store.orders.orders import OrderStore
from store.outside_money.found import MoneyAfterEnd
from store.pool import Pool
from store.tickets.tickets import TicketStore
from tests.relay.conftest import now, until
from tests.relay.hmac_source import fact
from tests.store.examples import NOW, an_order

ORDER = "SO20261120"


class Sender(OrderSender):
    """Answers as `say` says for the keys of a signal; remembers what went through."""

    def __init__(self, client: Client, say: Callable[[list[str]], SignalOutcome]) -> None:
        super().__init__(client)
        self.say = say
        self.calls = 0
        self.through: list[str] = []

    async def send(self, order_no: str, facts: Sequence[Fact]) -> SignalOutcome:
        self.calls += 1
        keys = [f.key for f in facts]
        verdict = self.say(keys)
        if verdict.sent is SignalResult.DELIVERED:
            self.through += keys
        return verdict


class CountingInbox(InboxStore):
    claims = 0

    async def claim(self, limit: int, lease_s: float, now: datetime) -> list[Claimed]:
        self.claims += 1
        return await super().claim(limit, lease_s, now)


class HangingSender(OrderSender):
    async def send(self, order_no: str, facts: Sequence[Fact]) -> SignalOutcome:
        await asyncio.get_running_loop().create_future()
        return SignalOutcome(SignalResult.DELIVERED)


@asynccontextmanager
async def delivery(
    pool: Pool, sender: OrderSender, inbox: InboxStore | None = None, **pace: Any
) -> AsyncIterator[DeliveryLoop]:
    inbox = inbox or InboxStore(pool)
    settling = Settling(inbox, TicketStore(pool), MoneyAfterEnd(pool), now)
    loop = DeliveryLoop(inbox, sender, settling, now, DeliverySettings(**{"linger_s": 0.3, "lease_s": 600, **pace}))
    settling.start()
    loop.start()
    yield loop
    await loop.stop()
    await settling.stop()


@pytest.fixture
async def three(pool: Pool, orders: OrderStore, inbox: InboxStore) -> None:
    """An order, and three messages for it."""
    await orders.register(an_order(ORDER), "run-1", NOW)
    for n in (1, 2, 3):
        message = Incoming("shop", f"e-{n}", "told", bytes([n]) * 32, b"x", (fact(f"k-{n}", ORDER),), now())
        await inbox.add_many([message])


async def states(pool: Pool) -> list[str]:
    return [row["state"] for row in await pool.fetch("SELECT state FROM inbox ORDER BY id")]


async def test_a_poisoned_fact_does_not_take_its_companions_with_it(pool: Pool, nowhere: Client, three: None) -> None:
    def say(keys: list[str]) -> SignalOutcome:
        return SignalOutcome(SignalResult.POISON if "k-2" in keys else SignalResult.DELIVERED, "no")

    sender = Sender(nowhere, say)
    async with delivery(pool, sender):
        await until(lambda: settled(pool))
    assert await states(pool) == ["delivered", "dead", "delivered"]
    assert sender.through == ["k-1", "k-3"]


async def settled(pool: Pool) -> bool:
    return "received" not in await states(pool)


async def test_a_fault_that_nobody_foresaw_is_tried_a_few_times_and_then_buried(
    pool: Pool, nowhere: Client, three: None
) -> None:
    def say(keys: list[str]) -> SignalOutcome:
        raise ZeroDivisionError("a bug")

    async def tried(times: int) -> bool:
        return bool(await pool.fetchval("SELECT min(attempts) >= $1 FROM inbox", times))

    async with delivery(pool, Sender(nowhere, say)) as loop:
        await until(lambda: tried(1))
        await until(lambda: freed(pool))
        assert await states(pool) == ["received"] * 3
        await pool.execute("UPDATE inbox SET attempts = $1, next_try_at = now()", UNCLEAR_TRIES - 1)
        loop.wake()
        await until(lambda: settled(pool))
    assert await states(pool) == ["dead"] * 3


async def freed(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT bool_and(leased_until IS NULL) FROM inbox"))


async def test_an_outage_is_not_hammered(pool: Pool, nowhere: Client, three: None) -> None:
    sender = Sender(nowhere, lambda keys: SignalOutcome(SignalResult.OUTAGE, "away"))
    async with delivery(pool, sender, linger_s=0.01):
        await until(lambda: freed_and_tried(pool))
        await pool.execute("UPDATE inbox SET next_try_at = now()")
        await asyncio.sleep(1.2)  # a span in which something must not happen
    assert sender.calls <= 4
    assert await states(pool) == ["received"] * 3


async def freed_and_tried(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT bool_and(leased_until IS NULL AND attempts > 0) FROM inbox"))


async def test_a_burst_is_claimed_in_handfuls(pool: Pool, nowhere: Client, three: None) -> None:
    sender = Sender(nowhere, lambda keys: SignalOutcome(SignalResult.DELIVERED))
    inbox = CountingInbox(pool)
    async with delivery(pool, sender, inbox=inbox, claim_interval_s=60.0, poll_s=60.0) as loop:
        await until(lambda: settled(pool))
        for _ in range(20):
            loop.wake()
            await asyncio.sleep(0)
    assert (inbox.claims, sorted(sender.through)) == (1, ["k-1", "k-2", "k-3"])


async def test_an_outage_has_no_last_try(pool: Pool, nowhere: Client, three: None) -> None:
    await pool.execute("UPDATE inbox SET attempts = 10000")
    async with delivery(pool, Sender(nowhere, lambda keys: SignalOutcome(SignalResult.OUTAGE, "away"))):
        await until(lambda: retried(pool))
    assert await states(pool) == ["received"] * 3
    assert await pool.fetchval("SELECT max(next_try_at) < now() + interval '20 seconds' FROM inbox")


async def retried(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT bool_and(attempts > 10000 AND leased_until IS NULL) FROM inbox"))


async def test_what_cannot_be_sent_in_time_is_given_back_at_the_stop(pool: Pool, nowhere: Client, three: None) -> None:
    async with delivery(pool, HangingSender(nowhere), stop_s=0.2, linger_s=0.01):
        await until(lambda: claimed(pool))
    assert await freed(pool)
    assert await states(pool) == ["received"] * 3


async def claimed(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT bool_and(leased_until IS NOT NULL) FROM inbox"))


async def test_no_more_rows_are_held_than_allowed(pool: Pool, nowhere: Client, three: None) -> None:
    async with delivery(pool, HangingSender(nowhere), stop_s=0.1, linger_s=0.01, held=2, poll_s=0.05):
        await asyncio.sleep(0.5)  # a span in which something must not happen
        assert await pool.fetchval("SELECT count(*) FROM inbox WHERE leased_until IS NOT NULL") == 2
