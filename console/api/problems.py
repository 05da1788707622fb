"""What went wrong, as RFC 9457 has it: a code that stays the same, words for people, and which field it is about."""

import traceback
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.pages.problems import AWAY

log = structlog.get_logger("oms.api")
MEDIA = "application/problem+json"
MOST_FAULTS = 100
CODES = {401: "TOKEN_REQUIRED", 404: "NO_SUCH_ADDRESS", 405: "METHOD_NOT_ALLOWED", 408: "TOO_SLOW", 413: "TOO_LARGE"}


class FieldFault(BaseModel):
    """`pointer`: where: a JSON pointer as a fragment (`#/lines/0/qty`), or `query/limit`, `header/Idempotency-Key`."""

    pointer: str
    code: str
    detail: str


class ProblemDetail(BaseModel):
    """RFC 9457. `code` says what it is, and stays; `detail` may change. `request_id`: quote it when you ask."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[FieldFault] = []


class ApiProblem(Exception):
    """An answer that is no success. `final`: told again under the same key it would be the same."""

    def __init__(
        self, status: int, code: str, detail: str, errors: Iterable[FieldFault] = (), *,
        retry_after_s: int | None = None, final: bool = False,
    ) -> None:  # fmt: skip
        self.status, self.code, self.detail = status, code, detail
        self.errors = tuple(errors)[:MOST_FAULTS]
        self.retry_after_s = retry_after_s
        self.final = final
        super().__init__(detail)

    def told(self, request: Request) -> dict[str, Any]:
        return ProblemDetail(
            type=f"urn:oms:problem:{self.code}", title=HTTPStatus(self.status).phrase, status=self.status,
            code=self.code, detail=self.detail, request_id=request.state.request_id, errors=list(self.errors),
        ).model_dump()  # fmt: skip


def problem_response(request: Request, problem: ApiProblem) -> Response:
    headers = {} if problem.retry_after_s is None else {"retry-after": str(problem.retry_after_s)}
    if problem.status == 401:
        headers["www-authenticate"] = 'Bearer realm="oms"'
    return Response(to_json(problem.told(request)), problem.status, headers, MEDIA)


def pointer(place: Iterable[int | str]) -> str:
    parts = [str(part).replace("~", "~0").replace("/", "~1")[:100] for part in place]
    return "#" + "".join(f"/{part}" for part in parts)


def add_problems(app: FastAPI) -> None:
    app.add_exception_handler(ApiProblem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _malformed)
    for kind in AWAY:
        app.add_exception_handler(kind, _away)
    app.add_exception_handler(Exception, _ours)


async def _problem(request: Request, why: Exception) -> Response:
    assert isinstance(why, ApiProblem)
    return problem_response(request, why)


async def _http(request: Request, why: Exception) -> Response:
    assert isinstance(why, HTTPException)
    code = CODES.get(why.status_code, "NOT_UNDERSTOOD")
    answer = problem_response(
        request, ApiProblem(why.status_code, code, f"{why.detail}: {request.method} is not answered here")
    )
    answer.headers.update(why.headers or {})
    return answer


async def _malformed(request: Request, why: Exception) -> Response:
    """Of the address, the query or a header; bodies are read by ourselves."""
    assert isinstance(why, RequestValidationError)
    faults = [
        FieldFault(pointer="/".join(str(p)[:100] for p in e["loc"]), code=e["type"], detail=e["msg"])
        for e in why.errors()
    ]
    return problem_response(
        request, ApiProblem(422, "INVALID_REQUEST", "the address, a filter or a header is not as it has to be", faults)
    )


async def _away(request: Request, why: Exception) -> Response:
    log.error("the books did not answer", error=type(why).__name__)
    return problem_response(
        request, ApiProblem(503, "BOOKS_AWAY", "the books do not answer; ask again", retry_after_s=5)
    )


async def _ours(request: Request, why: Exception) -> Response:
    frames = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(why.__traceback__)[-4:]]
    log.error("a request failed", error=type(why).__name__, at=frames, request_id=request.state.request_id)
    return problem_response(
        request, ApiProblem(500, "FAULT_OF_OURS", "this is a defect of ours; whether it was done is unknown")
    )


_SAID: Mapping[int, str] = {
    401: "No token, or one that does not count (any more).",
    403: "This token is not for that; the attempt was written down.",
    404: "There is nothing under this number, or nothing that this token sees.",
    410: "What came after this cursor is not kept any more.",
    409: "Not in its present state; or the same key is being worked on (Retry-After).",
    413: "Too large.",
    415: "Another content type than the one that is read here.",
    422: "Not as it has to be; `errors` names the fields.",
    429: "More than this token may ask; Retry-After says when again.",
    503: "Somebody whom we need does not answer; whether it was done is unknown. Ask again under the same key.",
}
READING = (401, 403, 404, 422, 429, 503)
CHANGING = (*READING, 409, 413, 415)


def may_answer(*statuses: int) -> dict[int | str, dict[str, Any]]:
    schema = {"$ref": "#/components/schemas/ProblemDetail"}
    return {status: {"description": _SAID[status], "content": {MEDIA: {"schema": schema}}} for status in statuses}
