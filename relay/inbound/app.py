"""The relay's HTTP surface: `POST /hooks/{source}`, health and metrics."""

import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Lifespan

from domain.access.addresses import Addresses
from providers.callbacks import Answer, RawRequest
from relay.inbound.body import BodyRefused, read_body
from relay.inbound.intake import Intake, TooManyRefusals, UnableToStore
from relay.inbound.limits import Limits
from relay.metrics import ACK_SECONDS
from relay.tracing import callback_span

log = structlog.get_logger("relay")
RETRY_AFTER = {"retry-after": "5"}
SLOWLY = {"retry-after": "60"}
CLOSE = {"connection": "close"}


class Hooks:
    """The endpoint of all sources. Nothing that a stranger sends ends in a 500 or is echoed back."""

    def __init__(self, intake: Intake, addresses: Addresses, limits: Limits) -> None:
        self._intake = intake
        self._addresses = addresses
        self._limits = limits

    async def __call__(self, request: Request) -> Response:
        source = str(request.path_params["source"])
        if not self._intake.knows(source):
            return problem(404, "no such source of callbacks; see the notify URL that was configured there", CLOSE)
        began = time.perf_counter()
        with callback_span(source) as span:
            answer = await self._answer(source, request)
            span.set_attribute("http.response.status_code", answer.status_code)
        ACK_SECONDS.labels(source).observe(time.perf_counter() - began)
        return answer

    async def _answer(self, source: str, request: Request) -> Response:
        peer = request.client.host if request.client else ""
        # Proxies may append to a line of the caller's own or add a line: as HTTP says, all lines are one list.
        caller = self._addresses.caller(peer, ",".join(request.headers.getlist("x-forwarded-for")))
        try:
            body = await read_body(request, self._limits, self._intake.most_bytes(source))
        except BodyRefused as why:
            await self._intake.note_refusal(source, caller, why.reason, why.text, b"")
            return problem(why.status, why.text, CLOSE)
        raw = RawRequest(_headers(request), request.query_params, body, caller)
        try:
            return _response(await self._intake.take(source, raw))
        except TooManyRefusals as why:
            return problem(429, str(why), SLOWLY)
        except UnableToStore as why:
            return problem(503, str(why), RETRY_AFTER)
        except Exception:
            log.exception("callback failed inside the relay", source=source)
            return problem(503, "the message could not be taken; send it again later", RETRY_AFTER)


def build_app(
    intake: Intake,
    *,
    addresses: Addresses,
    limits: Limits,
    ready: Callable[[], Awaitable[bool]],
    lifespan: Lifespan[Starlette] | None = None,
) -> Starlette:
    """`ready` tells whether rows can be stored now (the database answers)."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "up"})

    async def readyz(_: Request) -> Response:
        fine = await ready()
        return JSONResponse({"database": "up" if fine else "down"}, status_code=200 if fine else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/hooks/{source}", Hooks(intake, addresses, limits).__call__, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ],
        exception_handlers={HTTPException: _in_json},
        lifespan=lifespan,
    )


def problem(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": text}, status_code=status, headers=headers)


async def _in_json(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return problem(error.status_code, error.detail, error.headers)


def _headers(request: Request) -> Mapping[str, str]:
    """Lower-case names; a header sent twice is joined as HTTP says, so that no copy is silently preferred."""
    found: dict[str, str] = {}
    for raw_name, raw_value in request.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, media_type=answer.content_type)
