"""The codec server's own door: sizes, times, connections, and headers that others write. Raw sockets, nothing helps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
import uvicorn

from deploy.local.ports import free_port
from domain.access.authority import ProvenCaller
from domain.trust.encryption import PayloadKeys
from providers.tokens.errors import TokenInvalid
from providers.tokens.verify import TokenVerifier
from starter.codec_server.app import CodecServer
from starter.codec_server.serving import CodecLimits, door
from store.approvals.history_readers import HistoryReaders
from wire.encrypted_payloads import PayloadCipher

UI = "http://127.0.0.1:8233"
TIGHT = CodecLimits(head=4_000, head_s=0.4, keep_alive_s=1, connections=4)
BODY_S = 0.4
NOW = datetime(2026, 3, 2, tzinfo=UTC)
ASKED = b"POST /decode HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\n"
WHOLE = ASKED + b"content-length: 2\r\n\r\n{}"


class Anyone:
    """Knows one token; who has it may read."""

    async def verify_reader(self, token: str) -> ProvenCaller:
        if token != "good":
            raise TokenInvalid("no such token")
        return cast(ProvenCaller, _Known())

    async def admit(self, *_: Any) -> None:
        return


class _Known:
    person_id = "u-ops"


@dataclass
class Open:
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def says(self, *parts: bytes, then: float = 5.0) -> bytes:
        """Everything until the server closes the connection, which it has to do in time."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            async with asyncio.timeout(then):
                return await reader.read()
        finally:
            writer.close()


@pytest.fixture
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    known, cipher = Anyone(), PayloadCipher(PayloadKeys({"a": b"n" * 32}, own="a"))
    readers, verifier = cast(HistoryReaders, known), cast(TokenVerifier, known)
    served = CodecServer(cipher, verifier, readers, lambda: NOW, (UI,), body_s=BODY_S)
    port = free_port()
    server = uvicorn.Server(door(served.app, "127.0.0.1", port, getattr(request, "param", TIGHT)))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield Open(port)
    server.should_exit = True
    await serving


async def test_a_head_above_the_cap_is_431(opened: Open) -> None:
    long = ASKED + b"x-long: " + b"y" * 70_000 + b"\r\n\r\n"
    assert (await opened.says(long[:3_000], long[3_000:])).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("said", [(), (ASKED,)], ids=["nothing", "half a head"])
async def test_who_is_slow_to_ask_is_cut(opened: Open, said: tuple[bytes, ...]) -> None:
    assert await opened.says(*said) == b""


async def test_a_slow_body_is_408_and_cut_also_at_the_sign_in(opened: Open) -> None:
    assert (await opened.says(ASKED + b"content-length: 100\r\n\r\n", b"{")).startswith(b"HTTP/1.1 408 ")
    async with httpx.AsyncClient(trust_env=False) as http:

        async def slow() -> AsyncIterator[bytes]:
            yield b"token="
            await asyncio.sleep(3 * BODY_S)

        assert (await http.post(opened.url, content=slow())).status_code == 408


async def test_nobody_sends_a_body_before_saying_who_they_are(opened: Open) -> None:
    strangers = ASKED.replace(b"good", b"bad") + b"content-length: 10000000\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", opened.port)
    writer.write(strangers)
    async with asyncio.timeout(BODY_S):
        assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
    writer.close()


@pytest.mark.parametrize("opened", [replace(TIGHT, head_s=60.0)], indirect=True, ids=["patient"])
async def test_above_its_connections_it_says_so_and_far_above_it_says_nothing(opened: Open) -> None:
    held = [await asyncio.open_connection("127.0.0.1", opened.port) for _ in range(TIGHT.connections)]
    assert (await opened.says(WHOLE)).startswith(b"HTTP/1.1 503 ")
    held += [await asyncio.open_connection("127.0.0.1", opened.port) for _ in range(TIGHT.connections)]
    with suppress(ConnectionError):
        assert await opened.says(WHOLE) == b"", "closed without a word"
    for _, writer in held:
        writer.close()
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(5):
        while (await http.get(f"{opened.url}/healthz")).status_code != 200:
            await asyncio.sleep(0.05)


FORWARDED = {
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
    "forwarded": "for=127.0.0.1;host=evil.example;proto=https",
}


async def test_what_a_header_says_of_the_caller_changes_nothing(opened: Open) -> None:
    async with httpx.AsyncClient(trust_env=False, base_url=opened.url) as http:
        token = {"token": "good"}
        own = await http.post("/", data=token, headers={"origin": opened.url, **FORWARDED})
        assert own.status_code == 200 and "secure" not in own.headers["set-cookie"].lower()
        other = await http.post("/", data=token, headers={"origin": "https://evil.example", **FORWARDED})
        assert other.status_code == 403


async def test_a_page_that_is_not_the_web_ui_is_told_nothing_whatever_it_claims(opened: Open) -> None:
    async with httpx.AsyncClient(trust_env=False, base_url=opened.url) as http:
        for origin in ("https://evil.example", "null", f"{UI}.evil.example", UI.upper(), f"{UI}/"):
            asked = {"origin": origin, "authorization": "Bearer good", **FORWARDED}
            answer = await http.post("/decode", content=b"{}", headers=asked)
            assert "access-control-allow-origin" not in answer.headers, origin
            wish = {"origin": origin, "access-control-request-method": "POST"}
            assert (await http.options("/decode", headers=wish)).status_code == 400
        own = await http.post("/decode", content=b"{}", headers={"origin": UI, "authorization": "Bearer good"})
        assert (own.status_code, own.headers["access-control-allow-origin"]) == (200, UI)
