"""钉钉: an app of one's own company. A code becomes a user's token, which says for which company it was given; that
user's unionId becomes the account in the company. docs/providers.md names the pages."""

import json
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx

from domain.clock import Clock
from providers.messengers.calls import AppToken, call, text_in
from providers.messengers.port import LinkMessage, MessengerApp, MessengerRefused, MessengerUnknown

SYSTEM = "dingtalk"
API, OLD_API = "api.dingtalk.com", "oapi.dingtalk.com"
TOKEN_HEADER = "x-acs-dingtalk-access-token"  # noqa: S105 - the header's name
BAD_TOKEN = "InvalidAuthentication"  # noqa: S105
EMPLOYEE = 0
"""`contact_type` of those who work here; 1 are outside contacts."""


class DingTalk:
    def __init__(self, app: MessengerApp, http: httpx.AsyncClient, clock: Clock) -> None:
        self.app = app
        self._http = http
        self._token = AppToken(self._fetch_token, clock)

    async def account(self, code: str, back: str) -> str:
        asked = {
            "clientId": self.app.app_id, "clientSecret": self.app.secret, "code": code,
            "grantType": "authorization_code",
        }  # fmt: skip
        given = await self._called("POST", "/v1.0/oauth2/userAccessToken", asked)
        if text_in(given, "corpId") != self.app.tenant:
            raise MessengerRefused(SYSTEM, "FOREIGN_TENANT", "who signed in did so for another company")
        user = await self._called("GET", "/v1.0/contact/users/me", token=text_in(given, "accessToken"))
        query = urlencode({"access_token": await self._token.get()})
        url = f"{self.app.at(OLD_API, '/topapi/user/getbyunionid')}?{query}"
        told = await call(self._http, SYSTEM, "POST", url, body={"unionid": text_in(user, "unionId")})
        result = told.get("result")
        if told.get("errcode") != 0 or not isinstance(result, dict):
            self._token.forget()
            raise MessengerRefused(SYSTEM, str(told.get("errcode", "none"))[:20], str(told.get("errmsg", ""))[:200])
        account = text_in(result, "userid")
        if not account or result.get("contact_type") != EMPLOYEE:
            raise MessengerRefused(SYSTEM, "NOT_A_MEMBER", "who signed in is no member of the company")
        return account

    async def send(self, account: str, message: LinkMessage) -> None:
        card = {
            "title": message.title, "text": f"**{message.title}**\n\n{message.text}",
            "singleTitle": message.button, "singleURL": message.url,
        }  # fmt: skip
        body = {
            "robotCode": self.app.agent_id, "userIds": [account], "msgKey": "sampleActionCard",
            "msgParam": json.dumps(card, ensure_ascii=False),
        }  # fmt: skip
        told = await self._as_app("/v1.0/robot/oToMessages/batchSend", body)
        for name in ("invalidStaffIdList", "flowControlledStaffIdList"):
            if told.get(name):
                raise MessengerRefused(SYSTEM, name, "the robot does not reach this person")

    async def _as_app(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        """With the app's token; once more with a new one when that was not believed."""
        try:
            return await self._called("POST", path, body, token=await self._token.get())
        except MessengerRefused as why:
            if why.code != BAD_TOKEN:
                raise
        return await self._called("POST", path, body, token=await self._token.get())

    async def _called(
        self, method: str, path: str, body: Mapping[str, object] | None = None, token: str = ""
    ) -> dict[str, object]:
        headers = {TOKEN_HEADER: token} if token else None
        told = await call(self._http, SYSTEM, method, self.app.at(API, path), body=body, headers=headers)
        # What went wrong has a code, what went well has none.
        if "code" in told:
            self._token.forget()
            raise MessengerRefused(SYSTEM, str(told["code"])[:60], str(told.get("message", ""))[:200])
        return told

    async def _fetch_token(self) -> tuple[str, int]:
        asked = {"appKey": self.app.app_id, "appSecret": self.app.secret}
        told = await self._called("POST", "/v1.0/oauth2/accessToken", asked)
        token, life = text_in(told, "accessToken"), told.get("expireIn")
        if not token or not isinstance(life, int):
            raise MessengerUnknown(SYSTEM, "NO_TOKEN", "there is no token in the answer")
        return token, life
