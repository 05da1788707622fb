"""企业微信: an app of one's own company. A code is asked about with the app's token; members have a `userid`, everybody
else an `openid`. docs/providers.md names the pages."""

from collections.abc import Mapping
from urllib.parse import urlencode

import httpx

from domain.clock import Clock
from providers.messengers.calls import AppToken, call, text_in
from providers.messengers.port import LinkMessage, MessengerApp, MessengerRefused, MessengerUnknown

SYSTEM = "wecom"
API = "qyapi.weixin.qq.com"
BAD_TOKEN = (40001, 40014, 42001)


class WeCom:
    def __init__(self, app: MessengerApp, http: httpx.AsyncClient, clock: Clock) -> None:
        self.app = app
        self._http = http
        self._token = AppToken(self._fetch_token, clock)

    async def account(self, code: str, back: str) -> str:
        told = await self._told("GET", "/cgi-bin/auth/getuserinfo", {"code": code})
        # Someone outside of the company has an openid, a guest of another company an external_userid.
        if not (account := text_in(told, "userid")):
            raise MessengerRefused(SYSTEM, "NOT_A_MEMBER", "who signed in is no member of the company")
        return account

    async def send(self, account: str, message: LinkMessage) -> None:
        card = {"title": message.title, "description": message.text, "url": message.url, "btntxt": message.button}
        body = {"touser": account, "msgtype": "textcard", "agentid": _number(self.app.agent_id), "textcard": card}
        told = await self._told("POST", "/cgi-bin/message/send", {}, body)
        if text_in(told, "invaliduser"):
            raise MessengerRefused(SYSTEM, "invaliduser", "the app is not shown to this person")

    async def _told(
        self, method: str, path: str, query: dict[str, str], body: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        """Of a call with the app's token; once more with a new one when that was not believed."""
        for last in (False, True):
            asked = urlencode({"access_token": await self._token.get(), **query})
            told = await call(self._http, SYSTEM, method, f"{self.app.at(API, path)}?{asked}", body=body)
            if told.get("errcode") in BAD_TOKEN and not last:
                self._token.forget()
                continue
            _insist(told)
            return told
        raise AssertionError("the second answer is taken or raised")

    async def _fetch_token(self) -> tuple[str, int]:
        query = urlencode({"corpid": self.app.app_id, "corpsecret": self.app.secret})
        told = await call(self._http, SYSTEM, "GET", f"{self.app.at(API, '/cgi-bin/gettoken')}?{query}")
        _insist(told)
        token, life = text_in(told, "access_token"), told.get("expires_in")
        if not token or not isinstance(life, int):
            raise MessengerUnknown(SYSTEM, "NO_TOKEN", "there is no token in the answer")
        return token, life


def _number(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _insist(told: dict[str, object]) -> None:
    if told.get("errcode") != 0:
        raise MessengerRefused(SYSTEM, str(told.get("errcode", "none"))[:20], str(told.get("errmsg", ""))[:200])
