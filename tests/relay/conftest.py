"""A relay on a real database, a real HTTP server and a real Temporal server."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RetryConfig

from deploy.local import ports
from deploy.local.logins import as_role
from deploy.local.temporal import LocalTemporal, temporary_temporal
from providers.callbacks import Receiver
from relay.assembly import Relay
from relay.delivery.loop import DeliverySettings
from relay.inbound.limits import Limits
from relay.inbound.serving import server
from store.inbox.inbox import InboxStore
from store.orders.orders import OrderStore
from store.pool import Pool, open_pool
from tests.postgres import at, database_url, pool
from tests.relay.hmac_source import BrokenReceiver, HmacReceiver
from tests.relay.recorder import recording

__all__ = ["database_url", "pool"]

RECEIVERS: dict[str, Receiver] = {"shop": HmacReceiver(), "broken": BrokenReceiver()}


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Running:
    relay: Relay
    port: int
    http: httpx.AsyncClient


@asynccontextmanager
async def running(
    pool: Pool,
    client: Client,
    *,
    receivers: dict[str, Receiver] | None = None,
    limits: Limits | None = None,
    url: str = "",
    **more: Any,
) -> AsyncIterator[Running]:
    """The whole relay behind its own server on a free port, with the rights of its role on the database of `pool`.
    `url`: where that is, unless on the tests' own server."""
    limits = limits or Limits()
    url = url or at(str(await pool.fetchval("SELECT current_database()")))
    own = await open_pool(as_role(url, "oms_relay"), max_size=30, application="test-relay")
    relay = Relay(own, client, receivers or RECEIVERS, now, limits=limits, **more)
    port = ports.free_port()
    serving = server(relay.app, limits, ports.LOOPBACK, port)
    task = asyncio.create_task(serving.serve())
    await until(lambda: asyncio.sleep(0, serving.started))
    try:
        async with httpx.AsyncClient(base_url=f"http://{ports.LOOPBACK}:{port}", timeout=15) as http:
            yield Running(relay, port, http)
    finally:
        serving.should_exit = True
        await task
        await own.close()


async def until(probe: Callable[[], Awaitable[Any]], within_s: float = 20) -> Any:
    """The first true answer of `probe`; fails with the last one when the time is over."""
    deadline = time.monotonic() + within_s
    while not (answer := await probe()):
        assert time.monotonic() < deadline, f"still {answer!r} after {within_s} s"
        await asyncio.sleep(0.02)
    return answer


async def lazy_client(address: str) -> Client:
    return await Client.connect(
        address,
        data_converter=pydantic_data_converter,
        retry_config=RetryConfig(max_elapsed_time_millis=500, max_retries=2),
        lazy=True,
    )


@pytest.fixture(scope="session")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalTemporal]:
    with temporary_temporal(tmp_path_factory.mktemp("temporal")) as started:
        yield started


@pytest.fixture
async def client(temporal: LocalTemporal) -> AsyncIterator[Client]:
    connected = await Client.connect(temporal.address, data_converter=pydantic_data_converter)
    async with recording(connected):
        yield connected


@pytest.fixture
async def nowhere() -> Client:
    """A client of a Temporal server that does not run."""
    return await lazy_client(f"{ports.LOOPBACK}:{ports.free_port()}")


@pytest.fixture
async def door(pool: Pool, nowhere: Client) -> AsyncIterator[Running]:
    """A relay without Temporal: what the door does must not depend on it."""
    async with running(pool, nowhere) as started:
        yield started


@pytest.fixture
async def delivering(pool: Pool, client: Client) -> AsyncIterator[Running]:
    async with running(pool, client, pace=DeliverySettings(linger_s=0.1)) as started:
        yield started


@pytest.fixture
def orders(pool: Pool) -> OrderStore:
    return OrderStore(pool)


@pytest.fixture
def inbox(pool: Pool) -> InboxStore:
    return InboxStore(pool)
