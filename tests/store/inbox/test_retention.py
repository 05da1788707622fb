"""Old bodies go, rows stay; what still waits for somebody keeps all of it."""

import asyncio
from datetime import timedelta

import pytest

from domain.inbox.retention import Retention
from store.inbox.inbox import Added, InboxStore
from store.inbox.retention import RetentionStore
from store.pool import Pool
from tests.store.examples import NOW
from tests.store.inbox.test_intake import incoming, refusal

RULES = Retention(applied_days=10, refused_days=5, repeats_days=3)
AFTER = NOW + timedelta(days=4000)


async def put(inbox: InboxStore, pool: Pool, state: str) -> None:
    await inbox.add_many([incoming("e-1", body=b"personal")])
    await pool.execute("UPDATE inbox SET state = $1", state)


async def body(pool: Pool) -> bytes:
    found: bytes = await pool.fetchval("SELECT body FROM inbox")
    return found


@pytest.mark.parametrize("state", ["received", "delivered", "held", "parked", "dead", "conflicting"])
async def test_what_waits_keeps_its_body_for_ever(inbox: InboxStore, pool: Pool, state: str) -> None:
    await put(inbox, pool, state)
    assert (await RetentionStore(pool).tidy(RULES, AFTER)).bodies == 0
    assert await body(pool) == b"personal"


@pytest.mark.parametrize("state", ["applied", "stale", "duplicate", "mismatch", "kept"])
async def test_what_is_over_loses_its_body_and_stays_a_duplicate(inbox: InboxStore, pool: Pool, state: str) -> None:
    await put(inbox, pool, state)
    assert (await RetentionStore(pool).tidy(RULES, AFTER)).bodies == 1
    assert await body(pool) == b""
    assert (await RetentionStore(pool).tidy(RULES, AFTER)).bodies == 0
    assert await inbox.add_many([incoming("e-1", body=b"personal")]) == [Added.DUPLICATE]
    assert await inbox.add_many([incoming("e-1", "something else")]) == [Added.CONFLICT]


async def test_days_are_counted_from_receipt_by_state(inbox: InboxStore, pool: Pool) -> None:
    await put(inbox, pool, "applied")
    store = RetentionStore(pool)
    assert (await store.tidy(RULES, NOW + timedelta(days=10))).bodies == 0
    assert (await store.tidy(RULES, NOW + timedelta(days=10, seconds=1))).bodies == 1


async def test_refused_rows_and_repeats_go_after_their_days(inbox: InboxStore, pool: Pool) -> None:
    await inbox.refuse_many([refusal(), refusal()])
    await inbox.add_many([incoming("e-1")])
    await inbox.add_many([incoming("e-1")])
    store = RetentionStore(pool)
    young = await store.tidy(RULES, NOW + timedelta(days=3))
    assert (young.refusals, young.repeats) == (0, 0)
    old = await store.tidy(RULES, NOW + timedelta(days=6))
    assert (old.refusals, old.repeats) == (2, 1)


async def test_a_night_is_tidied_by_one_of_many_relays(pool: Pool) -> None:
    begun = await asyncio.gather(*(RetentionStore(pool).begin("retention", NOW.date(), NOW) for _ in range(6)))
    assert begun.count(True) == 1
