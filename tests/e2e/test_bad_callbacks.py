"""Callbacks that must not be believed, and believed ones that come again: refused with a reason, applied once."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bench.demo.environment import DemoEnvironment
from bench.signing import SignedRequest
from tests.e2e.lives import orders_with_goods, play
from tests.e2e.senders import Senders, SentMessage
from tests.e2e.stillness import nothing_changes, silence

SOURCES = ("wechat", "qimen", "tms", "kuaidi100")
STALE = timedelta(seconds=301)
GENUINE = """SELECT DISTINCT ON (source) source, event_id, kind, body FROM inbox WHERE via = 'callback'
    ORDER BY source, state = 'applied' DESC, id"""
REFUSALS = "SELECT reason, body_sha256 FROM inbox_refusals WHERE source = $1 ORDER BY id"
REPEATS = "SELECT count(*) FROM inbox_repeats r JOIN inbox i ON i.id = r.inbox_id WHERE i.source = $1"
Spoil = Callable[[Senders, SentMessage], SignedRequest]


@pytest.fixture
def senders(logs: Path) -> Senders:
    return Senders(logs.parent)


@pytest.fixture
async def told(stage: DemoEnvironment) -> dict[str, SentMessage]:
    """By source: a genuine message out of the life of an order that has ended."""
    if len(await stage.pool.fetch(GENUINE)) < len(SOURCES):
        await play(stage, await orders_with_goods(stage, 1))
        await silence(stage)
    return {row["source"]: SentMessage(**row) for row in await stage.pool.fetch(GENUINE)}


def now() -> datetime:
    return datetime.now(UTC)


def forged(senders: Senders, told: SentMessage) -> SignedRequest:
    """Signed by the right hand, then one word changed."""
    message = senders.again(told, now())
    body = (
        message.body.replace(b"0", b"1", 1)
        if told.source != "kuaidi100"
        else message.body.replace(b"param=%7B", b"param=%7B+", 1)
    )
    assert body != message.body
    return replace(message, body=body)


def stale(senders: Senders, told: SentMessage) -> SignedRequest:
    return senders.again(told, now() - STALE)


def early(senders: Senders, told: SentMessage) -> SignedRequest:
    return senders.again(told, now() + STALE + timedelta(seconds=5))


def anothers(senders: Senders, told: SentMessage) -> SignedRequest:
    return senders.again(told, now(), account="1900000999")


def unsigned(senders: Senders, told: SentMessage) -> SignedRequest:
    form = {"content-type": "application/x-www-form-urlencoded"}
    return SignedRequest(form if told.source == "kuaidi100" else {}, {}, told.body.partition(b"&")[0])


def ten_megabytes(senders: Senders, told: SentMessage) -> SignedRequest:
    return replace(senders.again(told, now()), body=b"x" * 10_000_000)


CASES: list[tuple[str, Spoil, int, str]] = [
    ("wechat", forged, 401, "signature"),
    ("wechat", stale, 401, "stale"),
    ("wechat", early, 401, "stale"),
    ("wechat", anothers, 401, "wrong_merchant"),
    ("wechat", unsigned, 401, "missing_header"),
    ("wechat", ten_megabytes, 413, "too_large"),
    ("qimen", forged, 401, "signature"),
    ("qimen", stale, 401, "stale"),
    ("qimen", early, 401, "early"),
    ("qimen", anothers, 401, "account"),
    ("qimen", unsigned, 400, "missing_parameter"),
    ("qimen", ten_megabytes, 413, "too_large"),
    ("tms", forged, 401, "signature"),
    ("tms", stale, 401, "timestamp"),
    ("tms", early, 401, "timestamp"),
    ("tms", unsigned, 401, "headers"),
    ("tms", ten_megabytes, 413, "too_large"),
    ("kuaidi100", forged, 401, "signature"),
    ("kuaidi100", unsigned, 401, "headers"),
    ("kuaidi100", ten_megabytes, 413, "too_large"),
]
"""TMS and Kuaidi100 name no merchant, and Kuaidi100's pushes no time: their secret is all there is."""


async def send(stage: DemoEnvironment, city: dict[str, str], source: str, message: SignedRequest) -> httpx.Response:
    url = f"{city['OMS_RELAY_URL']}/hooks/{source}"
    return await stage.http.post(url, params=message.params, headers=message.headers, content=message.body)


@pytest.mark.parametrize(
    ("source", "spoil", "status", "reason"), CASES, ids=[f"{source}-{spoil.__name__}" for source, spoil, *_ in CASES]
)
async def test_a_callback_that_must_not_be_believed_is_a_refusal_with_its_reason_and_changes_nothing(
    stage: DemoEnvironment, city: dict[str, str], senders: Senders, told: dict[str, SentMessage],
    source: str, spoil: Spoil, status: int, reason: str,
) -> None:  # fmt: skip
    message = spoil(senders, told[source])
    async with nothing_changes(stage):
        before = await stage.pool.fetch(REFUSALS, source)
        reply = await send(stage, city, source, message)
        after = await stage.pool.fetch(REFUSALS, source)
    assert reply.status_code == status, reply.text
    assert after[:-1] == before
    read = b"" if reason == "too_large" else message.body
    assert dict(after[-1]) == {"reason": reason, "body_sha256": hashlib.sha256(read).digest()}
    assert "Traceback" not in reply.text


@pytest.mark.parametrize("source", SOURCES)
async def test_a_genuine_message_sent_again_is_thanked_for_and_applied_once(
    stage: DemoEnvironment,
    city: dict[str, str],
    senders: Senders,
    told: dict[str, SentMessage],
    replayed: Counter[str],
    source: str,
) -> None:
    message = senders.again(told[source], now())
    async with nothing_changes(stage):
        repeats = await stage.pool.fetchval(REPEATS, source)
        refusals = await stage.pool.fetch(REFUSALS, source)
        for _ in range(2):  # signed anew, and the very same bytes
            replayed[source] += 1
            reply = await send(stage, city, source, message)
            assert reply.is_success, reply.text
        await silence(stage)
        assert await stage.pool.fetchval(REPEATS, source) == repeats + 2
        assert await stage.pool.fetch(REFUSALS, source) == refusals


async def test_an_unknown_source_is_not_found(stage: DemoEnvironment, city: dict[str, str]) -> None:
    async with nothing_changes(stage):
        reply = await send(stage, city, "nobody", SignedRequest({}, {}, b"{}"))
    assert reply.status_code == 404
    assert "no such source" in reply.json()["error"]
