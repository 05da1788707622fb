"""Temporal behind a gate that asks for certificates: our settings bring one along, and without it nobody gets in."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from config.settings import TemporalSettings
from deploy.local.temporal import LocalTemporal, temporary_temporal
from tests.deploy.certificates import Authority

WAIT_S = 10.0


@asynccontextmanager
async def gate(server: LocalTemporal, authority: Authority) -> AsyncIterator[str]:
    """As an operator's proxy stands before Temporal: certificates of this authority get through."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("gate"))
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, to_server = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(_copy(reader, to_server), _copy(inner, writer))

    listening = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
    try:
        yield f"localhost:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await source.read(65_536):
            target.write(part)
            await target.drain()
    target.close()


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalTemporal]:
    with temporary_temporal(tmp_path_factory.mktemp("temporal")) as server:
        yield server


async def connect(address: str, namespace: str = "default") -> Client:
    """By the settings of a process of ours."""
    settings = TemporalSettings(temporal_address=address, temporal_namespace=namespace)
    async with asyncio.timeout(WAIT_S):
        return await Client.connect(**settings.connect_arguments())


async def test_a_certificate_of_ours_gets_in_and_only_into_its_namespace(
    temporal: LocalTemporal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Authority(tmp_path, "ours")
    certificate, key = ours.issue("worker")
    monkeypatch.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(ours.file))
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", str(certificate))
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_KEY_PATH", str(key))
    async with gate(temporal, ours) as address:
        assert await (await connect(address)).count_workflows() is not None
        with pytest.raises(RPCError) as refused:
            await (await connect(address, "somebody-elses")).count_workflows()
    assert refused.value.status is RPCStatusCode.NOT_FOUND


@pytest.mark.parametrize("whose", ["nobody's", "a stranger's"])
async def test_nobody_gets_in_without_one_or_with_a_strangers(
    temporal: LocalTemporal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    ours = Authority(tmp_path, "ours")
    monkeypatch.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(ours.file))
    if whose == "a stranger's":
        certificate, key = Authority(tmp_path, "theirs").issue("worker")
        monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", str(certificate))
        monkeypatch.setenv("TEMPORAL_TLS_CLIENT_KEY_PATH", str(key))
    async with gate(temporal, ours) as address:
        with pytest.raises((RuntimeError, RPCError)):
            await connect(address)
