"""钉钉 (DingTalk): OAuth for an app of one's own company, and cards sent by its robot.

Settings (SANDBOX_DINGTALK_*): CLIENT_ID, CLIENT_SECRET, CORP_ID, ROBOT_CODE, MEMBERS (comma list; `name@company`).
"""

import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core.settings import Settings
from sandbox.messengers.people import TOKEN_LIVES_S, directory

TOKEN_HEADER = "x-acs-dingtalk-access-token"
UNION = "union-"


class DingTalkSandbox:
    def __init__(self, settings: Settings) -> None:
        self._client, self._secret = settings.get("CLIENT_ID", "ding-sandbox"), settings.get("CLIENT_SECRET", "secret")
        self.corp, self._robot = settings.get("CORP_ID", "ding-corp"), settings.get("ROBOT_CODE", "ding-sandbox")
        self.people = directory(settings, self.corp)
        self.app = Starlette(routes=[
            Route("/oauth2/auth", self._authorize),
            Route("/v1.0/oauth2/userAccessToken", self._user_token, methods=["POST"]),
            Route("/v1.0/oauth2/accessToken", self._app_token, methods=["POST"]),
            Route("/v1.0/contact/users/me", self._me),
            Route("/topapi/user/getbyunionid", self._by_union, methods=["POST"]),
            Route("/v1.0/robot/oToMessages/batchSend", self._send, methods=["POST"]),
            *self.people.routes(),
        ])  # fmt: skip

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        if asked.get("client_id") != self._client or asked.get("response_type") != "code":
            return _no("invalidParameter.clientId", "client_id is not known")
        names = {"authCode": "code", "state": "state"}
        return self.people.sign_in(
            request, "/oauth2/auth", asked["redirect_uri"], asked.get("state", ""), names=names
        )  # fmt: skip

    async def _user_token(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        if (asked.get("clientId"), asked.get("clientSecret")) != (self._client, self._secret):
            return _no("invalidClientIdOrSecret", "clientId or clientSecret is wrong")
        spent = self.people.spend(str(asked.get("code")))
        if spent is None or asked.get("grantType") != "authorization_code":
            return _no("invalidParameter.authCode.notFound", "不合法的临时授权码")
        member, _ = spent
        return JSONResponse({
            "accessToken": self.people.token_for(member.account), "refreshToken": "r", "expireIn": TOKEN_LIVES_S,
            "corpId": member.tenant,
        })  # fmt: skip

    async def _app_token(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        if (asked.get("appKey"), asked.get("appSecret")) != (self._client, self._secret):
            return _no("invalidClientIdOrSecret", "appKey or appSecret is wrong")
        return JSONResponse({"accessToken": self.people.token_for(""), "expireIn": TOKEN_LIVES_S})

    async def _me(self, request: Request) -> Response:
        account = self.people.holder(request.headers.get(TOKEN_HEADER, ""))
        if not account:
            return _no("InvalidAuthentication", "不合法的access_token", 403)
        return JSONResponse({"nick": account, "unionId": UNION + account, "openId": f"open-{account}"})

    async def _by_union(self, request: Request) -> Response:
        if self.people.holder(request.query_params.get("access_token", "")) != "":
            return JSONResponse({"errcode": 40014, "errmsg": "不合法的access_token"})
        account = str(json.loads(await request.body()).get("unionid")).removeprefix(UNION)
        member = self.people.members.get(account)
        if member is None or member.tenant != self.corp:
            return JSONResponse({"errcode": 60121, "errmsg": "找不到该用户"})
        outside = account.startswith("guest")
        result = {"contact_type": int(outside), "userid": account}
        return JSONResponse({"errcode": 0, "errmsg": "ok", "result": result, "request_id": "q"})

    async def _send(self, request: Request) -> Response:
        if self.people.holder(request.headers.get(TOKEN_HEADER, "")) != "":
            return _no("InvalidAuthentication", "不合法的access_token", 403)
        body = json.loads(await request.body())
        card = json.loads(body["msgParam"])
        whole = all(card.get(name) for name in ("title", "text", "singleTitle", "singleURL"))
        if body.get("robotCode") != self._robot or body.get("msgKey") != "sampleActionCard" or not whole:
            return _no("invalidParameter.param.invalid", "robotCode, msgKey or msgParam")
        reached = [account for account in body["userIds"] if self.people.is_reached(account)]
        self.people.sent += [
            {"to": account, "title": card["title"], "description": card["text"], "url": card["singleURL"]}
            for account in reached
        ]
        lost = [account for account in body["userIds"] if account not in reached]
        return JSONResponse({"processQueryKey": "p-1", "invalidStaffIdList": lost, "flowControlledStaffIdList": []})


def create_app(settings: Settings) -> Starlette:
    return DingTalkSandbox(settings).app


def _no(code: str, why: str, status: int = 400) -> Response:
    return JSONResponse({"code": code, "requestid": "q", "message": why}, status)
