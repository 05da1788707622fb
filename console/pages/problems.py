"""What went wrong, in words with advice: as a page, or as a part of one for what htmx asks."""

import traceback
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import structlog
from asyncpg import InterfaceError
from asyncpg.exceptions import (
    InsufficientResourcesError,
    LockNotAvailableError,
    OperatorInterventionError,
    PostgresConnectionError,
)
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from console.pages.rendering import render
from console.security.access import NotForYou, NotSignedIn
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of

log = structlog.get_logger("oms.console")
SAID: Mapping[int, tuple[str, str]] = {
    400: (N_("This address says something that does not exist."), N_("Start again from the menu.")),
    401: (N_("Nobody is signed in."), N_("Sign in, then do it again.")),
    403: (
        N_("This is not yours to see or do."),
        N_("Whoever may do it is named below; this attempt was written down."),
    ),
    404: (N_("There is no such page, or nothing under this number."), N_("Search for the number in the field above.")),
    405: (N_("This address does nothing of that kind."), N_("Start again from the menu.")),
    408: (N_("What you sent came too slowly."), N_("Look at your connection and send it again.")),
    409: (N_("That cannot be done now."), N_("Load the page again: the order has gone on.")),
    410: (N_("This link is not valid, or not any more."), N_("Ask the shop for a new one.")),
    429: (N_("That was too often."), N_("Wait a minute, then do it again.")),
    413: (N_("What you sent is too large."), N_("Send less at a time.")),
    422: (N_("Something is not filled in as it has to be."), N_("Look at:")),
    500: (N_("Something of ours went wrong."), N_("Nothing tells whether it was done: look before you do it again.")),
    504: (
        N_("Nobody has answered in time."),
        N_("Whether it was done is not known: load the page and look before you do it again."),
    ),
    503: (N_("The books do not answer."), N_("Wait a moment and load the page again.")),
}
AWAY = (
    InterfaceError, PostgresConnectionError, OperatorInterventionError, InsufficientResourcesError,
    LockNotAvailableError, OSError, TimeoutError,
)  # fmt: skip
"""The books cannot answer now. What else they say is a fault of ours."""


def add_problems(app: FastAPI) -> None:
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(NotForYou, _not_for_you)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _malformed)
    for kind in AWAY:
        app.add_exception_handler(kind, _books)
    app.add_exception_handler(Exception, _ours)


def problem(request: Request, status: int, detail: str = "", user: User | None = None) -> Response:
    language = language_of(request)
    said, advice = map(language.say, SAID.get(status, SAID[500]))
    template = "_problem.html" if request.headers.get("hx-request") else "problem.html"
    user = user or getattr(request.state, "user", None)
    return render(request, template, user, status=status, said=said, advice=advice, detail=detail)


async def _not_signed_in(request: Request, _why: Exception) -> Response:
    """Who wants to see a page is sent to the sign-in and back; nothing else is answered."""
    if (
        request.method == "GET"
        and not request.headers.get("hx-request")
        and "text/html" in request.headers.get("accept", "")
    ):
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", 303)
    return PlainTextResponse("nobody is signed in\n", 401)


async def _not_for_you(request: Request, why: Exception) -> Response:
    assert isinstance(why, NotForYou)
    language = language_of(request)
    if why.code == "NOT_FROM_OUR_PAGE":
        return problem(
            request, 403, language.say(N_("The form was not sent by a page of this session: load it again."))
        )
    roles = "、".join(language.word("role", role) for role in why.needs)
    return problem(request, 403, roles)


async def _http(request: Request, why: Exception) -> Response:
    assert isinstance(why, HTTPException)
    return problem(request, why.status_code)


async def _malformed(request: Request, _why: Exception) -> Response:
    return problem(request, 400)


async def _books(request: Request, why: Exception) -> Response:
    log.error("the books did not answer", error=type(why).__name__)
    return problem(request, 503)


async def _ours(request: Request, why: Exception) -> Response:
    # Where, and no more: what it was about may name a buyer.
    frames = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(why.__traceback__)[-4:]]
    log.error("a page failed", error=type(why).__name__, at=frames)
    return problem(request, 500)
