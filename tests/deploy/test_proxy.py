"""The proxy before the relay and before Temporal. What its file says is compared with the relay's limits; that it holds
is tried where HAProxy is installed (`make proxy`)."""

import asyncio
import os
import re
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import free_port
from relay.inbound.limits import Limits
from tests.deploy.certificates import Authority

FILE = Path(__file__).resolve().parents[2] / "deploy/haproxy.cfg"
HEAD = b"POST /hooks/wechat HTTP/1.1\r\nhost: localhost\r\n"
CUT_S = 8.0
"""The proxy's five seconds, and some."""


def number(pattern: str) -> int:
    found = re.search(pattern, FILE.read_text())
    assert found, pattern
    return int(found[1])


def test_the_proxy_gives_up_before_the_relay_does_and_takes_no_more() -> None:
    limits = Limits()
    assert number(r"timeout http-request (\d+)s") < min(limits.head_s, limits.body_s)
    assert number(r"content-length\) gt (\d+)") == limits.body
    assert number(r"server relay .* maxconn (\d+)") < limits.connections
    assert number(r"sc0_conn_cur gt (\d+)") * 10 < limits.connections, "one caller alone leaves the others their share"


def test_nobody_reaches_temporal_without_a_certificate() -> None:
    assert re.search(r'bind "\$\{OMS_PROXY_TEMPORAL\}" .*verify required ca-file', FILE.read_text())


@dataclass
class Behind:
    """In the relay's place: keeps what came through."""

    heads: list[str] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                await reader.readexactly(int(length[1]) if length else 0)
                if not head.startswith(("GET", "OPTIONS")):
                    self.heads.append(head)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        writer.close()


@dataclass
class Proxy:
    port: int
    behind: Behind
    trust: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("localhost", self.port, ssl=self.trust)


@asynccontextmanager
async def proxied(folder: Path) -> AsyncIterator[Proxy]:
    behind, authority = Behind(), Authority(folder, "ours")
    certificate, key = authority.issue("proxy")
    whole = folder / "whole.pem"
    whole.write_bytes(certificate.read_bytes() + key.read_bytes())
    relay = await asyncio.start_server(behind.answer, "127.0.0.1", 0)
    inside = f"127.0.0.1:{relay.sockets[0].getsockname()[1]}"
    port = free_port()
    addresses = {
        "OMS_PROXY_CALLBACKS": f"127.0.0.1:{port}", "OMS_PROXY_TEMPORAL": f"127.0.0.1:{free_port()}",
        "OMS_PROXY_RELAY": inside, "OMS_PROXY_SERVER": inside,
        "OMS_PROXY_CERTIFICATE": str(whole), "OMS_PROXY_CLIENTS": str(authority.file),
    }  # fmt: skip
    program = await asyncio.create_subprocess_exec("haproxy", "-db", "-f", str(FILE), env=os.environ | addresses)
    proxy = Proxy(port, behind, ssl.create_default_context(cafile=authority.file))
    try:
        async with asyncio.timeout(CUT_S):
            while True:
                try:
                    _, writer = await proxy.connect()
                    break
                except OSError:
                    await asyncio.sleep(0.05)
        writer.close()
        yield proxy
    finally:
        program.terminate()
        await asyncio.wait_for(program.wait(), CUT_S)
        relay.close()


@pytest.mark.proxy
async def test_what_is_no_callback_does_not_come_through_and_callers_are_named(tmp_path: Path) -> None:
    async with proxied(tmp_path) as proxy, httpx.AsyncClient(verify=proxy.trust, base_url=proxy.url) as http:
        lies = {"x-forwarded-for": "101.226.103.1"}
        assert (await http.post("/hooks/wechat", content=b"{}", headers=lies)).status_code == 200
        refused = [
            await http.get("/hooks/wechat"), await http.post("/metrics"), await http.post("/hooks/../metrics"),
            await http.post("/hooks/wechat", content=b"x" * 1_000_001),
            await http.post("/hooks/wechat", content=b"x", headers={"content-encoding": "gzip"}),
        ]  # fmt: skip
    assert [answer.status_code for answer in refused] == [405, 404, 404, 413, 415]
    (head,) = proxy.behind.heads
    assert "x-forwarded-for: 127.0.0.1\r\n" in head.lower() and "101.226" not in head


@pytest.mark.proxy
async def test_slow_heads_and_bodies_end_at_the_proxy(tmp_path: Path) -> None:
    async with proxied(tmp_path) as proxy:
        for begun in (HEAD, HEAD + b"content-length: 100\r\n\r\nabc"):
            reader, writer = await proxy.connect()
            writer.write(begun)
            async with asyncio.timeout(CUT_S):
                assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
            writer.close()
        assert proxy.behind.heads == []


@pytest.mark.proxy
async def test_one_caller_takes_no_more_than_a_share_of_the_connections(tmp_path: Path) -> None:
    async with proxied(tmp_path) as proxy, AsyncExitStack() as open_ones:
        held = 0
        for _ in range(60):
            with suppress(OSError):
                _, writer = await proxy.connect()
                open_ones.callback(writer.close)
                held += 1
        assert 0 < held <= number(r"sc0_conn_cur gt (\d+)")


@pytest.mark.proxy
def test_the_file_is_one_that_haproxy_takes(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    certificate, key = authority.issue("proxy")
    whole = tmp_path / "whole.pem"
    whole.write_bytes(certificate.read_bytes() + key.read_bytes())
    names = ("OMS_PROXY_CALLBACKS", "OMS_PROXY_TEMPORAL", "OMS_PROXY_RELAY", "OMS_PROXY_SERVER")
    addresses = {name: f"127.0.0.1:{free_port()}" for name in names}
    files = {"OMS_PROXY_CERTIFICATE": str(whole), "OMS_PROXY_CLIENTS": str(authority.file)}
    done = subprocess.run(
        ["haproxy", "-c", "-f", str(FILE)], env=os.environ | addresses | files, capture_output=True, text=True,
        timeout=CUT_S, check=False,
    )  # fmt: skip
    assert (done.returncode, "WARNING" in done.stderr) == (0, False), done.stderr
