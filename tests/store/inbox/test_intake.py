"""A message is stored once, before it is acknowledged; what was not believed is noted."""

import asyncio
import hashlib
from dataclasses import replace

import pytest

from store.inbox.courier_scans import StoredScan, TraceStore
from store.inbox.inbox import Added, InboxStore, Incoming, RefusedMessage
from store.inbox.listing import InboxListing
from store.pool import Pool
from tests.store.examples import NOW, a_fact

NEW, DUPLICATE, CONFLICT = Added.NEW, Added.DUPLICATE, Added.CONFLICT


def incoming(event_id: str, says: str = "paid", **changes: object) -> Incoming:
    message = Incoming(
        source="wechat",
        event_id=event_id,
        kind="TRANSACTION.SUCCESS",
        digest=hashlib.sha256(says.encode()).digest(),
        body=b"encrypted anew each time",
        facts=(a_fact(order_no="SO20261120"),),
        received_at=NOW,
    )
    return replace(message, **changes)  # type: ignore[arg-type]


def refusal(reason: str = "signature") -> RefusedMessage:
    return RefusedMessage("wechat", "203.0.113.9", reason, "not signed by them", hashlib.sha256(b"x").digest(), NOW)


async def test_a_message_is_new_once_and_a_duplicate_ever_after(inbox: InboxStore, pool: Pool) -> None:
    assert await inbox.add_many([incoming("e-1")]) == [NEW]
    assert [await inbox.add_many([incoming("e-1")]) for _ in range(9)] == [[DUPLICATE]] * 9
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 1


async def test_answers_come_in_the_order_of_the_batch_also_for_repeats_within_it(inbox: InboxStore) -> None:
    await inbox.add_many([incoming("e-2")])
    batch = [incoming("e-3"), incoming("e-2"), incoming("e-1"), incoming("e-3"), incoming("e-2", "something else")]
    assert await inbox.add_many(batch) == [NEW, DUPLICATE, NEW, DUPLICATE, CONFLICT]


async def test_an_event_id_used_for_another_message_is_a_conflict_and_the_first_stays(
    inbox: InboxStore, pool: Pool
) -> None:
    await inbox.add_many([incoming("e-1", body=b"first")])
    assert await inbox.add_many([incoming("e-1", "something else", body=b"second")]) == [CONFLICT]
    assert await pool.fetchval("SELECT body FROM inbox") == b"first"


async def test_the_same_event_id_of_two_sources_is_two_messages(inbox: InboxStore) -> None:
    assert await inbox.add_many([incoming("e-1"), incoming("e-1", source="tms")]) == [NEW, NEW]


async def test_rows_are_numbered_in_order_of_arrival(inbox: InboxStore, pool: Pool) -> None:
    await inbox.add_many([incoming(e) for e in ("z", "m", "a")])
    assert [r["event_id"] for r in await pool.fetch("SELECT event_id FROM inbox ORDER BY id")] == ["z", "m", "a"]


async def test_relays_storing_the_same_messages_at_once_store_each_once_and_never_block(
    inbox: InboxStore, pool: Pool
) -> None:
    names = [f"e-{n}" for n in range(400)]
    batches = [names, names[::-1]] * 3
    answers = await asyncio.gather(*(inbox.add_many([incoming(e) for e in batch]) for batch in batches))
    assert sum(answer.count(NEW) for answer in answers) == 400
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 400


async def test_a_message_without_facts_is_kept_and_never_delivered(inbox: InboxStore, pool: Pool) -> None:
    scan = StoredScan("W1", "k-1", "kuaidi100", NOW, "在途", "离开杭州", "杭州")
    await inbox.add_many([incoming("e-1", facts=(), trace=(scan, scan))])
    await inbox.add_many([incoming("e-1", facts=(), trace=(scan,))])
    assert await inbox.claim(10, 30, NOW) == []
    assert await TraceStore(pool).list("W1") == (StoredScan("W1", "k-1", "wechat", NOW, "在途", "离开杭州", "杭州"),)


async def test_a_nul_character_spoils_neither_the_batch_nor_the_row(inbox: InboxStore) -> None:
    strange = incoming("e\x00-1", facts=(a_fact(note="a\x00b", order_no="SO20261120"),))
    assert await inbox.add_many([strange, incoming("e-2")]) == [NEW, NEW]
    assert await inbox.add_many([strange]) == [DUPLICATE]
    assert [fact.note for row in await inbox.claim(10, 30, NOW) for fact in row.facts] == ["a\ufffdb", ""]


async def test_refusals_are_stored_with_caller_and_reason(inbox: InboxStore, pool: Pool) -> None:
    assert await inbox.refuse_many([refusal(), refusal("foreign_ip")]) == [None, None]
    found = await InboxListing(pool).refusals()
    assert [(r.reason, r.remote_ip) for r in found] == [("foreign_ip", "203.0.113.9"), ("signature", "203.0.113.9")]


async def test_a_cards_number_is_stored_nowhere_and_a_repeat_stays_a_duplicate(
    inbox: InboxStore, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bodies and words lose it before they are written; the numbers that the message names as its own stay."""
    card, waybill = "4111 1111 1111 1111", "5555555555554444"
    fact = a_fact(order_no="SO20261120", note=f"paid with {card}, waybill {waybill}")
    scan = StoredScan(waybill, "k1", "wechat", NOW, "SIGNED", f"signed, card {card}")
    body = f'{{"waybill": "{waybill}", "card": "{card}", "cvv": "123"}}'.encode()
    message = incoming("e-card", body=body, facts=(fact,), trace=(scan,))
    assert await inbox.add_many([message]) == [NEW]
    assert await inbox.add_many([message]) == [DUPLICATE]
    assert await inbox.add_many([replace(message, digest=b"x" * 32)]) == [CONFLICT]
    held = await pool.fetch(
        "SELECT body, facts::text AS facts FROM inbox UNION ALL SELECT '', text FROM courier_traces"
    )
    said = "".join(row["body"].decode() + row["facts"] for row in held)
    assert said.count("************1111") == 5 and card not in said and '"cvv": "***"' in said
    assert waybill in said
    assert card not in capsys.readouterr().out
