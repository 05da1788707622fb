"""`/api/v1` as an application of its own within the console: its own errors, its own document, no cookies."""

import re
import secrets
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic.json_schema import models_json_schema
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.api import (
    callbacks,
    complaints,
    events,
    evidence,
    finance,
    goods,
    orders,
    payments,
    returns,
    tickets,
)
from console.api.callers import Scoped
from console.api.problems import ProblemDetail, add_problems
from console.api.reading import BODIES
from console.api.reports import boards, building, periods, process, risk
from console.wiring import Wiring

MOUNTED = "/api/v1"
ROUTERS = (
    orders, payments, complaints, returns, evidence, events, goods, finance, tickets, callbacks, periods,
    building, process, boards, risk,
)  # fmt: skip
_USABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
DESCRIPTION = (
    "Orders and returns for programs of others, by a token made with `oms api-token add`. Amounts are integers in "
    "minor units (fen), times RFC 3339. Every change takes an Idempotency-Key. See docs/api.md."
)


def make_api(wiring: Wiring | None) -> FastAPI:
    """Without wiring: only to be written down. Raises `RuntimeError` when a way in names no scope."""
    api = FastAPI(
        title="Order orchestrator", version="1", description=DESCRIPTION, docs_url=None, redoc_url=None,
        openapi_url="/openapi.json", separate_input_output_schemas=False, servers=[{"url": MOUNTED}],
        root_path_in_servers=False,
    )  # fmt: skip
    api.state.wiring = wiring
    for each in ROUTERS:
        api.include_router(each.router)
    bare = [f"{method} {path}" for (method, path), scoped in scopes(api).items() if scoped is None]
    if bare:
        raise RuntimeError(f"these ways in name no scope: {', '.join(bare)}")
    add_problems(api)
    api.add_middleware(RequestIds)
    api.openapi = lambda: document(api)  # type: ignore[method-assign]
    return api


def scopes(api: FastAPI) -> dict[tuple[str, str], Scoped | None]:
    """By method and path."""
    found: dict[tuple[str, str], Scoped | None] = {}
    for way in iter_route_contexts(api.routes):
        if isinstance(way.original_route, APIRoute):
            scoped = next((d.call for d in way.dependant.dependencies if isinstance(d.call, Scoped)), None)
            found |= {(method, way.path or ""): scoped for method in way.methods or ()}
    return found


def document(api: FastAPI) -> dict[str, Any]:
    if api.openapi_schema is None:
        made = get_openapi(
            title=api.title, version=api.version, description=api.description, routes=api.routes, servers=api.servers,
            separate_input_output_schemas=False,
        )  # fmt: skip
        wanted: Any = [(model, "validation") for model in (*BODIES, ProblemDetail)]
        _, named = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
        components = made.setdefault("components", {})
        components["schemas"] = dict(sorted((components.get("schemas", {}) | named["$defs"]).items()))
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "oms_…"}}
        made["security"] = [{"token": []}]
        api.openapi_schema = made
    return api.openapi_schema


class RequestIds:
    """Every answer names its request: as the caller did, or by chance."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        number = given if _USABLE_ID.fullmatch(given) else secrets.token_hex(12)
        scope.setdefault("state", {})["request_id"] = number

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = number
            await send(message)

        await self._app(scope, receive, sent)
