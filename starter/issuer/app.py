"""`POST /token`: token exchange (RFC 8693). A sign-in becomes a session's token, a session's token the proof of one
command, or of one decision; always of the same person. A buyer's link becomes the proof of a buyer's command.

An identity provider of production answers the same request at its own address, or something before it does.
`POST /codes` keeps a sign-in under a short number, for a link that fits on a line; who has the number gets it once.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypedDict
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from domain.access.authority import Binding
from domain.access.buyer_links import LINK_LIVES, LONGEST_LINK, buyer_may, link_binding
from domain.access.signing_in import (
    CODE,
    SESSION,
    SESSION_LIVES,
    SIGN_IN,
    SIGN_IN_LIVES,
    TOKEN_EXCHANGE,
    TOKEN_TYPE,
)
from providers.tokens.errors import TokenRefused
from providers.tokens.issue import SigningKey, issue, issue_proof, key_set
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier

LARGEST = 20_000
SLOWEST_S = 5.0
MOST_FIELDS = 20
CODE_BYTES = 16
PROOF_LIVES = timedelta(minutes=2)
MOST_REMEMBERED = 10_000
COMMAND_FIELDS = ("workflow_id", "command", "content_hash")
DECISION_FIELDS = ("approval_id", "content_hash")
LONGEST_FIELD = 300


Shop = tuple[SigningKey, str]
"""A backend's key and name."""


class NotUnderstood(ValueError):
    """The request asks for nothing that is made here."""


class _Names(TypedDict):
    issuer: str
    audience: str


class LocalIssuer:
    def __init__(
        self, key: SigningKey, issuer: str, audience: str, now: Callable[[], datetime], shop: Shop | None = None
    ) -> None:
        """`shop`: the backend whose key is here too, so that buyers with a link of its are spoken for."""
        self._key = key
        self._shop = shop
        self._named = _Names(issuer=issuer, audience=audience)
        self._now = now
        keys = GivenKeys(read_key_set(json.dumps(key_set(key))))
        self._verifier = TokenVerifier([Issuer(issuer, audience, keys, longest_life=SESSION_LIVES)], now)
        self._links = TokenVerifier([_issuer_of_links(shop, audience)] if shop else [], now)
        self._served: set[str] = set()
        self._codes: dict[str, str] = {}
        routes = [
            Route("/token", self.exchange, methods=["POST"]),
            Route("/codes", self.keep, methods=["POST"]),
            Route("/healthz", _healthy, methods=["GET"]),
        ]
        self.app = Starlette(routes=routes)

    async def keep(self, request: Request) -> Response:
        """A sign-in that was made elsewhere with the same key."""
        try:
            token = (await _fields(request)).get("subject_token", "")
            await self._verifier.verify_command(token, SIGN_IN)
        except (TokenRefused, NotUnderstood) as why:
            return _refused("invalid_request", str(why))
        if len(self._codes) >= MOST_REMEMBERED:
            self._codes.clear()
        code = secrets.token_urlsafe(CODE_BYTES)
        self._codes[code] = token
        return JSONResponse({"code": code}, headers={"cache-control": "no-store"})

    async def exchange(self, request: Request) -> Response:
        try:
            asked = await _fields(request)
            token, life = await self._exchanged(asked)
        except TokenRefused as why:
            return _refused("invalid_grant", str(why))
        except NotUnderstood as why:
            return _refused("invalid_request", str(why))
        told = {
            "access_token": token, "issued_token_type": TOKEN_TYPE, "token_type": "N_A",
            "expires_in": int(life.total_seconds()),
        }  # fmt: skip
        return JSONResponse(told, headers={"cache-control": "no-store"})

    async def _exchanged(self, asked: Mapping[str, str]) -> tuple[str, timedelta]:
        if asked["grant_type"] == CODE:
            return self._kept(asked.get("code", "")), SIGN_IN_LIVES
        subject = asked["subject_token"]
        if "approval_id" in asked:
            person = (await self._verifier.verify_command(subject, SESSION)).person_id
            what = [_field(asked, name) for name in DECISION_FIELDS]
            made = issue(self._key, person, *what, **self._named, token_id=_number(), now=self._now(), life=PROOF_LIVES)
            return made, PROOF_LIVES
        if "buyer" in asked:
            await self._verifier.verify_command(subject, SESSION)
            return self._link(_field(asked, "order_no"), _field(asked, "buyer")), LINK_LIVES
        if "command" in asked:
            binding = Binding(*(_field(asked, n) for n in COMMAND_FIELDS))
            if self._shop is not None and "link" in asked:
                return await self._for_buyer(self._shop, subject, binding), PROOF_LIVES
            person = (await self._verifier.verify_command(subject, SESSION)).person_id
            return self._proof(person, binding, PROOF_LIVES), PROOF_LIVES
        caller = await self._verifier.verify_command(subject, SIGN_IN)
        self._spend(caller.token_id)
        return self._proof(caller.person_id, SESSION, SESSION_LIVES), SESSION_LIVES

    def _link(self, order_no: str, buyer: str) -> str:
        """Of a buyer, for one order: what staff send them."""
        if self._shop is None:
            raise NotUnderstood("no backend signs for buyers here")
        key, name = self._shop
        return issue_proof(
            key, name, link_binding(order_no), issuer=name, audience=self._named["audience"], token_id=_number(),
            now=self._now(), life=LINK_LIVES, on_behalf_of=buyer,
        )  # fmt: skip

    async def _for_buyer(self, shop: Shop, link: str, binding: Binding) -> str:
        """A buyer's command, by the backend that has vouched for them with the link."""
        buyer = (await self._links.verify_link(link)).buyer_id
        if not buyer_may(binding):
            raise NotUnderstood("with a link one applies for returns, and for nothing else")
        key, name = shop
        return issue_proof(
            key, name, binding, issuer=name, audience=self._named["audience"], token_id=_number(), now=self._now(),
            life=PROOF_LIVES, on_behalf_of=buyer,
        )  # fmt: skip

    def _kept(self, code: str) -> str:
        if (token := self._codes.pop(code, None)) is None:
            raise NotUnderstood("this link has served before, or is too old; get a new one")
        return token

    def _proof(self, person: str, binding: Binding, life: timedelta) -> str:
        return issue_proof(self._key, person, binding, **self._named, token_id=_number(), now=self._now(), life=life)

    def _spend(self, token_id: str) -> None:
        """The console looks too, in the books; this is for whoever asks without it."""
        if token_id in self._served:
            raise NotUnderstood("this sign-in has served before; get a new link")
        if len(self._served) >= MOST_REMEMBERED:
            self._served.clear()
        self._served.add(token_id)


