"""What every part of the play can reach: client, store, the sandboxes' own addresses, and where each order stands."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
from temporalio.client import Client

from bench.demo.sandbox_urls import sandbox_urls
from bench.demo.staffing import Office
from config.settings import Settings
from config.sources import state_dir
from domain.order import StartOrder
from domain.policy import Policy
from starter.clients.orders import OrderClient, connect_temporal
from starter.clients.proving import Prover
from starter.clients.stack_prover import stack_prover
from store.approvals.people import PeopleStore
from store.pool import open_pool
from store.rules.policies import PolicyStore

LOOK = """
SELECT o.order_no, o.status, o.payment_status, o.paid_minor, o.refunded_minor, o.ended_at, o.needs_attention,
       coalesce((SELECT array_agg(c.status ORDER BY c.nn) FROM child_orders c WHERE c.order_no = o.order_no), '{}')
           AS children,
       (SELECT t.ticket_id FROM tickets t
        WHERE t.order_no = o.order_no AND t.state = 'open' AND t.severity <> 'info' LIMIT 1) AS ticket_id
FROM orders o WHERE o.order_no = ANY($1)"""
LOOK_EVERY_S = 0.3


class TookTooLong(Exception):
    """An order did not come where the play expected it. Names the order and where it stands."""


@dataclass(frozen=True)
class Seen:
    """One order as the read model shows it now."""

    status: str = "-"
    payment_status: str = "-"
    paid_minor: int = 0
    refunded_minor: int = 0
    ended: bool = False
    children: tuple[str, ...] = ()
    ticket_id: str | None = None


@dataclass
class DemoEnvironment:
    client: OrderClient
    temporal: Client
    pool: "asyncpg.Pool[asyncpg.Record]"
    office: Office
    prover: Prover | None
    """People of the books sign in, for everybody else the shop's backend speaks."""
    sandboxes: Mapping[str, str]
    """Sandbox name → URL."""
    http: httpx.AsyncClient
    seen: dict[str, Seen] = field(default_factory=dict)
    patience_s: float = 180.0

    async def watch(self, numbers: Callable[[], list[str]]) -> None:
        """Keeps `seen` fresh with one query for all orders, until cancelled."""
        while True:
            try:
                rows = await self.pool.fetch(LOOK, numbers())
            except (OSError, asyncpg.PostgresError, TimeoutError):
                rows = []
            for r in rows:
                self.seen[r["order_no"]] = Seen(
                    r["status"], r["payment_status"], r["paid_minor"], r["refunded_minor"],
                    r["ended_at"] is not None, tuple(r["children"]), r["ticket_id"],
                )  # fmt: skip
            await asyncio.sleep(LOOK_EVERY_S)

    async def until(self, order_no: str, what: str, reached: Callable[[Seen], bool]) -> Seen:
        """Waits until the read model shows it. Raises `TookTooLong`."""
        try:
            async with asyncio.timeout(self.patience_s):
                while not reached(seen := self.seen.get(order_no, Seen())):
                    await asyncio.sleep(LOOK_EVERY_S / 2)
                return seen
        except TimeoutError:
            raise TookTooLong(f"{order_no}: waited {self.patience_s:.0f} s for {what}, it is {seen}") from None

    async def pay(self, order: StartOrder, **how: Any) -> None:
        """The buyer pays at the channel, as soon as it knows the order."""
        if not order.payable_minor:
            return
        deadline = time.monotonic() + self.patience_s
        while True:
            reply = await self._at(order.payment.channel, "_pay", {"out_trade_no": order.order_no, **how})
            if reply.status_code != HTTPStatus.NOT_FOUND or time.monotonic() > deadline:
                _succeeded(reply)
                return
            await asyncio.sleep(0.2)

    async def fault(self, sandbox: str, operation: str, fault: str, times: int = 1, **match: str) -> None:
        """Arms a fault for what `match` names: an order_no, a child_no."""
        armed = {"operation": operation, "fault": fault, "times": times, "match": match}
        await self.door(sandbox, "_faults", armed)

    async def door(self, sandbox: str, path: str, body: dict[str, Any]) -> None:
        _succeeded(await self._at(sandbox, path, body))

    async def _at(self, sandbox: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.http.post(f"{self.sandboxes[sandbox]}/{path}", json=body)


def _succeeded(reply: httpx.Response) -> None:
    if reply.is_error:
        raise RuntimeError(f"{reply.url} answered {reply.status_code}: {reply.text[:200]}")


async def _knows(people: PeopleStore, person: str) -> bool:
    return await people.principal(person, datetime.now(UTC)) is not None


def _books(url: str) -> str:
    """The owner's address of a stack of ours: the play puts goods into the books, which no login of people may."""
    logins = state_dir() / "postgres" / "logins.json"
    owner: str = json.loads(logins.read_text())["owner"] if logins.exists() else url
    # Of the same server: the books may be somebody else's, and the file of a stack of before.
    return owner if urlsplit(owner).port == urlsplit(url).port else url


SHORT = httpx.Limits(keepalive_expiry=1)
"""A sandbox closes what is unused for 5 s, as long as a client would keep it: one of both would be too late."""


@asynccontextmanager
async def on_stage(
    name: str, variables: Mapping[str, str], policy: Policy, *, patience_s: float = 180.0
) -> AsyncIterator[DemoEnvironment]:
    """A demo on the stack that the environment points at. `name`: as whom it is there; `policy` holds meanwhile."""
    settings = Settings()
    pool = await open_pool(_books(settings.database.url.get_secret_value()), application=name)
    try:
        temporal = await connect_temporal(settings.temporal)
        prover = stack_prover(partial(_knows, PeopleStore(pool)))
        office = Office(pool, temporal, prover)
        before = await PolicyStore(pool).current()
        await office.publish(policy)
        try:
            async with httpx.AsyncClient(timeout=20, limits=SHORT) as http:
                client = OrderClient(temporal, prover=prover)
                urls = sandbox_urls(variables)
                yield DemoEnvironment(client, temporal, pool, office, prover, urls, http, patience_s=patience_s)
        finally:
            await office.publish(before)
    finally:
        await pool.close()
