"""The provider's own protocol. `POST /_approve` and `/_deny` are what the person does in a browser."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core.settings import Settings

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
KEY_ID = "sandbox-id-1"


@dataclass
class Device:
    user_code: str
    expires_at: float
    person: str | None = None
    denied: bool = False
    asked_at: float = -1e9
    interval_s: float = 5.0


@dataclass
class IdentityProvider:
    """`clients`: who may ask; `audience`: of exchanged tokens. `grants`: what was granted, for tests to read."""

    clients: tuple[str, ...] = ("oms-cli",)
    audience: str = "oms-approvals"
    clock: Callable[[], float] = time.time
    token_life_s: int = 300
    device_life_s: int = 600
    devices: dict[str, Device] = field(default_factory=dict)
    access: dict[str, tuple[str, float]] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)
    grants: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        routes = [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/jwks", self._jwks),
            Route("/device", self._device, methods=["POST"]),
            Route("/token", self._token, methods=["POST"]),
            Route("/_approve", self._approve, methods=["POST"]),
            Route("/_deny", self._deny, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    @property
    def jwks(self) -> dict[str, Any]:
        public = OKPAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": KEY_ID, "alg": "EdDSA", "use": "sig"}]}

    async def _discovery(self, request: Request) -> Response:
        here = _base(request)
        return JSONResponse({
            "issuer": here, "token_endpoint": f"{here}/token", "device_authorization_endpoint": f"{here}/device",
            "jwks_uri": f"{here}/jwks", "grant_types_supported": [DEVICE, EXCHANGE, "refresh_token"],
        })  # fmt: skip

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse(self.jwks)

    async def _device(self, request: Request) -> Response:
        form = await _form(request)
        if form.get("client_id") not in self.clients:
            return _error("invalid_client", 401)
        code, user_code = secrets.token_urlsafe(32), secrets.token_hex(4).upper()
        self.devices[code] = Device(user_code, self.clock() + self.device_life_s)
        here = _base(request)
        return JSONResponse({
            "device_code": code, "user_code": user_code, "verification_uri": f"{here}/activate",
            "verification_uri_complete": f"{here}/activate?user_code={user_code}", "interval": 5,
            "expires_in": self.device_life_s,
        })  # fmt: skip

    async def _token(self, request: Request) -> Response:
        form = await _form(request)
        match form.get("grant_type"):
            case grant if grant == DEVICE:
                return self._of_device(form, _base(request))
            case "refresh_token":
                person = self.refresh.pop(form.get("refresh_token", ""), None)
                return self._granted(person, form["client_id"], _base(request)) if person else _error("invalid_grant")
            case grant if grant == EXCHANGE:
                return self._exchanged(form, _base(request))
        return _error("unsupported_grant_type")

    def _of_device(self, form: dict[str, str], here: str) -> Response:
        device, now = self.devices.get(form.get("device_code", "")), self.clock()
        if device is None or form.get("client_id") not in self.clients:
            return _error("invalid_grant")
        if now > device.expires_at:
            return _error("expired_token")
        early, device.asked_at = now - device.asked_at < device.interval_s, now
        if early:
            return _error("slow_down")
        if device.denied:
            return _error("access_denied")
        if device.person is None:
            return _error("authorization_pending")
        del self.devices[form["device_code"]]
        return self._granted(device.person, form["client_id"], here)

    def _granted(self, person: str, client_id: str, here: str) -> Response:
        access, refresh, now = secrets.token_urlsafe(24), secrets.token_urlsafe(24), self.clock()
        self.access[access] = (person, now + self.token_life_s)
        self.refresh[refresh] = person
        self.grants.append(person)
        return JSONResponse({
            "access_token": access, "token_type": "Bearer", "expires_in": self.token_life_s, "refresh_token": refresh,
            "id_token": self._signed({"sub": person, "aud": client_id}, here),
        })  # fmt: skip

    def _exchanged(self, form: dict[str, str], here: str) -> Response:
        """A token for one purpose: the purpose is its nonce."""
        person, until = self.access.get(form.get("subject_token", ""), ("", 0.0))
        if not person or self.clock() > until:
            return _error("invalid_grant")
        nonce = form.get("nonce") or f"{form.get('approval_id')}.{form.get('content_hash')}"
        token = self._signed({"sub": person, "aud": self.audience, "nonce": nonce}, here)
        return JSONResponse({"access_token": token, "issued_token_type": "urn:ietf:params:oauth:token-type:jwt",
                             "token_type": "N_A", "expires_in": 120})  # fmt: skip

    def _signed(self, claims: dict[str, str], here: str) -> str:
        now = int(self.clock())
        whole = {"iss": here, "iat": now, "exp": now + 120, "jti": secrets.token_urlsafe(12), **claims}
        return jwt.encode(whole, self._key, algorithm="EdDSA", headers={"kid": KEY_ID})

    async def _approve(self, request: Request) -> Response:
        form = await _form(request)
        for device in self.devices.values():
            if device.user_code == form["user_code"]:
                device.person = form["person"]
                return JSONResponse({"approved": True})
        return _error("no_such_code", 404)

    async def _deny(self, request: Request) -> Response:
        form = await _form(request)
        for device in self.devices.values():
            device.denied = device.denied or device.user_code == form["user_code"]
        return JSONResponse({"denied": True})


def create_app(settings: Settings) -> Starlette:
    clients = tuple(settings.get("CLIENTS", "oms-cli").split(","))
    clock = settings.clock
    return IdentityProvider(
        clients, settings.get("AUDIENCE", "oms-approvals"), clock=lambda: clock().timestamp()
    ).app  # fmt: skip


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), max_num_fields=20))


def _error(code: str, status: int = 400) -> Response:
    return JSONResponse({"error": code}, status)
