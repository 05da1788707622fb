"""The console with real books, a local issuer, and one person a role, without a browser."""

import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from temporalio.client import Client

from activities.evidence import EvidenceService
from bench.scenarios.environment import ScenarioEnvironment
from config.console import ConsoleSettings
from console.app import make_app
from console.live import LiveHub
from console.temporal import LazyTemporal
from console.wiring import Wiring
from deploy.local.logins import as_role
from domain.access.signing_in import SIGN_IN, TOKEN_EXCHANGE
from domain.approvals import Role
from provider_clients import link_verifier
from providers.tokens.issue import SigningKey, issue_proof, key_set, new_key, read_key
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier
from starter.clients.errors import Unreachable
from starter.clients.evidence import EvidenceClient
from starter.clients.exchange import TokenExchange
from starter.issuer.app import LocalIssuer, Shop
from store.approvals.people import PeopleStore
from store.audit.audit import AuditRow, AuditStore
from store.pool import Pool, open_pool
from store.returns.evidence import EvidenceStore
from store.returns.evidence_storage import Vault
from store.stock.ledger import StockStore

URL = "http://127.0.0.1:8090"
STAFF = {role.lower().replace("_", "-"): role for role in Role if role is not Role.SERVICE}
"""One person a role, called as the role."""


async def nowhere() -> Client:
    raise Unreachable("127.0.0.1:1", "there is none in this test")


@dataclass
class Browser:
    """Keeps cookies, follows nothing by itself, sends what a browser sends."""

    http: httpx.AsyncClient
    csrf: str = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers={"accept": "text/html", **headers})

    async def post(self, path: str, **form: str | list[str]) -> httpx.Response:
        """As a form of a page that was shown to this browser."""
        return await self.http.post(path, data={"csrf": self.csrf, **form}, headers={"origin": URL})


@dataclass
class Desk:
    """`now` is the console's clock."""

    books: Pool
    key: SigningKey
    app: Any
    issuer: httpx.AsyncClient
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def stranger(self) -> Browser:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return Browser(httpx.AsyncClient(transport=transport, base_url=URL))

    def sign_in_token(self, person: str, token_id: str) -> str:
        return issue_proof(
            self.key, person, SIGN_IN, token_id=token_id, now=self.now, issuer="oms-local", audience="oms-approvals"
        )

    async def link(self, person: str, token_id: str = "") -> str:
        form = {"grant_type": TOKEN_EXCHANGE, "subject_token": self.sign_in_token(person, token_id or f"t-{person}")}
        code: str = (await self.issuer.post("/codes", data=form)).json()["code"]
        return code

    async def sign_in(self, person: str, token_id: str = "") -> Browser:
        browser = self.stranger()
        answer = await browser.post("/sign-in/link", code=await self.link(person, token_id), person=person)
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), answer.text
        browser.csrf = token_in((await browser.get("/")).text)
        return browser

    async def stock(self, sku: str, warehouse: str, qty: int) -> None:
        await StockStore(self.books).receive(sku, warehouse, qty, f"GR-{sku}")

    async def audit(self, action: str) -> list[AuditRow]:
        return [row for row in await AuditStore(self.books).list(limit=1_000) if row.action == action]


@dataclass
class ActingDesk:
    """A console before the worker of a play. Its clock is the play's."""

    house: ScenarioEnvironment
    desk: Desk

    async def sign_in(self, person: str) -> Browser:
        self.desk.now = self.house.now()
        return await self.desk.sign_in(person, f"t-{person}-{secrets.token_hex(4)}")

    async def done(self, answer: httpx.Response) -> str:
        """Where an act leads, once all that follows from it has happened."""
        assert answer.status_code == 303, answer.text[:2000]
        await self.house.rest()
        self.desk.now = self.house.now()
        return answer.headers["location"]


def token_in(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert found, page[:500]
    return found.group(1)


async def hire(books: Pool) -> None:
    for person, role in STAFF.items():
        await PeopleStore(books).add(person, [role], "test", datetime.now(UTC))


@asynccontextmanager
async def a_desk(
    database_url: str,
    books: Pool,
    temporal: Any = nowhere,
    key: SigningKey | None = None,
    vault: Vault | None = None,
    shop: Shop | None = None,
    **settings: Any,
) -> AsyncIterator[Desk]:
    """With the rights of the role that the console has. `key`: of an issuer whom a worker believes, too."""
    key = key or read_key(new_key())
    issuer = Issuer("oms-local", "oms-approvals", GivenKeys(read_key_set(json.dumps(key_set(key)))))
    local = LocalIssuer(key, "oms-local", "oms-approvals", lambda: desk.now, shop)
    links = (
        None
        if shop is None
        else link_verifier({shop[1]: json.dumps(key_set(shop[0]))}, "oms-approvals", lambda: desk.now)
    )
    own = await open_pool(as_role(database_url, "oms_console"), application="console")
    transport = httpx.ASGITransport(local.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://issuer") as http:
        given = ConsoleSettings(url=URL, **settings)
        wiring = Wiring(
            given, own, TokenVerifier([issuer], lambda: desk.now), TokenExchange(http, "http://issuer/token"),
            LazyTemporal(temporal), LiveHub(database_url), lambda: desk.now,
            EvidenceClient(EvidenceService(EvidenceStore(own), vault)) if vault else None,
            links=links,
        )  # fmt: skip
        desk = Desk(books, key, make_app(wiring), http)
        yield desk
    await own.close()
