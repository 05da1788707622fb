"""A sender on a real database, a clock that is moved by hand, and receivers behind real HTTP."""

import asyncio
import base64
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.outbound.published import USUAL, EventType, SubscriberRole
from domain.outbound.webhook_target import Reach
from relay.inbound.serving import Server
from relay.outbound.housekeeping import Housekeeping
from relay.outbound.retry_schedule import RetrySchedule
from relay.outbound.safe_post import Poster
from relay.outbound.sender import Sender
from relay.outbound.signing import Keyring
from store.orders.orders import OrderStore
from store.outbound.deliveries import DeliveryStore
from store.outbound.subscriptions import Delivery, SubscriptionStore
from store.pool import Pool
from store.tickets.tickets import TicketStore
from tests.postgres import database_url, pool

__all__ = ["database_url", "pool"]

SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
REF = "OMS_SUBSCRIPTION_TEST"
HERE = Reach(loopback=True)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass
class Clock:
    """Begins now, so that other libraries find our signatures fresh."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Heard:
    headers: dict[str, str]
    body: bytes


Answering = Callable[[Heard], Response]


@dataclass
class Receiver:
    """What another system has heard, and how it answers."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    answer: Answering = lambda _: Response(status_code=204)
    takes_s: float = 0.0
    at_once: int = 0
    most_at_once: int = 0

    async def hear(self, request: Request) -> Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        heard = Heard(dict(request.headers), await request.body())
        self.heard.append(heard)
        await asyncio.sleep(self.takes_s)
        self.at_once -= 1
        return self.answer(heard)

    def says(self, status: int, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = lambda _: Response(status_code=status, headers=named)

    @property
    def ids(self) -> list[str]:
        return [heard.headers["webhook-id"] for heard in self.heard]


@asynccontextmanager
async def serving(app: Starlette, **more: str) -> AsyncIterator[int]:
    port = free_port()
    # TLS files come as text options.
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, **more)  # type: ignore[arg-type]
    server = Server(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = server.force_exit = True
        await task


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with serving(Starlette(routes=[Route("/hook", receiver.hear, methods=["POST"])])) as port:
        receiver.url = f"http://127.0.0.1:{port}/hook"
        yield receiver


@dataclass
class World:
    """Everything around one database. `turn`: one look of a sender, until all it began has ended."""

    pool: Pool
    clock: Clock
    sender: Sender
    care: Housekeeping
    orders: OrderStore
    subscriptions: SubscriptionStore
    tickets: TicketStore

    async def turn(self) -> int:
        begun = await self.sender.turn()
        await asyncio.gather(*begun)
        return len(begun)

    async def subscribe(
        self,
        url: str,
        role: SubscriberRole = SubscriberRole.SALES,
        name: str = "shop",
        types: tuple[EventType, ...] = (),
    ) -> None:
        await self.subscriptions.add(name, role, url, REF, types or USUAL[role], "anna", self.clock())

    async def delivery(self, name: str = "shop") -> Delivery:
        (only,) = await self.subscriptions.deliveries(name)
        return only


@asynccontextmanager
async def a_sender(
    pool: Pool, clock: Clock, pace: RetrySchedule | None = None, reach: Reach = HERE, secret: str = SECRET
) -> AsyncIterator[Sender]:
    """Not started: `turn` makes it work."""
    pace = pace or RetrySchedule(attempt_s=2)
    poster = Poster(reach, deadline_s=pace.attempt_s, clock=clock)
    keyring = Keyring({REF: secret}.get, clock)  # type: ignore[arg-type]
    sender = Sender(DeliveryStore(pool), SubscriptionStore(pool), poster, keyring, clock, pace, lambda: 0.0)
    sender._ends.start()
    try:
        yield sender
    finally:
        await sender.stop()
        await poster.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as started:
        yield started


@pytest.fixture
async def world(pool: Pool, clock: Clock) -> AsyncIterator[World]:
    async with a_sender(pool, clock) as sender:
        care = Housekeeping(DeliveryStore(pool), clock, RetrySchedule())
        yield World(pool, clock, sender, care, OrderStore(pool), SubscriptionStore(pool), TicketStore(pool))
