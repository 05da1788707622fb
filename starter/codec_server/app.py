"""Temporal's codec server protocol: `POST /encode`, `POST /decode`, payloads as protobuf's JSON in and out.

Who asks has to be signed in (`signing_in.py`) and may read by the books; whose histories they read is written into the
audit before they get them.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from asyncpg import PostgresError
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads

from domain.trust.encryption import BOUND_TO
from providers.tokens.errors import KeysUnavailable, TokenRefused
from providers.tokens.verify import TokenVerifier
from starter.codec_server.signing_in import SigningIn
from store.approvals.history_readers import HistoryReaders
from store.errors import CommandNotAdmitted
from wire.encrypted_payloads import PayloadCipher, UnreadablePayload

log = structlog.get_logger("oms.codec")

LARGEST = 16 * 2**20
"""Bytes of a request: some messages of 2 MB each, in base64."""
MOST_PAYLOADS = 10_000
BODY_S = 10.0
"""A whole request has to be here after this."""
ANSWER_S = 15.0
UNBOUND = "unknown"
"""In the place of a workflow's id, for what another SDK has encrypted without naming one."""
HEADERS = ("authorization", "authorization-extras", "content-type", "x-namespace")


NO_PAYLOADS = "this is no list of payloads in protobuf's JSON"


class TooSlow(ValueError):
    """The request was not here in time."""


class TooLarge(ValueError):
    """The request holds more than is taken at once."""


class CodecServer:
    """`origins`: of the Web UI; no other page is answered. `body_s`: how long a request may take to come."""

    def __init__(
        self,
        cipher: PayloadCipher,
        verifier: TokenVerifier,
        readers: HistoryReaders,
        now: Callable[[], datetime],
        origins: tuple[str, ...],
        *,
        body_s: float = BODY_S,
    ) -> None:
        self._cipher = cipher
        self._body_s = body_s
        self._readers = readers
        self._now = now
        self._signing_in = SigningIn(verifier, origins, slowest_s=body_s)
        cors = Middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=("POST",), allow_headers=HEADERS,
            allow_credentials=True,
        )  # fmt: skip
        routes = (
            Route("/decode", self.decode, methods=["POST"]),
            Route("/encode", self.encode, methods=["POST"]),
            Route("/", self._signing_in.page, methods=["GET"]),
            Route("/", self._signing_in.take, methods=["POST"]),
            Route("/healthz", _healthy, methods=["GET"]),
        )
        self.app = Starlette(routes=list(routes), middleware=[cors])

    async def decode(self, request: Request) -> Response:
        """What cannot be decrypted comes back as it was."""
        return await self._answered(request, self._decrypted)

    async def encode(self, request: Request) -> Response:
        """For what a person tells a workflow through the Web UI or the command. Bound to no workflow: which one it is
        for, the protocol does not say."""
        return await self._answered(request, self._encrypted)

    async def _answered(self, request: Request, change: Callable[[Payload], tuple[Payload, str | None]]) -> Response:
        try:
            async with asyncio.timeout(ANSWER_S):
                caller = await self._signing_in.caller(request)
                given = await _payloads(request, self._body_s)
                changed = [change(payload) for payload in given.payloads]
                await self._readers.admit(caller, {read for _, read in changed if read is not None}, self._now())
        except CommandNotAdmitted as why:
            log.warning("histories were not shown", person=caller.person_id, code=why.code, why=why.why)
            return _refused(403, why.why)
        except tuple(REFUSALS) as why:
            return _refused(*_refusal(why))
        text = json_format.MessageToJson(Payloads(payloads=[payload for payload, _ in changed]))
        return Response(text, media_type="application/json", headers={"cache-control": "no-store"})

    def _decrypted(self, payload: Payload) -> tuple[Payload, str | None]:
        """With whose it is, when it was read."""
        try:
            found = self._cipher.decrypted(payload, None)
        except UnreadablePayload:
            return payload, None
        if found is payload:
            return payload, None
        # The tag covers the name, so it is not only said.
        return found, payload.metadata[BOUND_TO].decode() if BOUND_TO in payload.metadata else UNBOUND

    def _encrypted(self, payload: Payload) -> tuple[Payload, str | None]:
        return self._cipher.encrypted(payload, None), None


async def _payloads(request: Request, within_s: float) -> Payloads:
    """Raises `TooLarge`, `TooSlow`, `json_format.ParseError`, `ValueError`."""
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST:
                    raise TooLarge(f"at most {LARGEST // 2**20} MB are taken at once")
    except TimeoutError:
        raise TooSlow(f"the request was not here within {within_s:g} s") from None
    found = json_format.Parse(bytes(body), Payloads(), max_recursion_depth=8)
    if len(found.payloads) > MOST_PAYLOADS:
        raise TooLarge(f"at most {MOST_PAYLOADS} payloads are taken at once")
    return found


REFUSALS: Mapping[type[Exception], tuple[int, str]] = {
    TokenRefused: (401, "{}; sign in at this address, or send a bearer token"),
    KeysUnavailable: (503, "{}"),
    TooLarge: (413, "{}"),
    TooSlow: (408, "{}"),
    ClientDisconnect: (400, "the request ended early"),
    TimeoutError: (503, "the books did not answer; nothing was shown"),
    OSError: (503, "the books cannot be reached; nothing was shown"),
    PostgresError: (503, "the books refused; nothing was shown"),
    json_format.ParseError: (400, NO_PAYLOADS),
    ValueError: (400, NO_PAYLOADS),
    RecursionError: (400, NO_PAYLOADS),
}
"""First that fits: status, and what is said of the error."""


def _refusal(error: Exception) -> tuple[int, str]:
    status, said = next(refusal for kind, refusal in REFUSALS.items() if isinstance(error, kind))
    return status, said.format(error)


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


def _refused(status: int, why: str) -> Response:
    # What was not read to its end is not waited for.
    cut = {"connection": "close"} if status in (408, 413) else {}
    return JSONResponse({"error": why}, status, cut)
