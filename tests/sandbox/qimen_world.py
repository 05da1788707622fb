"""A warehouse in this process, our client in front of it, and our receiver at the end of its callbacks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.facts import Fact, Kind
from domain.order import Address
from providers.callbacks import Callback, CallbackRefused, RawRequest
from providers.qimen import PushOutbound, QimenConfig, QimenLine, QimenReceiver, QimenWms
from sandbox.core import Settings, serve
from sandbox.qimen import create_app

APP_KEY, CUSTOMER, SECRET = "app-1", "shop-1", "s3cret"
CHILD = "SO2603020001-01"
TO = Address(recipient="张三", phone="13800000000", province="浙江省", city="杭州市", street="文三路 1 号 <3&4>")
FAST = "0.02,0.02,0.02,0.02"
NEVER = "900"
"""Seconds before a step that a test does not want to see."""


def account(url: str = "http://127.0.0.1:9") -> QimenConfig:
    return QimenConfig(base_url=url, app_key=APP_KEY, customer_id=CUSTOMER, secret=SECRET)


def outbound(child_no: str = CHILD, **more: Any) -> PushOutbound:
    lines = (QimenLine(line_id="1", sku="A-1", qty=2), QimenLine(line_id="2", sku="B-1", qty=1, name="灯 & 罩"))
    told: dict[str, Any] = {
        "warehouse": "HZ01",
        "placed_at": datetime(2026, 3, 2, 1, 2, 3, tzinfo=UTC),
        "receiver": TO,
        "lines": lines,
    }
    return PushOutbound(child_no=child_no, **told | more)


@dataclass
class Ears:
    """A relay in miniature: reads with our receiver, keeps what it believed and what it refused."""

    heard: list[Callback] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    down: int = 0
    """So many of the next messages are answered with 503."""

    def app(self) -> Starlette:
        receiver = QimenReceiver(account())

        async def hook(request: Request) -> Response:
            if self.down:
                self.down -= 1
                return Response(status_code=503)
            raw = RawRequest(dict(request.headers), request.query_params, await request.body())
            try:
                self.heard.append(receiver.read(raw, datetime.now(UTC)))
                answer = receiver.accepted(raw)
            except CallbackRefused as e:
                self.refused.append(e.reason)
                answer = receiver.refused(raw, e)
            return Response(answer.body, answer.status, media_type=answer.content_type)

        return Starlette(routes=[Route("/hooks/qimen", hook, methods=["POST"])])

    @property
    def facts(self) -> list[Fact]:
        return [fact for callback in self.heard for fact in callback.facts]

    def kinds(self) -> list[Kind]:
        return [fact.kind for fact in self.facts]

    def fact(self, kind: Kind) -> Fact:
        (found,) = {fact.key: fact for fact in self.facts if fact.kind is kind}.values()
        return found


@dataclass
class World:
    url: str
    http: httpx.AsyncClient
    wms: QimenWms
    ears: Ears

    async def arm(self, operation: str, fault: str, **more: Any) -> None:
        reply = await self.http.post(f"{self.url}/_faults", json={"operation": operation, "fault": fault, **more})
        assert reply.status_code == 200, reply.text

    async def rows(self, op: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.http.get(f"{self.url}/_ledger", params={"op": op})).json()
        return rows


@contextlib.asynccontextmanager
async def warehouse(
    *, stages_s: str = FAST, data_dir: Path | None = None, ears: Ears | None = None, speed: float = 1.0, **values: str
) -> AsyncIterator[World]:
    listening = ears or Ears()
    async with serve(listening.app()) as relay_url, httpx.AsyncClient(trust_env=False, timeout=5.0) as http:
        told = {
            "SECRET": SECRET,
            "APP_KEY": APP_KEY,
            "CUSTOMER_ID": CUSTOMER,
            "CALLBACK_URL": f"{relay_url}/hooks/qimen",
            "STAGES_S": stages_s,
            "CANCEL_S": "0.05",
        }
        settings = Settings(values=told | values, data_dir=data_dir, speed=speed)
        async with serve(create_app(settings)) as url:
            yield World(url, http, QimenWms(account(url), http, lambda: datetime.now(UTC)), listening)


async def until_status(world: World, status: str) -> None:
    """Until the warehouse, asked, says so: for what no report tells."""
    async with asyncio.timeout(10.0):
        while (await world.wms.query(CHILD, warehouse="HZ01")).status != status:
            await asyncio.sleep(0.01)


def in_order(kinds: list[Kind], wanted: list[Kind]) -> bool:
    """Whether `wanted` stands in `kinds` in that order, others between."""
    rest: Iterator[Kind] = iter(kinds)
    return all(kind in rest for kind in wanted)
