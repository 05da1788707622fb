"""Abuse below HTTP's surface: too much, too slow, too deep in headers. Raw sockets, so that nothing helps."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from temporalio.client import Client

from providers.generic.receiver import GenericReceiver
from relay.inbound.limits import Limits
from store.pool import Pool
from tests.providers.test_generic_receiver import MAPPING, SECRET, SHIPPED
from tests.providers.test_generic_receiver import signed as webhook
from tests.relay.conftest import Running, running
from tests.relay.hmac_source import fact, message, sign, signed

TIGHT = Limits(body=10_000, body_s=0.4, head=4_000, head_s=0.4, keep_alive_s=1)


@pytest.fixture
async def tight(pool: Pool, nowhere: Client) -> AsyncIterator[Running]:
    async with running(pool, nowhere, limits=TIGHT) as started:
        yield started


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer_to(port: int, *parts: bytes) -> bytes:
    """Everything the server says until it closes the connection, which it has to do in time."""
    async with connected(port) as (reader, writer):
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(5):
            return await reader.read()


HEAD = b"POST /hooks/shop HTTP/1.1\r\nhost: x\r\n"


async def test_a_declared_body_above_the_cap_is_413(tight: Running) -> None:
    answer = await tight.http.post("/hooks/shop", content=b"x" * 10_001)
    assert answer.status_code == 413


async def test_fifty_megabytes_are_413_and_never_held(door: Running, pool: Pool) -> None:
    answer = await door.http.post("/hooks/shop", content=b"x" * 50_000_000)
    assert answer.status_code == 413
    assert await pool.fetchval("SELECT reason FROM inbox_refusals") == "too_large"


async def test_a_chunked_body_is_cut_at_the_cap(tight: Running) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 1_000

    assert (await tight.http.post("/hooks/shop", content=parts())).status_code == 413


async def test_a_body_at_the_cap_is_read(tight: Running) -> None:
    body = message("e-1", fact("k-1"))
    padded = body + b" " * (10_000 - len(body))
    assert (await tight.http.post("/hooks/shop", content=padded, headers=sign(padded))).status_code == 200


async def test_a_mapped_source_may_send_two_megabytes_and_no_byte_more(pool: Pool, nowhere: Client) -> None:
    """As its page says (docs/contract/generic-source.md)."""
    receiver = GenericReceiver(MAPPING, [SECRET])
    body = json.dumps(SHIPPED).encode()
    async with running(pool, nowhere, receivers={receiver.source: receiver}) as started:
        for size, status in ((2_000_000, 204), (2_000_001, 413)):
            padded = body + b" " * (size - len(body))
            headers = webhook(padded, at=datetime.now(UTC)).headers
            answer = await started.http.post(f"/hooks/{receiver.source}", content=padded, headers=dict(headers))
            assert answer.status_code == status, answer.text
        broken = json.dumps(SHIPPED | {"happened": "yesterday"}).encode()
        headers = webhook(broken, at=datetime.now(UTC)).headers
        answer = await started.http.post(f"/hooks/{receiver.source}", content=broken, headers=dict(headers))
    assert answer.status_code == 400 and "occurred_at" in answer.json()["detail"]


async def test_a_slow_body_is_408_and_the_connection_is_closed(tight: Running) -> None:
    said = await answer_to(tight.port, HEAD + b"content-length: 100\r\n\r\n", b"x")
    assert said.startswith(b"HTTP/1.1 408 ")


async def test_slow_headers_are_cut(tight: Running) -> None:
    assert await answer_to(tight.port, HEAD) == b""


async def test_a_connection_that_says_nothing_is_cut(tight: Running) -> None:
    assert await answer_to(tight.port) == b""


async def test_dribbled_headers_do_not_win_time(tight: Running) -> None:
    async def dribble(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x-a: b\r\n")
            await asyncio.sleep(0.1)

    async with connected(tight.port) as (reader, writer):
        writer.write(HEAD)
        dribbling = asyncio.create_task(dribble(writer))
        async with asyncio.timeout(3):
            with suppress(ConnectionError):
                assert await reader.read() == b""
        dribbling.cancel()


async def test_an_idle_kept_alive_connection_is_cut(tight: Running) -> None:
    body = message("e-1", fact("k-1"))
    head = f"content-length: {len(body)}\r\nx-signature: {sign(body)['x-signature']}\r\n\r\n".encode()
    said = await answer_to(tight.port, HEAD + head + body)
    assert said.startswith(b"HTTP/1.1 200 ")


TOO_LARGE = (
    HEAD + b"x-long: " + b"y" * 70_000 + b"\r\n\r\n",
    HEAD + b"".join(b"x-%d: y\r\n" % i for i in range(1_000)) + b"\r\n",
    b"POST /hooks/shop?" + b"y" * 70_000 + b" HTTP/1.1\r\n\r\n",
    HEAD + b"x-unfinished: " + b"y" * 70_000,
)
BROKEN = (
    HEAD + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    HEAD + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabc",
    b"POST /hooks/shop HTTP/1.1\nhost: x\n\n",
    b"POST /hooks/\xff HTTP/1.1\r\n\r\n",
    HEAD + b"x-a: b\r\n\tc\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)


async def test_a_head_above_the_cap_is_431(tight: Running) -> None:
    for head in TOO_LARGE:
        # Two writes, so that an unfinished line is met in the middle too.
        assert (await answer_to(tight.port, head[:3_000], head[3_000:])).startswith(b"HTTP/1.1 431 "), head[:60]


async def test_ambiguous_or_broken_requests_are_400(tight: Running) -> None:
    for head in BROKEN:
        assert (await answer_to(tight.port, head)).startswith(b"HTTP/1.1 400 "), head[:60]


async def test_compressed_bodies_are_415_and_never_opened(tight: Running) -> None:
    bomb = b"\x1f\x8b\x08\x00" + b"\x00" * 100
    answer = await tight.http.post("/hooks/shop", content=bomb, headers={"content-encoding": "gzip", **sign(bomb)})
    assert answer.status_code == 415


async def test_a_body_cut_short_stores_nothing(tight: Running, pool: Pool) -> None:
    async with connected(tight.port) as (_, writer):
        writer.write(HEAD + b"content-length: 100\r\n\r\nabc")
        await writer.drain()
    assert (await tight.http.post("/hooks/shop", **signed("e-1", fact("k-1")))).status_code == 200
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 1
