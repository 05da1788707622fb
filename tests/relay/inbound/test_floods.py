"""Refused calls without end cost the books next to nothing, and hurt nobody but who makes them."""

import asyncio
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from temporalio.client import Client

from domain.access.addresses import Addresses
from relay.inbound.refusals import EACH, MOST_COUNTED, TOGETHER, Refusals
from relay.inbound.token_buckets import Pace, TokenBuckets
from store.inbox.callback_rates import BoardStore
from store.inbox.inbox import InboxStore, RefusedMessage
from store.pool import Pool
from tests.relay.conftest import Running, running
from tests.relay.hmac_source import fact, signed

FLOOD = 300
AT = datetime(2026, 11, 29, 4, 0, 30, tzinfo=UTC)


async def junk(door: Running, calls: int, caller: str = "") -> list[int]:
    headers = {"x-forwarded-for": caller} if caller else {}
    some = [door.http.post("/hooks/shop", content=b"junk", headers=headers) for _ in range(calls)]
    return [answer.status_code for answer in await asyncio.gather(*some)]


async def rows(pool: Pool) -> tuple[int, int]:
    """Rows, and calls that they stand for."""
    found = await pool.fetchrow("SELECT count(*) AS rows, coalesce(sum(calls), 0)::int AS calls FROM inbox_refusals")
    assert found is not None
    return found["rows"], found["calls"]


async def test_a_flood_is_a_few_rows_that_say_how_many_calls_it_was(door: Running, pool: Pool) -> None:
    answers = [status for _ in range(FLOOD // 10) for status in await junk(door, 10)]
    assert answers.count(429) > FLOOD / 2, "and its sender is told to come less often"
    await door.relay._refusals.flush()
    written, calls = await rows(pool)
    assert calls == FLOOD and written < FLOOD / 3
    board = await BoardStore(pool).buckets(datetime.now(UTC) - timedelta(minutes=20), datetime.now(UTC))
    assert sum(b.received for b in board) == FLOOD, "the board counts each of them"


async def test_what_is_genuine_is_stored_beside_a_flood_even_from_the_same_address(door: Running, pool: Pool) -> None:
    async def genuine(n: int) -> int:
        return (await door.http.post("/hooks/shop", **signed(f"e-{n}", fact(f"k-{n}", "SO20261120")))).status_code

    answers = []
    for n in range(20):
        one, *_ = await asyncio.gather(genuine(n), junk(door, 10))
        answers.append(one)
    assert set(answers) == {200} and await pool.fetchval("SELECT count(*) FROM inbox") == 20


async def test_only_who_misbehaves_is_told_to_come_less_often(pool: Pool, nowhere: Client) -> None:
    addresses = Addresses(proxies=[ip_network("127.0.0.0/8")], hops=1)
    async with running(pool, nowhere, addresses=addresses) as door:
        assert 429 in await junk(door, 2 * int(EACH.burst), "203.0.113.7")
        assert await junk(door, 3, "198.51.100.9") == [401] * 3


def refused(caller: str, source: str = "shop") -> RefusedMessage:
    return RefusedMessage(source, caller, "signature", "no", bytes(32), AT)


async def test_a_thousand_addresses_together_get_no_more_rows_than_a_source_may_have(pool: Pool) -> None:
    refusals = Refusals(InboxStore(pool), lambda: AT, monotonic=lambda: 0.0)
    refusals.start()
    for n in range(3 * MOST_COUNTED):
        await refusals.note(refused(f"10.{n // 250 % 250}.{n % 250}.1"))
    assert len(refusals._counted) <= MOST_COUNTED + 1
    await refusals.stop()
    written, calls = await rows(pool)
    assert calls == 3 * MOST_COUNTED and written <= TOGETHER.burst + MOST_COUNTED + 1
    assert await pool.fetchval("SELECT calls FROM inbox_refusals WHERE remote_ip = '*'") > MOST_COUNTED // 2


async def test_relays_add_up_the_minute_of_a_flood(pool: Pool) -> None:
    for _ in range(2):
        refusals = Refusals(InboxStore(pool), lambda: AT, monotonic=lambda: 0.0)
        refusals.start()
        for _ in range(30):
            await refusals.note(refused("203.0.113.7"))
        await refusals.stop()
    one = await pool.fetchrow("SELECT calls, span FROM inbox_refusals WHERE span IS NOT NULL")
    assert one is not None and (one["calls"], one["span"]) == (20, AT.replace(second=0))


async def test_neighbours_of_one_ipv6_address_share_its_rows(pool: Pool) -> None:
    refusals = Refusals(InboxStore(pool), lambda: AT, monotonic=lambda: 0.0)
    refusals.start()
    noted = [await refusals.note(refused(f"2001:db8::{n:x}")) for n in range(1, 41)]
    await refusals.stop()
    assert noted.count(True) == EACH.burst


def test_a_bucket_fills_again_and_is_forgotten_when_there_are_too_many() -> None:
    buckets = TokenBuckets(Pace(burst=2, per_s=0.5), most=3)
    assert [buckets.take("a", 0.0) for _ in range(3)] == [True, True, False]
    assert [buckets.take("a", at) for at in (1.0, 2.0, 2.5)] == [False, True, False]
    for name in ("b", "c", "d"):
        buckets.take(name, 3.0)
    assert len(buckets) == 3 and buckets.take("a", 3.0)


async def test_numbers_that_the_books_do_not_take_are_told_later(pool: Pool) -> None:
    refusals = Refusals(InboxStore(pool), lambda: AT, monotonic=lambda: 0.0)
    refusals._count("shop", "203.0.113.7", "signature")
    await pool.execute("ALTER TABLE inbox_refusals RENAME TO elsewhere")
    await refusals.flush()
    await pool.execute("ALTER TABLE elsewhere RENAME TO inbox_refusals")
    assert await rows(pool) == (0, 0)
    await refusals.flush()
    assert await rows(pool) == (1, 1)
