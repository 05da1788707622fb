"""Who works where, codes that serve once, tokens that end, and what was sent: the same for every messenger.

`POST /_who` with `account` says as whom the browser is signed in there; without it the sign-in page asks. `GET /_sent`:
what people were sent, as a page for browsers.
"""

import html
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.core.settings import Settings

CODE_LIVES_S = 300
TOKEN_LIVES_S = 7_200


@dataclass(frozen=True)
class Member:
    """`tenant`: the company that they work in."""

    account: str
    tenant: str


@dataclass
class Directory:
    """`ours`: the company whose app this is. `reachable`: whom the app may write to; None: every member."""

    ours: str
    clock: Callable[[], float]
    members: dict[str, Member] = field(default_factory=dict)
    codes: dict[str, tuple[Member, float, str]] = field(default_factory=dict)
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    reachable: set[str] | None = None
    who: str = ""

    def works(self, account: str, tenant: str = "") -> Member:
        member = self.members[account] = Member(account, tenant or self.ours)
        return member

    def code_for(self, member: Member, back: str = "") -> str:
        code = secrets.token_urlsafe(24)
        self.codes[code] = (member, self.clock() + CODE_LIVES_S, back)
        return code

    def spend(self, code: str) -> tuple[Member, str] | None:
        """Whom it stands for, and where it was sent; None: never given, spent, or too old."""
        member, until, back = self.codes.pop(code, (Member("", ""), 0.0, ""))
        return (member, back) if self.clock() < until else None

    def token_for(self, whom: str) -> str:
        """`whom`: an account, or '' for the app."""
        token = secrets.token_urlsafe(24)
        self.tokens[token] = (whom, self.clock() + TOKEN_LIVES_S)
        return token

    def holder(self, token: str) -> str | None:
        whom, until = self.tokens.get(token, ("", 0.0))
        return whom if self.clock() < until else None

    def is_reached(self, account: str) -> bool:
        member = self.members.get(account)
        if member is None or member.tenant != self.ours:
            return False
        return self.reachable is None or account in self.reachable

    def sign_in(self, request: Request, address: str, back: str, state: str, *, names: Mapping[str, str]) -> Response:
        """A browser that wants to sign in: who is known is sent back with a code, anybody else asked who they are.
        `names`: how the code and the state are called in the address."""
        account = request.query_params.get("_account") or self.who
        member = self.members.get(account)
        if member is None:
            return _asks(address, request, sorted(self.members))
        code = self.code_for(member, back)
        parts = {name: {"code": code, "state": state}[what] for name, what in names.items()}
        return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{urlencode(parts)}", 302)

    async def set_who(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        self.who = form.get("account", "")
        return JSONResponse({"who": self.who})

    def routes(self) -> list[Route]:
        return [
            Route("/_who", self.set_who, methods=["POST"]),
            Route("/_sent", self._sent, methods=["GET"]),
            Route("/_health", self._health, methods=["GET"]),
        ]

    async def _sent(self, request: Request) -> Response:
        if not wants_page(request):
            return JSONResponse(self.sent)
        return page("".join(map(_card, reversed(self.sent))) or "<p>Nothing was sent yet.</p>")

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"sandbox": "messenger", "members": len(self.members)})


def directory(settings: Settings, ours: str) -> Directory:
    """MEMBERS: a comma list, `account` or `account@company`."""
    made = Directory(ours, lambda: settings.clock().timestamp())
    for text in filter(None, settings.get("MEMBERS", "zhangsan,lisi").split(",")):
        account, _, tenant = text.strip().partition("@")
        made.works(account, tenant)
    return made


def _asks(address: str, request: Request, accounts: list[str]) -> Response:
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in request.query_params.items()
    )
    choices = "".join(f'<button name="_account" value="{html.escape(a)}">{html.escape(a)}</button>' for a in accounts)
    return page(f'<form action="{html.escape(address)}">{hidden}{choices}</form>')


def _card(sent: Mapping[str, Any]) -> str:
    to, title, text, url = (html.escape(str(sent[name])) for name in ("to", "title", "description", "url"))
    return f'<h2>{to}: {title}</h2><pre>{text}</pre><p><a href="{url}">{url}</a></p>'


def wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def page(inside: str) -> Response:
    # Without an icon of its own a browser asks for one.
    head = '<meta charset="utf-8"><title>Sandbox</title><link rel="icon" href="data:,">'
    return HTMLResponse(f'<!doctype html><html lang="en">{head}{inside}</html>')
