"""飞书: an app of one's own company. OAuth as RFC 6749 has it; the user's token tells who it is and of which company.
docs/providers.md names the pages."""

import json
from collections.abc import Mapping

import httpx

from domain.clock import Clock
from providers.messengers.calls import AppToken, call, text_in
from providers.messengers.port import LinkMessage, MessengerApp, MessengerRefused, MessengerUnknown

SYSTEM = "feishu"
API = "open.feishu.cn"
BAD_TOKEN = ("99991661", "99991663", "99991664")


class Feishu:
    """Accounts are open_ids: they need no further permission, and are this app's own."""

    def __init__(self, app: MessengerApp, http: httpx.AsyncClient, clock: Clock) -> None:
        self.app = app
        self._http = http
        self._token = AppToken(self._fetch_token, clock)

    async def account(self, code: str, back: str) -> str:
        asked = {
            "grant_type": "authorization_code", "client_id": self.app.app_id, "client_secret": self.app.secret,
            "code": code, "redirect_uri": back,
        }  # fmt: skip
        given = await self._called("POST", "/open-apis/authen/v2/oauth/token", body=asked)
        told = await self._called("GET", "/open-apis/authen/v1/user_info", token=text_in(given, "access_token"))
        data = told.get("data")
        user = data if isinstance(data, dict) else {}
        if text_in(user, "tenant_key") != self.app.tenant:
            raise MessengerRefused(SYSTEM, "FOREIGN_TENANT", "who signed in is of another company")
        if not (account := text_in(user, "open_id")):
            raise MessengerUnknown(SYSTEM, "NO_USER", "the answer names nobody")
        return account

    async def send(self, account: str, message: LinkMessage) -> None:
        button = {
            "tag": "button", "type": "primary", "url": message.url,
            "text": {"tag": "plain_text", "content": message.button},
        }  # fmt: skip
        card = {
            "header": {"title": {"tag": "plain_text", "content": message.title}},
            "elements": [
                {"tag": "div", "text": {"tag": "plain_text", "content": message.text}},
                {"tag": "action", "actions": [button]},
            ],
        }
        body = {
            "receive_id": account, "msg_type": "interactive", "content": json.dumps(card, ensure_ascii=False),
        }  # fmt: skip
        path = "/open-apis/im/v1/messages?receive_id_type=open_id"
        try:
            await self._called("POST", path, body=body, token=await self._token.get())
        except MessengerRefused as why:
            if why.code not in BAD_TOKEN:
                raise
            # A new one was asked for meanwhile, by another process of ours perhaps.
            await self._called("POST", path, body=body, token=await self._token.get())

    async def _called(
        self, method: str, path: str, *, body: Mapping[str, object] | None = None, token: str = ""
    ) -> dict[str, object]:
        headers = {"authorization": f"Bearer {token}"} if token else None
        told = await call(self._http, SYSTEM, method, self.app.at(API, path), body=body, headers=headers)
        if told.get("code") != 0:
            self._token.forget()
            why = told.get("error_description") or told.get("msg") or ""
            raise MessengerRefused(SYSTEM, str(told.get("code", "none"))[:20], str(why)[:200])
        return told

    async def _fetch_token(self) -> tuple[str, int]:
        asked = {"app_id": self.app.app_id, "app_secret": self.app.secret}
        told = await self._called("POST", "/open-apis/auth/v3/tenant_access_token/internal", body=asked)
        token, life = text_in(told, "tenant_access_token"), told.get("expire")
        if not token or not isinstance(life, int):
            raise MessengerUnknown(SYSTEM, "NO_TOKEN", "there is no token in the answer")
        return token, life
