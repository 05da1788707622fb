"""Programs of others with their tokens, before the open API of one house."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
from temporalio.client import Client

from activities.evidence import EvidenceService
from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.approvers import AUDIENCE
from config.console import ConsoleSettings
from console.app import make_app
from console.live import LiveHub
from console.temporal import LazyTemporal
from console.wiring import Wiring
from deploy.local.logins import as_role
from domain.access.api_tokens import ApiScope
from domain.access.controls import AddApiToken
from providers.tokens.api_tokens import key_of, new_text, public_half
from providers.tokens.verify import TokenVerifier
from starter.clients.evidence import EvidenceClient
from store.approvals.api_tokens import add_api_token
from store.audit.audit import AuditRow, AuditStore
from store.pool import open_pool
from store.returns.evidence import EvidenceStore

URL = "http://127.0.0.1:8090"
ADDRESS = {"recipient": "李雷", "phone": "13800138000", "province": "浙江省", "city": "杭州市", "street": "文三路 1 号"}
_keys = count(1)


@dataclass
class Program:
    """Sends what a program sends."""

    http: httpx.AsyncClient
    name: str
    token_no: str

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.http.get(path, params=query)

    async def post(self, path: str, body: Any = None, key: str | None = None, **headers: str) -> httpx.Response:
        named = {"idempotency-key": key or f"key-{next(_keys)}", **headers}
        return await self.http.post(path, json={} if body is None else body, headers=named)


@dataclass
class Door:
    house: ScenarioEnvironment
    app: Any

    async def program(self, *scopes: ApiScope, name: str = "api/erp", **more: Any) -> Program:
        """With a token that the administrators have made. Without scopes: with all of them."""
        text = new_text()
        key = key_of(text)
        assert key is not None
        now = self.house.now()
        change = AddApiToken(
            service=name, token_no=key.key_id, public_key=public_half(key).hex(), scopes=scopes or tuple(ApiScope),
            **{"per_minute": 60_000, "expires_at": now + timedelta(days=30), **more},
        )  # fmt: skip
        async with self.house.pool.acquire() as connection, connection.transaction():
            await add_api_token(connection, change, "u-admin", now)
        return self.with_text(text, name)

    def with_text(self, text: str, name: str = "") -> Program:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {text}"} if text else {}
        http = httpx.AsyncClient(transport=transport, base_url=f"{URL}/api/v1", headers=headers, timeout=30)
        return Program(http, name, text[4:20])

    def order(self, no: str = "SO26110001", **changed: Any) -> dict[str, Any]:
        """As a program sends it."""
        order: dict[str, Any] = {
            "order_no": no, "channel": "wechat-mini", "channel_order_no": f"C-{no}",
            "placed_at": self.house.now().isoformat(), "buyer": {"buyer_id": "B-1"}, "payable_minor": 6_000,
            "address": ADDRESS, "lines": [{
                "line_id": "L1", "sku": "CUP", "qty": 2, "unit_price_minor": 3_000, "tags": {"warehouse": "WH-EAST"},
            }],
        }  # fmt: skip
        return order | changed

    async def audit(self, action: str) -> list[AuditRow]:
        return [row for row in await AuditStore(self.house.pool).list(limit=500) if row.action == action]


@asynccontextmanager
async def a_door(house: ScenarioEnvironment) -> AsyncIterator[Door]:
    """With the rights of the role that the console has."""
    own = await open_pool(as_role(house.url, "oms_console"), application="console", max_size=8)

    async def temporal() -> Client:
        return house.temporal

    wiring = Wiring(
        ConsoleSettings(url=URL), own, TokenVerifier([], house.now), None, LazyTemporal(temporal), LiveHub(house.url),
        house.now, EvidenceClient(EvidenceService(EvidenceStore(own), house.evidence.vault)), audience=AUDIENCE,
    )  # fmt: skip
    yield Door(house, make_app(wiring))
    await own.close()
