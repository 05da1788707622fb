"""Signing in on another device: the OAuth device flow (RFC 8628) at an identity provider that is found by discovery.

login = DeviceLogin(http, "https://id.example.com", "oms-cli", "openid offline_access")
offer = await login.begin()                 # shown: offer.verification_uri, offer.user_code
tokens = await login.tokens(offer)          # once the person has agreed
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL_S = 5
SLOWER_S = 5
LONGEST_S = 1_800
MOST_BYTES = 65_536


class NoSignIn(Exception):
    """The provider has not signed anybody in. Says why, and what to do."""


@dataclass(frozen=True)
class Offer:
    """What the person is shown, and what only this program knows (`device_code`)."""

    user_code: str
    verification_uri: str
    complete_uri: str | None
    device_code: str
    interval_s: int
    expires_in_s: int


@dataclass(frozen=True)
class Tokens:
    """`person`: whom the ID token names; nothing is believed because of it, the worker verifies each proof."""

    person: str
    access_token: str
    until: datetime
    refresh_token: str | None
    token_endpoint: str


@dataclass(frozen=True)
class _Endpoints:
    device: str
    token: str


def _now() -> datetime:
    return datetime.now(UTC)


class DeviceLogin:
    """Raises `NoSignIn` and nothing else."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        issuer: str,
        client_id: str,
        scope: str,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._http = http
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._scope = scope
        self._sleep = sleep
        self._now = now

    async def begin(self) -> Offer:
        found = await self._discovered()
        told = await self._post(found.device, {"scope": self._scope})
        if (error := told.get("error")) is not None:
            raise NoSignIn(f"the provider offers no sign-in here ({_word(error)})")
        return Offer(
            user_code=_text(told, "user_code"),
            verification_uri=_text(told, "verification_uri"),
            complete_uri=told.get("verification_uri_complete"),
            device_code=_text(told, "device_code"),
            interval_s=_seconds(told.get("interval"), INTERVAL_S),
            expires_in_s=_seconds(told.get("expires_in"), LONGEST_S),
        )

    async def tokens(self, offer: Offer) -> Tokens:
        """Asks until the person has agreed, as seldom as the provider wants it."""
        found, interval_s = await self._discovered(), offer.interval_s
        until = self._now() + timedelta(seconds=offer.expires_in_s)
        while True:
            await self._sleep(interval_s)
            told = await self._post(found.token, {"grant_type": DEVICE_CODE, "device_code": offer.device_code})
            match told.get("error"):
                case None:
                    return self._read(told, found)
                case "authorization_pending":
                    pass
                case "slow_down":
                    interval_s += SLOWER_S
                case "access_denied":
                    raise NoSignIn("the sign-in was refused on the other device")
                case "expired_token":
                    raise NoSignIn("nobody has agreed in time; begin again with `oms login`")
                case error:
                    raise NoSignIn(f"the provider refused ({_word(error)}); begin again with `oms login`")
            if self._now() > until:
                raise NoSignIn("nobody has agreed in time; begin again with `oms login`")

    async def refreshed(self, refresh_token: str) -> Tokens:
        found = await self._discovered()
        told = await self._post(found.token, {"grant_type": "refresh_token", "refresh_token": refresh_token})
        if (error := told.get("error")) is not None:
            raise NoSignIn(f"the sign-in is over ({_word(error)}); `oms login` anew")
        return self._read({"refresh_token": refresh_token, **told}, found)

    async def _discovered(self) -> _Endpoints:
        told = await self._json("GET", f"{self._issuer}/.well-known/openid-configuration")
        if told.get("issuer") != self._issuer:
            raise NoSignIn(f"{self._issuer} says that it is another issuer; compare OMS_LOGIN_ISSUER")
        endpoints = [_text(told, name) for name in ("device_authorization_endpoint", "token_endpoint")]
        if any(urlsplit(url).scheme != urlsplit(self._issuer).scheme for url in endpoints):
            raise NoSignIn(f"{self._issuer} names an endpoint that is less safe than itself")
        return _Endpoints(*endpoints)

    async def _post(self, url: str, form: Mapping[str, str]) -> dict[str, Any]:
        return await self._json("POST", url, {**form, "client_id": self._client_id})

    async def _json(self, method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, url, data=dict(form) if form else None)
            told: Any = answer.json() if len(answer.content) <= MOST_BYTES else None
        except (httpx.HTTPError, ValueError) as why:
            raise NoSignIn(f"{self._issuer} does not answer ({type(why).__name__}); try again") from None
        if not isinstance(told, dict) or (answer.is_error and "error" not in told):
            raise NoSignIn(f"{self._issuer} answers {answer.status_code} without words; try again")
        return told

    def _read(self, told: Mapping[str, Any], found: _Endpoints) -> Tokens:
        """The ID token came from its issuer's own endpoint: its claims are read, its signature is for the worker."""
        try:
            claims = jwt.decode(_text(told, "id_token"), options={"verify_signature": False})
        except jwt.PyJWTError:
            raise NoSignIn("the provider's ID token cannot be read") from None
        audience = claims.get("aud")
        if claims.get("iss") != self._issuer or self._client_id not in (audience, *(audience or ())):
            raise NoSignIn("the provider's ID token is for somebody else")
        refresh = told.get("refresh_token")
        return Tokens(
            person=_text(claims, "sub"),
            access_token=_text(told, "access_token"),
            until=self._now() + timedelta(seconds=_seconds(told.get("expires_in"), 60)),
            refresh_token=refresh if isinstance(refresh, str) else None,
            token_endpoint=found.token,
        )


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= MOST_BYTES:
        raise NoSignIn(f"the provider's answer lacks {name}")
    return value


def _seconds(value: Any, usual: int) -> int:
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 86_400
    return value if usable else usual


def _word(error: object) -> str:
    return " ".join(str(error).split())[:60]
