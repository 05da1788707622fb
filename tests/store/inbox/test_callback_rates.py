"""The callback board on a real database: it equals the log, and asks once a run of bad spans."""

import asyncio
from datetime import datetime, timedelta

from store.inbox.callback_rates import BUCKET, GRACE, Alert, BoardStore, bucket_start
from store.inbox.inbox import InboxStore, Incoming, RefusedMessage
from store.pool import Pool
from store.tickets.tickets import TicketStore
from tests.store.examples import NOW, a_fact

LIMITS = {"below_bp": 9900, "after": 2}


async def calls(
    inbox: InboxStore, at: datetime, accepted: int, refused: int = 0, *, source: str = "wechat", reason: str = "sign"
) -> None:
    messages = [Incoming(source, f"{at:%d%H%M%S}-{n}", "k", bytes(32), b"{}", (a_fact(),), at) for n in range(accepted)]
    await inbox.add_many(messages)
    await inbox.refuse_many([RefusedMessage(source, "203.0.113.9", reason, "no", bytes(32), at)] * refused)


def after(n: int) -> datetime:
    """When the first `n` spans from NOW on can be judged."""
    return NOW + n * BUCKET + GRACE


async def test_the_board_equals_the_log(inbox: InboxStore, pool: Pool) -> None:
    await calls(inbox, NOW, accepted=2, refused=1)
    await calls(inbox, NOW, accepted=2)  # the same ones again
    await calls(inbox, NOW + timedelta(seconds=299), accepted=0, refused=1, reason="stale")
    await calls(inbox, NOW + BUCKET, accepted=0, refused=3, source="tms")
    first, second = await BoardStore(pool).buckets(NOW, NOW + timedelta(hours=1))
    assert (first.source, first.bucket, first.received, first.accepted) == ("wechat", NOW, 6, 4)
    assert (first.refused, first.rate_bp) == ({"sign": 1, "stale": 1}, 6667)
    assert (second.source, second.bucket, second.received, second.accepted) == ("tms", NOW + BUCKET, 3, 0)
    assert await BoardStore(pool).buckets(NOW, NOW + timedelta(hours=1), "tms") == (second,)
    in_the_view = await pool.fetch("SELECT source, rate_bp FROM callback_board")
    assert {tuple(row) for row in in_the_view} <= {("wechat", 6667), ("tms", 0)}


async def test_what_we_asked_for_is_no_call_and_a_call_about_it_is_one(inbox: InboxStore, pool: Pool) -> None:
    asked = Incoming("wechat", "e-1", "k", bytes(32), b"{}", (a_fact(),), NOW, via="query")
    called = Incoming("wechat", "e-1", "k", bytes(32), b"{}", (a_fact(),), NOW)
    await inbox.add_many([asked, asked])
    assert await BoardStore(pool).buckets(NOW, NOW + BUCKET) == ()
    await inbox.add_many([called])
    (bucket,) = await BoardStore(pool).buckets(NOW, NOW + BUCKET)
    assert (bucket.received, bucket.accepted) == (1, 1)


async def test_a_run_of_bad_spans_is_asked_about_once(inbox: InboxStore, pool: Pool) -> None:
    board = BoardStore(pool)
    for n, (accepted, refused) in enumerate([(99, 1), (98, 2), (9, 1), (9, 1), (1, 0), (0, 1), (0, 1)]):
        await calls(inbox, NOW + n * BUCKET, accepted, refused)
    found = [alert for n in range(1, 8) for alert in await board.judge(after(n), **LIMITS)]
    assert [(a.worst.bucket, a.bad_buckets) for a in found] == [(NOW + 2 * BUCKET, 2), (NOW + 6 * BUCKET, 2)]
    tickets = await TicketStore(pool).list()
    assert {t.ticket_id for t in tickets} == {a.ticket_id for a in found}
    assert "below 99.00 % in 2 spans of 5 min: of the last one's 10 calls 9 were accepted (90.00 %" in tickets[1].error
    assert await pool.fetchval("SELECT count(*) FROM callback_alerts") == 2
    assert await board.alerted() == {"wechat": True}


async def test_relays_that_judge_at_the_same_time_ask_once(inbox: InboxStore, pool: Pool) -> None:
    for n in range(3):
        await calls(inbox, NOW + n * BUCKET, 0, 1)
    relays = [BoardStore(pool) for _ in range(8)]
    await asyncio.gather(*(relay.judge(after(3), **LIMITS) for relay in relays))
    await asyncio.gather(*(relay.judge(after(3), **LIMITS) for relay in relays))
    assert await pool.fetchval("SELECT count(*) FROM callback_alerts") == 1
    assert [t.severity for t in await TicketStore(pool).list()] == ["normal"]


async def test_a_span_is_judged_when_it_is_over_and_all_at_once_after_a_pause(inbox: InboxStore, pool: Pool) -> None:
    board = BoardStore(pool)
    for n in range(2):
        await calls(inbox, NOW + n * BUCKET, 0, 1)
    assert await board.judge(after(2) - timedelta(seconds=1), **LIMITS) == ()
    (alert,) = await board.judge(after(60), **LIMITS)
    assert alert.worst.bucket == NOW + BUCKET


async def test_sources_do_not_share_their_runs_and_silence_does_not_end_one(inbox: InboxStore, pool: Pool) -> None:
    board = BoardStore(pool)
    await calls(inbox, NOW, 0, 1)
    await calls(inbox, NOW, 0, 1, source="tms")
    assert await board.judge(after(1), **LIMITS) == ()
    await calls(inbox, NOW + 9 * BUCKET, 5, 0, source="tms")
    await calls(inbox, NOW + 9 * BUCKET, 0, 1)
    (alert,) = await board.judge(after(10), **LIMITS)
    assert alert.worst.source == "wechat"


async def test_a_long_outage_stays_one_run(inbox: InboxStore, pool: Pool) -> None:
    board = BoardStore(pool)
    found: list[Alert] = []
    for n in range(0, 400, 20):
        await calls(inbox, NOW + n * BUCKET, 0, 1)
        found += await board.judge(after(n + 1), **LIMITS)
    assert len(found) == 1


def test_spans_begin_on_the_clock() -> None:
    assert bucket_start(datetime.fromisoformat("2026-03-04T19:14:59.9+08:00")) == datetime.fromisoformat(
        "2026-03-04T11:10:00+00:00"
    )
