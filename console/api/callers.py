"""Which program calls, and whether its token is for that. Every way in names the scope that it needs."""

import hashlib
import hmac
import math
import time
from dataclasses import dataclass

from starlette.requests import Request

from console.api.problems import ApiProblem
from console.security.pace import address_of
from console.wiring import Wiring, wiring_of
from domain.access.api_tokens import ApiScope, ApiToken
from domain.records import AuditEntry
from providers.tokens.api_tokens import key_of, public_half
from providers.tokens.issue import SigningKey
from starter.clients.desk import DeskClient
from starter.clients.orders import OrderClient
from starter.clients.proving import Prover, service
from starter.clients.returns import ReturnClient
from store.approvals.api_tokens import USED_EVERY, ApiTokenStore
from store.audit.audit import AuditStore
from store.console.sessions import PersonScope
from store.pool import clean

NO_TOKEN = "send a token of `oms api-token add` as Authorization: Bearer oms_…"  # noqa: S105


@dataclass(frozen=True, repr=False)
class Caller:
    """Known for one request. `key` is made of what the request brought, and gone with it."""

    token: ApiToken
    key: SigningKey
    wiring: Wiring

    @property
    def id(self) -> str:
        return self.token.service

    @property
    def scope(self) -> PersonScope:
        return PersonScope(self.token.channels, self.token.warehouses)

    def speaks_as(self, on_behalf_of: str | None) -> str:
        return on_behalf_of or self.id

    async def orders(self) -> OrderClient:
        """Raises `Unreachable`."""
        return OrderClient(await self.wiring.temporal.client(), prover=self.prover())

    async def returns(self) -> ReturnClient:
        """Raises `Unreachable`."""
        return ReturnClient(await self.wiring.temporal.client(), prover=self.prover())

    async def desk(self) -> DeskClient:
        """Raises `Unreachable`."""
        return DeskClient(await self.wiring.temporal.client(), prover=self.prover())

    def prover(self) -> Prover:
        return service(self.key, self.id, self.wiring.audience, self.wiring.now)


class Scoped:
    """A dependency: a program whose token has this scope. Asks how much it has asked, who it is, if it may."""

    def __init__(self, scope: ApiScope) -> None:
        self.scope = scope

    async def __call__(self, request: Request) -> Caller:
        caller = await _known(request)
        if not caller.token.may(self.scope):
            await refuse(request, caller, "WRONG_SCOPE", f"this needs the scope {self.scope}")
        return caller


async def refuse(request: Request, caller: Caller, code: str, why: str, *, status: int = 403) -> None:
    """Writes it down, then raises `ApiProblem`."""
    route = request.scope.get("route")
    detail = {
        "code": code, "method": request.method, "address": getattr(route, "path", ""),
        "token_no": caller.token.token_no,
        "about": clean("/".join(map(str, request.path_params.values())))[:100],
    }  # fmt: skip
    entry = AuditEntry(actor=caller.id, action="api.refused", detail=detail)
    await AuditStore(caller.wiring.pool).append(entry, caller.wiring.now())
    raise ApiProblem(status, code, why)


async def insist_on_channel(request: Request, caller: Caller, channel: str) -> None:
    if not caller.token.reaches(channel):
        await refuse(request, caller, "OUT_OF_SCOPE", f"this token is not for the channel {channel}")


async def _known(request: Request) -> Caller:
    wiring = wiring_of(request)
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    key = key_of(text) if kind.lower() == "bearer" else None
    if key is None:
        raise ApiProblem(401, "TOKEN_REQUIRED", NO_TOKEN)
    text_hash = hashlib.sha256(text.encode()).digest()
    known = wiring.buckets.knows(text_hash)
    caller = address_of(request)
    _take(wiring, text_hash, caller)
    now = wiring.now()
    found = await ApiTokenStore(wiring.pool).find(key.key_id, now)
    if found is None or not hmac.compare_digest(found.token.public_key, public_half(key)):
        raise ApiProblem(401, "TOKEN_INVALID", "this token does not count, or not any more; ask an administrator")
    wiring.buckets.know(text_hash, found.token.per_minute, time.monotonic())
    if not known:
        _take(wiring, text_hash, caller)
    if found.last_used_at is None or now - found.last_used_at >= USED_EVERY:
        await ApiTokenStore(wiring.pool).used(key.key_id, now)
    return Caller(found.token, key, wiring)


def _take(wiring: Wiring, text_hash: bytes, caller: str) -> None:
    """Raises `ApiProblem`."""
    if wait_s := wiring.buckets.take(text_hash, caller, time.monotonic()):
        raise ApiProblem(429, "TOO_MANY_REQUESTS", "more than this token may ask", retry_after_s=math.ceil(wait_s))
