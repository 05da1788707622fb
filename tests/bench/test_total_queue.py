"""The checker sees what it is there to see: ids, not counts."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.load.callbacks.arrivals import arrivals, in_every_stage
from bench.load.callbacks.journal import Journal
from bench.load.callbacks.messages import Message
from bench.load.callbacks.sending import evenly, rising
from bench.load.callbacks.total_queue import Balance, balance
from bench.load.callbacks.visibility import quantile
from bench.signing import SignedRequest
from store.inbox.inbox import InboxStore, Incoming
from store.pool import Pool

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def said(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


async def stored(pool: Pool, *bodies: bytes) -> None:
    """Each as a message of its own id; a body that comes again is a repeat."""
    rows = [
        Incoming("shop", said(body), "told", hashlib.sha256(body).digest(), body, (), NOW) for body in bodies
    ]  # fmt: skip
    await InboxStore(pool).add_many(rows)


async def judged(pool: Pool, attempted: dict[bytes, int], acked: dict[bytes, int]) -> Balance:
    return await balance(
        pool, {said(b): n for b, n in attempted.items()}, {said(b): n for b, n in acked.items()}
    )  # fmt: skip


async def test_what_was_sent_thanked_for_and_stored_balances(pool: Pool) -> None:
    await stored(pool, b"a", b"b", b"b")
    found = await judged(pool, {b"a": 2, b"b": 2}, {b"a": 1, b"b": 2})
    assert found.good and not found.recovered and (found.messages, found.attempts) == (2, 4)


async def test_a_message_that_was_thanked_for_and_is_not_there_is_lost_although_the_counts_agree(pool: Pool) -> None:
    await stored(pool, b"a", b"stranger")
    found = await judged(pool, {b"a": 1, b"b": 1}, {b"a": 1, b"b": 1})
    assert (set(found.lost), set(found.unexpected)) == ({said(b"b")}, {said(b"stranger")})


async def test_fewer_copies_than_thanks_are_lost_and_more_than_attempts_unexpected(pool: Pool) -> None:
    await stored(pool, b"a", b"b", b"b")
    found = await judged(pool, {b"a": 2, b"b": 1}, {b"a": 2, b"b": 1})
    assert (set(found.lost), set(found.unexpected)) == ({said(b"a")}, {said(b"b")})


async def test_a_message_whose_thanks_were_lost_is_recovered_not_unexpected(pool: Pool) -> None:
    await stored(pool, b"a")
    found = await judged(pool, {b"a": 1}, {})
    assert found.good and found.recovered == {said(b"a")}


async def test_a_message_stored_under_two_ids_is_doubled(pool: Pool) -> None:
    await stored(pool, b"a")
    await pool.execute(
        "INSERT INTO inbox (source, event_id, kind, digest, body, facts, received_at, state, next_try_at) "
        "SELECT source, 'other', kind, digest, body, facts, received_at, state, next_try_at FROM inbox"
    )
    assert (await judged(pool, {b"a": 2}, {b"a": 2})).duplicated == {said(b"a")}


async def test_a_message_that_has_come_to_no_end_is_lost(pool: Pool) -> None:
    await stored(pool, b"a")
    await pool.execute("UPDATE inbox SET state = 'parked'")
    (lost,) = (await judged(pool, {b"a": 1}, {b"a": 1})).lost
    assert "parked" in lost


def messages(life: str, count: int) -> list[Message]:
    def signed(_: datetime) -> SignedRequest:
        return SignedRequest({}, {}, b"")

    return [Message("shop", life, f"{life}{n}".encode(), signed) for n in range(count)]


def test_arrivals_are_drawn_from_the_seed_and_leave_nothing_out() -> None:
    lives = [messages(f"life-{n}-", 20) for n in range(50)]
    drawn = arrivals(lives, 7, doubled=0.1, shuffled=0.1)
    again = arrivals(lives, 7, doubled=0.1, shuffled=0.1)
    other = arrivals(lives, 8, doubled=0.1, shuffled=0.1)
    assert [m.id for m in drawn.messages] == [m.id for m in again.messages] != [m.id for m in other.messages]
    assert {m.id for m in drawn.messages} == {m.id for life in lives for m in life}
    assert len(drawn.messages) == 1_000 + drawn.doubled and 60 <= drawn.doubled <= 140 and 60 <= drawn.shuffled <= 140


def test_without_shuffling_each_life_arrives_in_its_own_order() -> None:
    lives = [messages("a", 5), messages("b", 3)]
    arrived = [m.body for m in arrivals(lives, 1).messages]
    assert [b for b in arrived if b.startswith(b"a")] == [m.body for m in lives[0]]


def test_a_line_of_the_journal_is_in_its_file_when_add_returns(tmp_path: Path) -> None:
    with Journal(tmp_path / "j" / "acked.jsonl") as journal:
        journal.add("m1", took_ms=2.5)
        journal.add("m1")
        lines = [json.loads(line) for line in journal.path.read_text().splitlines()]
    assert lines == [{"id": "m1", "took_ms": 2.5}, {"id": "m1"}] and journal.ids == {"m1": 2}


def test_in_every_stage_as_many_lives_begin_as_end() -> None:
    lives = [messages(f"{n:02d}", 6) for n in range(12)]
    stages = in_every_stage(lives, 4)
    of_life = {m.body: life for life in lives for m in life}
    assert len(stages.measured) == (12 - 4) * 6
    assert sorted(m.body for part in (stages.before, stages.measured, stages.after) for m in part) == sorted(of_life)
    for life in lives:
        assert [m for m in stages.before + stages.measured + stages.after if m in life] == list(life)
    begun = [of_life[m.body] for m in stages.measured if m is of_life[m.body][0]]
    ended = [of_life[m.body] for m in stages.measured if m is of_life[m.body][-1]]
    assert (begun, len(ended)) == (lives[4:], 8)
    first = {id(of_life[m.body]) for m in stages.measured[:6]}
    assert len(first) == 4  # as many as are under way at a time


def test_a_rising_rate_reaches_the_full_one_at_the_last_message() -> None:
    due = rising(1_000, 100.0)
    assert (due(0), due(1_000)) == (0.0, 20.0)
    assert 1 / (due(1_000) - due(999)) == pytest.approx(100, rel=0.01)
    assert [evenly(50.0)(n) for n in (0, 1, 100)] == [0.0, 0.02, 2.0]


def test_quantiles_are_values_that_were_measured() -> None:
    hundred = [float(n) for n in range(1, 101)]
    assert [quantile(hundred, q) for q in (0.5, 0.95, 0.99, 1.0)] == [50.0, 95.0, 99.0, 100.0]
    assert quantile([], 0.5) == 0.0 and quantile([3.0], 0.95) == 3.0
