"""Bodies: read once, bounded, as strictly as every message; faults name their place."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from console.api.problems import MOST_FAULTS, ApiProblem, FieldFault, pointer
from domain.strict import MAX_BYTES, MOST_LOOKED_AT, UnableToRead, load, of

SLOWEST_S = 30.0
JSON = "application/json"
M = TypeVar("M", bound=BaseModel)

BODIES: list[type[BaseModel]] = []
"""Of which the OpenAPI document shows the schemas."""


@contextmanager
def own_cursor() -> Iterator[None]:
    """Raises `ApiProblem` for an `after` that no page of ours gave."""
    try:
        yield
    except ValueError as why:
        fault = FieldFault(pointer="query/after", code="cursor", detail=str(why))
        raise ApiProblem(422, "INVALID_REQUEST", str(why), [fault]) from None


def takes(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of an endpoint that reads this message with `read_json`."""
    if model not in BODIES:
        BODIES.append(model)
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}}


async def read_json(request: Request, model: type[M]) -> M:
    """Raises `ApiProblem`."""
    insist_on_type(request, JSON)
    raw = await read_bytes(request, MAX_BYTES)
    try:
        value = load(raw)
    except UnableToRead as why:
        raise ApiProblem(
            422, "INVALID_JSON", str(why)[:500], [FieldFault(pointer="#", code="json", detail=str(why)[:200])]
        ) from None
    try:
        return of(model, value)
    except ValidationError as why:
        raise ApiProblem(422, "INVALID_BODY", "the message is not as it has to be", _faults(why)) from None


def insist_on_type(request: Request, *types: str) -> str:
    """Raises `ApiProblem`."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in types:
        raise ApiProblem(415, "CONTENT_TYPE", f"this address reads {' or '.join(types)}")
    return given


async def read_bytes(request: Request, most: int) -> bytes:
    """Raises `ApiProblem`."""
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise ApiProblem(413, "TOO_LARGE", f"at most {most} bytes are read here")
    except TimeoutError:
        raise ApiProblem(408, "TOO_SLOW", "what was sent came too slowly") from None
    except ClientDisconnect:
        raise ApiProblem(408, "BROKEN_OFF", "the request broke off") from None
    return bytes(body)


def _faults(why: ValidationError) -> list[FieldFault]:
    if (count := why.error_count()) > MOST_LOOKED_AT:
        return [FieldFault(pointer="#", code="too_many_faults", detail=f"{count} faults, too many to be told")]
    found = why.errors(include_input=False, include_url=False)[:MOST_FAULTS]
    return [FieldFault(pointer=pointer(e["loc"]), code=e["type"], detail=e["msg"][:300]) for e in found]
