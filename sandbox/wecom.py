"""企业微信 (WeCom): signing in to an app of one's own company, and cards sent by it.

Settings (SANDBOX_WECOM_*): CORP_ID, AGENT_ID, SECRET, MEMBERS (comma list; `name@company` works elsewhere).
"""

import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core.settings import Settings
from sandbox.messengers.people import TOKEN_LIVES_S, directory


class WeComSandbox:
    def __init__(self, settings: Settings) -> None:
        self.corp, self.agent = settings.get("CORP_ID", "ww-sandbox"), settings.get("AGENT_ID", "1000002")
        self._secret = settings.get("SECRET", "sandbox-secret")
        self.people = directory(settings, self.corp)
        self.app = Starlette(routes=[
            Route("/connect/oauth2/authorize", self._inside),
            Route("/wwlogin/sso/login", self._scan),
            Route("/cgi-bin/gettoken", self._token),
            Route("/cgi-bin/auth/getuserinfo", self._user),
            Route("/cgi-bin/message/send", self._send, methods=["POST"]),
            *self.people.routes(),
        ])  # fmt: skip

    async def _inside(self, request: Request) -> Response:
        """In the messenger's own browser: nobody is asked."""
        asked = request.query_params
        if (asked.get("response_type"), asked.get("scope")) != ("code", "snsapi_base"):
            return _no(40003, "invalid response_type or scope")
        return self._sign_in(request, "/connect/oauth2/authorize")

    async def _scan(self, request: Request) -> Response:
        if request.query_params.get("login_type") != "CorpApp":
            return _no(40003, "invalid login_type")
        return self._sign_in(request, "/wwlogin/sso/login")

    def _sign_in(self, request: Request, address: str) -> Response:
        asked = request.query_params
        if asked.get("appid") != self.corp or asked.get("agentid") != self.agent or not asked.get("redirect_uri"):
            return _no(50001, "redirect_uri unauthorized")
        names = {"code": "code", "state": "state"}
        return self.people.sign_in(request, address, asked["redirect_uri"], asked.get("state", ""), names=names)

    async def _token(self, request: Request) -> Response:
        asked = request.query_params
        if asked.get("corpid") != self.corp:
            return _no(40013, "invalid corpid")
        if asked.get("corpsecret") != self._secret:
            return _no(40001, "invalid credential")
        return _yes(access_token=self.people.token_for(""), expires_in=TOKEN_LIVES_S)

    async def _user(self, request: Request) -> Response:
        if not self._knows_app(request):
            return _no(40014, "invalid access_token")
        spent = self.people.spend(request.query_params.get("code", ""))
        if spent is None:
            return _no(40029, "invalid code")
        member, _ = spent
        if member.tenant != self.corp:
            return _yes(openid=f"o-{member.account}")
        return _yes(userid=member.account)

    async def _send(self, request: Request) -> Response:
        if not self._knows_app(request):
            return _no(40014, "invalid access_token")
        body = json.loads(await request.body())
        card = body.get("textcard") or {}
        if body.get("msgtype") != "textcard" or not all(card.get(name) for name in ("title", "description", "url")):
            return _no(40058, "missing parameter of textcard")
        if str(body.get("agentid")) != self.agent:
            return _no(40056, "invalid agentid")
        reached = self.people.is_reached(body["touser"])
        if reached:
            self.people.sent.append({"to": body["touser"], **card})
        return _yes(msgid="m-1", **({} if reached else {"invaliduser": body["touser"]}))

    def _knows_app(self, request: Request) -> bool:
        return self.people.holder(request.query_params.get("access_token", "")) == ""


def create_app(settings: Settings) -> Starlette:
    return WeComSandbox(settings).app


def _yes(**more: object) -> Response:
    return JSONResponse({"errcode": 0, "errmsg": "ok", **more})


def _no(code: int, why: str) -> Response:
    return JSONResponse({"errcode": code, "errmsg": why})
