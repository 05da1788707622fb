"""飞书 (Feishu): OAuth for an app of one's own company, and cards sent by its bot.

Settings (SANDBOX_FEISHU_*): APP_ID, APP_SECRET, TENANT_KEY, MEMBERS (comma list; `name@company` works elsewhere).
"""

import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core.settings import Settings
from sandbox.messengers.people import TOKEN_LIVES_S, directory

OPEN = "ou_"


class FeishuSandbox:
    def __init__(self, settings: Settings) -> None:
        self._client, self._secret = settings.get("APP_ID", "cli_sandbox"), settings.get("APP_SECRET", "secret")
        self.tenant = settings.get("TENANT_KEY", "tenant-sandbox")
        self.people = directory(settings, self.tenant)
        self.app = Starlette(routes=[
            Route("/open-apis/authen/v1/authorize", self._authorize),
            Route("/open-apis/authen/v2/oauth/token", self._user_token, methods=["POST"]),
            Route("/open-apis/authen/v1/user_info", self._user),
            Route("/open-apis/auth/v3/tenant_access_token/internal", self._app_token, methods=["POST"]),
            Route("/open-apis/im/v1/messages", self._send, methods=["POST"]),
            *self.people.routes(),
        ])  # fmt: skip

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        if asked.get("client_id") != self._client or asked.get("response_type") != "code":
            return _no(20029, "redirect_uri or client_id is not registered")
        names = {"code": "code", "state": "state"}
        address = "/open-apis/authen/v1/authorize"
        return self.people.sign_in(request, address, asked["redirect_uri"], asked.get("state", ""), names=names)

    async def _user_token(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        if (asked.get("client_id"), asked.get("client_secret")) != (self._client, self._secret):
            return _denied(20002, "invalid_client", "The app secret is wrong.")
        if asked.get("grant_type") != "authorization_code":
            return _denied(20036, "unsupported_grant_type", "The grant type is not supported.")
        spent = self.people.spend(str(asked.get("code")))
        if spent is None:
            return _denied(20003, "invalid_grant", "The authorization code is invalid.")
        member, back = spent
        if back != asked.get("redirect_uri"):
            return _denied(20071, "invalid_grant", "The redirect_uri is another one.")
        return JSONResponse({
            "code": 0, "access_token": self.people.token_for(member.account), "expires_in": TOKEN_LIVES_S,
            "token_type": "Bearer", "scope": "auth:user.id:read",
        })  # fmt: skip

    async def _user(self, request: Request) -> Response:
        account = self.people.holder(_bearer(request))
        if not account:
            return _no(20005, "The user access token passed is invalid.")
        member = self.people.members[account]
        data = {"name": account, "open_id": OPEN + account, "union_id": f"on_{account}", "tenant_key": member.tenant}
        return JSONResponse({"code": 0, "msg": "success", "data": data})

    async def _app_token(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        if (asked.get("app_id"), asked.get("app_secret")) != (self._client, self._secret):
            return _no(10014, "app secret invalid")
        token = self.people.token_for("")
        return JSONResponse({"code": 0, "msg": "ok", "tenant_access_token": token, "expire": TOKEN_LIVES_S})

    async def _send(self, request: Request) -> Response:
        if self.people.holder(_bearer(request)) != "":
            return _no(99991663, "Invalid access token for authorization.")
        body = json.loads(await request.body())
        card = json.loads(body["content"])
        account = str(body["receive_id"]).removeprefix(OPEN)
        if request.query_params.get("receive_id_type") != "open_id" or body.get("msg_type") != "interactive":
            return _no(230001, "Your request contains an invalid request parameter.")
        if not self.people.is_reached(account):
            return _no(230013, "Bot has NO availability to this user.")
        text, act = card["elements"]
        self.people.sent.append({
            "to": account, "title": card["header"]["title"]["content"], "description": text["text"]["content"],
            "url": act["actions"][0]["url"],
        })  # fmt: skip
        return JSONResponse({"code": 0, "msg": "success", "data": {"message_id": "om_1"}})


def create_app(settings: Settings) -> Starlette:
    return FeishuSandbox(settings).app


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _no(code: int, why: str) -> Response:
    return JSONResponse({"code": code, "msg": why, "data": {}})


def _denied(code: int, error: str, why: str) -> Response:
    return JSONResponse({"code": code, "error": error, "error_description": why}, 400)
