"""`POST /token`: token exchange (RFC 8693). A sign-in becomes a session's token, a session's token the proof of one
command, or of one decision; always of the same person. A buyer's link becomes the proof of a buyer's command.

An identity provider of production answers the same request at its own address, or something before it does.
Where the company works in a messenger (decision 0054), a code of its becomes a sign-in, with `back`, the address that
it was sent to. `POST /codes` keeps a sign-in under a short number, for a link that fits on a line; who has the number
gets it once.
"""

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypedDict
from urllib.parse import parse_qsl

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from domain.access.authority import Binding
from domain.access.buyer_links import GUEST_LINK_LIVES, LINK_LIVES, LONGEST_LINK, buyer_may, link_binding
from domain.access.signing_in import (
    CODE,
    SESSION,
    SESSION_LIVES,
    SIGN_IN,
    SIGN_IN_LIVES,
    TOKEN_EXCHANGE,
    TOKEN_TYPE,
)
from providers.errors import ProviderError
from providers.messengers.port import Messenger
from providers.tokens.errors import TokenRefused
from providers.tokens.issue import SigningKey, issue, issue_proof, key_set
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier
from starter.issuer.guests import GuestCodes, SendsCodes, TooManyCodes

LARGEST = 20_000
SLOWEST_S = 5.0
MOST_FIELDS = 20
CODE_BYTES = 16
PROOF_LIVES = timedelta(minutes=2)
MOST_REMEMBERED = 10_000
COMMAND_FIELDS = ("workflow_id", "command", "content_hash")
DECISION_FIELDS = ("approval_id", "content_hash")
GUEST_FIELDS = ("attempt", "order_no", "buyer", "phone")
LONGEST_FIELD = 512
PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
"""As the books take a person's id."""
log = structlog.get_logger("oms.issuer")


Shop = tuple[SigningKey, str]
"""A backend's key and name."""


class NotUnderstood(ValueError):
    """The request asks for nothing that is made here."""


class _Names(TypedDict):
    issuer: str
    audience: str


class LocalIssuer:
    def __init__(
        self,
        key: SigningKey,
        issuer: str,
        audience: str,
        now: Callable[[], datetime],
        shop: Shop | None = None,
        messenger: Messenger | None = None,
        sms: SendsCodes | None = None,
    ) -> None:
        """`shop`: the backend whose key is here too, so that buyers with a link of its are spoken for. `messenger`:
        the company's, which tells who signs in. `sms`: how codes get to the phones of guests."""
        self._messenger = messenger
        self._guests = GuestCodes(sms, now) if sms and shop else None
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
            Route("/guests", self.guest, methods=["POST"]),
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

    async def guest(self, request: Request) -> Response:
        """A code to the phone of an order, which becomes a buyer's link when it is brought back."""
        try:
            asked = await _form(request)
            if self._guests is None:
                raise NotUnderstood("no codes are sent here")
            await self._guests.send(*(_field(asked, name) for name in GUEST_FIELDS))
        except NotUnderstood as why:
            return _refused("invalid_request", str(why))
        except (TooManyCodes, ProviderError) as why:
            return _refused("temporarily_unavailable", str(why) or "too many codes")
        return JSONResponse({"access_token": ""}, headers={"cache-control": "no-store"})

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
            return await self._signed_in(asked), SIGN_IN_LIVES
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

    def _of_guest(self, attempt: str, code: str) -> str:
        sent = self._guests.open(attempt, code) if self._guests else None
        if sent is None:
            raise NotUnderstood("this code does not fit, or not any more")
        return self._link(sent.order_no, sent.buyer, GUEST_LINK_LIVES)

    def _link(self, order_no: str, buyer: str, life: timedelta = LINK_LIVES) -> str:
        """Of a buyer, for one order: what staff send them, or what a guest gets for a code."""
        if self._shop is None:
            raise NotUnderstood("no backend signs for buyers here")
        key, name = self._shop
        return issue_proof(
            key, name, link_binding(order_no), issuer=name, audience=self._named["audience"], token_id=_number(),
            now=self._now(), life=life, on_behalf_of=buyer,
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

    async def _signed_in(self, asked: Mapping[str, str]) -> str:
        """With the code of a link, with a messenger's, or with one that came to a guest's phone."""
        if "attempt" in asked:
            return self._of_guest(_field(asked, "attempt"), _field(asked, "code"))
        if "back" in asked:
            return await self._by_messenger(_field(asked, "code"), _field(asked, "back"))
        return self._kept(asked.get("code", ""))

    async def _by_messenger(self, code: str, back: str) -> str:
        """A sign-in of who came back from the company's messenger with this code."""
        if self._messenger is None:
            raise NotUnderstood("nobody signs in by a messenger here")
        try:
            account = await self._messenger.account(code, back)
        except ProviderError as why:
            log.warning("nobody was signed in", system=why.system, code=why.code, why=why.message)
            raise NotUnderstood(f"{why.system} did not say who this is ({why.code})") from None
        person = self._messenger.app.person(account)
        if not PERSON.fullmatch(person):
            raise NotUnderstood(f"the account {account[:80]!r} cannot be a person's id here")
        return self._proof(person, SIGN_IN, SIGN_IN_LIVES)

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
    fields = await _form(request)
    if fields.get("grant_type") not in (TOKEN_EXCHANGE, CODE):
        raise NotUnderstood(f"grant_type has to be {TOKEN_EXCHANGE}, or {CODE}, each field once")
    if fields["grant_type"] == TOKEN_EXCHANGE and not fields.get("subject_token"):
        raise NotUnderstood("there is no subject_token")
    return fields


async def _form(request: Request) -> dict[str, str]:
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
    if len(fields) < len(pairs):
        raise NotUnderstood("each field once")
    return fields


def _refused(code: str, why: str) -> Response:
    return JSONResponse({"error": code, "error_description": why}, 400, headers={"cache-control": "no-store"})


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