def _issuer_of_links(shop: Shop, audience: str) -> Issuer:
    key, name = shop
    keys = GivenKeys(read_key_set(json.dumps(key_set(key))))
    return Issuer(name, audience, keys, "service", longest_life=LONGEST_LINK)


def _number() -> str:
    return secrets.token_urlsafe(18)


def _field(asked: Mapping[str, str], name: str) -> str:
    value = asked.get(name, "")
    if not 1 <= len(value) <= LONGEST_FIELD:
        raise NotUnderstood(f"{name} is missing, or longer than anything that is asked for")
    return value


async def _fields(request: Request) -> dict[str, str]:
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST:
                    raise NotUnderstood("the request is too long")
        pairs = parse_qsl(body.decode("ascii"), max_num_fields=MOST_FIELDS, strict_parsing=True)
    except (TimeoutError, ClientDisconnect, ValueError) as why:
        raise NotUnderstood(str(why) if isinstance(why, NotUnderstood) else "this is no form") from None
    fields = dict(pairs)
    if len(fields) < len(pairs) or fields.get("grant_type") not in (TOKEN_EXCHANGE, CODE):
        raise NotUnderstood(f"grant_type has to be {TOKEN_EXCHANGE}, or {CODE}, each field once")
    if fields["grant_type"] == TOKEN_EXCHANGE and not fields.get("subject_token"):
        raise NotUnderstood("there is no subject_token")
    return fields


def _refused(code: str, why: str) -> Response:
    return JSONResponse({"error": code, "error_description": why}, 400, headers={"cache-control": "no-store"})


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
