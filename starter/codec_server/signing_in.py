"""Who asks the codec server: a bearer token, or the cookie in which this server keeps one for a browser.

The Web UI sends a bearer token when people sign in to it; where it knows no sign-in, as on a developer's stack, they
sign in here, and the browser sends the cookie along.
"""

import asyncio
import html
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from domain.access.authority import ProvenCaller
from providers.tokens.errors import KeysUnavailable, TokenInvalid, TokenRefused
from providers.tokens.verify import LONGEST, TokenVerifier

COOKIE = "oms-histories"
KEPT_S = 3_600
"""No token that reads lives longer; the token's own end counts."""

PAGE = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>oms</title>
<style>body{{font:16px sans-serif;max-width:40em;margin:4em auto}}textarea{{width:100%;height:8em}}</style>
<h1>查看历史内容 · Reading histories</h1>
<p>{said}</p>
<form method="post"><textarea name="token" aria-label="token" placeholder="oms token read --as u-ops"></textarea>
<p><button>登录 · Sign in</button></p></form></html>"""
ASKED = "请粘贴令牌；每次查看都会记录。<br>Paste a token. Whose histories you read is written down."


class SigningIn:
    def __init__(self, verifier: TokenVerifier, origins: tuple[str, ...], *, slowest_s: float) -> None:
        self._verifier = verifier
        self._slowest_s = slowest_s
        self._origins = frozenset(origins)

    async def caller(self, request: Request) -> ProvenCaller:
        """Raises `TokenRefused`, `KeysUnavailable`."""
        return await self._verifier.verify_reader(self._token(request))

    def _token(self, request: Request) -> str:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and token:
            return token.strip()
        # A browser says which page asks; the cookie of another page's visitor is not for it.
        if kept := _kept(request.headers.get("cookie", "")):
            if request.headers.get("origin") in self._origins:
                return kept
            raise TokenInvalid("this page is not the Web UI that is known here")
        raise TokenInvalid("nobody is signed in")

    async def page(self, _request: Request) -> Response:
        return _shown(ASKED)

    async def take(self, request: Request) -> Response:
        """Keeps the token in a cookie that no script reads and no other site sends. No other page signs anybody in:
        what they read would be written down as somebody else's reading."""
        said_by = request.headers.get("origin")
        if said_by is not None and urlsplit(said_by).netloc != request.headers.get("host"):
            return _shown("请在本页登录 · Sign in on this page.", 403)
        body = bytearray()
        try:
            async with asyncio.timeout(self._slowest_s):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > 2 * LONGEST:
                        return _shown("太长 · That is too long.", 413)
        except TimeoutError:
            return _shown("太慢 · That took too long.", 408)
        token = "".join(parse_qs(body.decode("ascii", errors="replace")).get("token", [])).strip()
        try:
            caller = await self._verifier.verify_reader(token)
        except (TokenRefused, KeysUnavailable) as why:
            return _shown(f"未登录 · Not signed in: {html.escape(str(why))}", 401)
        answer = _shown(f"已登录 · Signed in: {html.escape(caller.person_id)}")
        # Whatever stands before us ends TLS, so the scheme of our own address says nothing.
        secure = request.url.hostname not in ("127.0.0.1", "localhost", "::1")
        answer.set_cookie(COOKIE, token, max_age=KEPT_S, httponly=True, samesite="strict", secure=secure)
        return answer


def _kept(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _shown(said: str, status: int = 200) -> Response:
    safe = {"cache-control": "no-store", "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return HTMLResponse(PAGE.format(said=said), status, headers=safe)
