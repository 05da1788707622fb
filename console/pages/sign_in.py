"""Signing in and out, and the language. The only pages that a stranger sees."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages.rendering import render
from console.security.forms import is_from_our_page, own_path, read_form, says_our_origin
from console.session.cookies import hash_of
from console.session.opening import (
    NOT_BY_PROVIDER,
    SignInFailed,
    open_by_messenger,
    open_by_provider,
    open_session,
)
from console.session.provider import RETURN_PATH, SignInAttempt
from console.session.user import find_user
from console.text.catalogue import N_
from console.text.language import COOKIE, LANGUAGES, language_of
from console.wiring import wiring_of
from providers.messengers.entries import entry

router = APIRouter()
YEAR = timedelta(days=365)
ATTEMPT = "oms-signing-in"
ATTEMPT_S = 600
MESSENGER_RETURN = "/sign-in/messenger/returned"


@router.get("/sign-in")
async def page(request: Request, next: str = "/") -> Response:
    return _shown(request, going_to=own_path(next))


@router.get("/sign-in/link")
async def look_at_link(request: Request, code: str = "", person: Annotated[str, Query(alias="as")] = "") -> Response:
    """A link is looked at before it signs in: whoever sent it might want their name on another's work."""
    return _shown(request, person=person[:64], code=code[:100])


@router.post("/sign-in/link")
async def take_link(request: Request) -> Response:
    wiring = wiring_of(request)
    if not says_our_origin(request, wiring.settings.url):
        return _shown(request, N_("Sign in on this page."), 403)
    form = await read_form(request)
    try:
        number = await open_session(wiring, str(form.get("code", "")), str(form.get("person", "")))
    except SignInFailed as why:
        return _shown(request, why.said, 401)
    answer = RedirectResponse("/", 303)
    wiring.cookie.give(answer, number)
    return answer


@router.get("/sign-in/on")
async def go_on(request: Request, next: str = "/") -> Response:
    """From a notice: to `next`, by the company's sign-in where nobody is signed in yet."""
    wiring = wiring_of(request)
    if await find_user(request) is not None:
        return RedirectResponse(own_path(next), 303)
    if wiring.provider is not None:
        return await leave(request, next)
    if wiring.messenger is not None:
        return await leave_by_messenger(request, next)
    return _shown(request, going_to=own_path(next))


@router.get("/sign-in/provider")
async def leave(request: Request, next: str = "/") -> Response:
    """To the company's sign-in. The cookie brings who comes back on to where they wanted to go."""
    provider = wiring_of(request).provider
    if provider is None:
        return _shown(request, NOT_BY_PROVIDER, 404)
    attempt = SignInAttempt.new()
    return _sent_away(request, attempt, provider.way(attempt), next)


@router.get("/sign-in/messenger")
async def leave_by_messenger(request: Request, next: str = "/") -> Response:
    """To the company's messenger; also from a notice, whose link opens what it is about in `next`."""
    wiring = wiring_of(request)
    if wiring.messenger is None:
        return _shown(request, NOT_BY_PROVIDER, 404)
    if await find_user(request) is not None:
        return RedirectResponse(own_path(next), 303)
    attempt = SignInAttempt.new()
    browser = request.headers.get("user-agent", "")
    way = entry(wiring.messenger, wiring.settings.url + MESSENGER_RETURN, attempt.plain_state, browser)
    return _sent_away(request, attempt, way, next)


@router.get(MESSENGER_RETURN)
async def come_back_by_messenger(
    request: Request, code: str = "", state: str = "", auth_code: Annotated[str, Query(alias="authCode")] = ""
) -> Response:
    """`authCode`: as 钉钉 calls the code."""
    wiring = wiring_of(request)
    back = wiring.settings.url + MESSENGER_RETURN

    async def opened(attempt: SignInAttempt) -> str:
        return await open_by_messenger(wiring, attempt, code=(code or auth_code)[:512], state=state, back=back)

    return await _came_back(request, opened)


@router.get(RETURN_PATH)
async def come_back(request: Request, code: str = "", state: str = "", iss: str = "") -> Response:
    wiring = wiring_of(request)

    async def opened(attempt: SignInAttempt) -> str:
        return await open_by_provider(wiring, attempt, code=code, state=state, issuer=iss)

    return await _came_back(request, opened)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Of a session that is over already, too."""
    wiring, user = wiring_of(request), await find_user(request)
    if user is not None:
        if not await is_from_our_page(request, user.number, wiring.settings.url):
            return _shown(request, N_("Sign out on a page of this console."), 403)
        await wiring.sessions.end(hash_of(user.number), wiring.now())
    answer = RedirectResponse("/sign-in", 303)
    wiring.cookie.take(answer)
    return answer


@router.get("/language/{language}")
async def choose(request: Request, language: str, next: str = "/") -> Response:
    answer = RedirectResponse(own_path(next), 303)
    if language in LANGUAGES:
        secure = wiring_of(request).settings.url.startswith("https:")
        kept = int(YEAR.total_seconds())
        answer.set_cookie(COOKIE, language, max_age=kept, httponly=True, samesite="lax", secure=secure)
    return answer


def _sent_away(request: Request, attempt: SignInAttempt, way: str, wanted: str) -> Response:
    answer = RedirectResponse(way, 303)
    kept = f"{attempt.number} {quote(own_path(wanted), safe='/')}"
    secure = wiring_of(request).settings.url.startswith("https:")
    answer.set_cookie(ATTEMPT, kept, max_age=ATTEMPT_S, httponly=True, samesite="lax", secure=secure, path="/sign-in")
    return answer


async def _came_back(request: Request, opened: Callable[[SignInAttempt], Awaitable[str]]) -> Response:
    """Who has left from this browser. `opened`: the number of the new session."""
    number, _, wanted = request.cookies.get(ATTEMPT, "").partition(" ")
    try:
        if not number:
            raise SignInFailed(NOT_BY_PROVIDER)
        session = await opened(SignInAttempt(number))
    except SignInFailed as why:
        answer = _shown(request, why.said, 401)
    else:
        answer = RedirectResponse(own_path(unquote(wanted) or "/"), 303)
        wiring_of(request).cookie.give(answer, session)
    answer.delete_cookie(ATTEMPT, path="/sign-in")
    return answer


def _shown(
    request: Request, said: str = "", status: int = 200, *, person: str = "", code: str = "", going_to: str = "/"
) -> Response:
    said = language_of(request).say(said) if said else ""
    return render(
        request, "sign_in.html", status=status, said=said, person=person, code=code, next=going_to,
        with_provider=wiring_of(request).provider is not None, messenger=wiring_of(request).messenger,
    )  # fmt: skip
