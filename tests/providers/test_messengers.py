"""Who signs in by the company's messenger, and what it tells whom: against sandboxes that speak each one's protocol."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from providers.messengers.choosing import messenger
from providers.messengers.entries import entry
from providers.messengers.port import (
    LinkMessage,
    Messenger,
    MessengerApp,
    MessengerRefused,
    MessengerUnavailable,
    MessengerUnknown,
    System,
)
from sandbox.core.settings import Settings
from sandbox.dingtalk import DingTalkSandbox
from sandbox.feishu import FeishuSandbox
from sandbox.messengers.people import TOKEN_LIVES_S, Directory
from sandbox.wecom import WeComSandbox

HOST = "http://messenger.test"
BACK = "https://console.example/sign-in/messenger/returned"
MESSAGE = LinkMessage("待您审批：退款申请", "编号 A-1", "https://console.example/sign-in/messenger?next=%2F", "打开")
APPS = {
    "wecom": MessengerApp("wecom", "ww-sandbox", "1000002", secret="sandbox-secret", host=HOST),
    "dingtalk": MessengerApp("dingtalk", "ding-sandbox", "ding-sandbox", "ding-corp", "secret", HOST),
    "feishu": MessengerApp("feishu", "cli_sandbox", "", "tenant-sandbox", "secret", HOST),
}
SANDBOXES = {"wecom": WeComSandbox, "dingtalk": DingTalkSandbox, "feishu": FeishuSandbox}
ACCOUNTS = {"wecom": "zhangsan", "dingtalk": "zhangsan", "feishu": "ou_zhangsan"}


@dataclass
class There:
    """One messenger, our app in it, and a browser that is signed in to it."""

    system: System
    people: Directory
    browser: httpx.AsyncClient
    messenger: Messenger
    now: datetime

    def clock(self) -> datetime:
        return self.now

    async def code(self, account: str = "zhangsan", back: str = BACK) -> str:
        """With what the browser comes back."""
        self.people.who = account
        answer = await self.browser.get(entry(self.messenger.app, back, "state1"))
        assert answer.status_code == 302, answer.text
        came = urlsplit(answer.headers["location"])
        query = parse_qs(came.query)
        assert f"{came.scheme}://{came.netloc}{came.path}" == back and query["state"] == ["state1"]
        return query["authCode" if self.system == "dingtalk" else "code"][0]


@pytest.fixture(params=["wecom", "dingtalk", "feishu"])
async def there(request: pytest.FixtureRequest) -> AsyncIterator[There]:
    now = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    system: System = request.param
    values = {"MEMBERS": "zhangsan,lisi,stranger@elsewhere"}
    made: Any = SANDBOXES[system](Settings(values, clock=lambda: place.now))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url=HOST) as http:
        client = messenger(APPS[system], http, lambda: place.now)
        place = There(system, made.people, http, client, now)
        yield place


async def test_a_code_tells_whose_it_is_and_serves_once(there: There) -> None:
    code = await there.code()
    assert await there.messenger.account(code, BACK) == ACCOUNTS[there.system]
    with pytest.raises(MessengerRefused):
        await there.messenger.account(code, BACK)


async def test_a_code_that_was_never_given_or_is_too_old_names_nobody(there: There) -> None:
    with pytest.raises(MessengerRefused):
        await there.messenger.account("made-up", BACK)
    code = await there.code()
    there.now += timedelta(seconds=301)
    with pytest.raises(MessengerRefused):
        await there.messenger.account(code, BACK)


async def test_who_works_in_another_company_is_nobody_here(there: There) -> None:
    with pytest.raises(MessengerRefused) as refused:
        await there.messenger.account(await there.code("stranger"), BACK)
    assert refused.value.code in ("NOT_A_MEMBER", "FOREIGN_TENANT")


async def test_an_outside_contact_of_the_company_is_no_member() -> None:
    sandbox = DingTalkSandbox(Settings({"MEMBERS": "guest1"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        client = messenger(APPS["dingtalk"], http, lambda: datetime.now(UTC))
        with pytest.raises(MessengerRefused, match="NOT_A_MEMBER"):
            await client.account(sandbox.people.code_for(sandbox.people.members["guest1"]), BACK)


async def test_where_the_protocol_binds_a_code_to_its_address_it_serves_nowhere_else(there: There) -> None:
    code = await there.code(back="https://evil.example/returned")
    if there.system == "feishu":
        with pytest.raises(MessengerRefused):
            await there.messenger.account(code, BACK)
    else:
        # The others leave it to `state`, and to the addresses that the app is registered with.
        assert await there.messenger.account(code, BACK) == ACCOUNTS[there.system]


async def test_a_person_is_told_with_a_link_and_a_new_token_is_fetched_when_the_old_one_is_over(there: There) -> None:
    account = ACCOUNTS[there.system]
    await there.messenger.send(account, MESSAGE)
    there.now += timedelta(seconds=TOKEN_LIVES_S)
    await there.messenger.send(account, MESSAGE)
    assert [(one["to"], one["url"]) for one in there.people.sent] == [("zhangsan", MESSAGE.url)] * 2
    assert "A-1" in there.people.sent[0]["description"]


async def test_who_cannot_be_reached_is_said_and_nothing_was_sent(there: There) -> None:
    for account in ("stranger", "nobody"):
        with pytest.raises(MessengerRefused):
            await there.messenger.send(ACCOUNTS[there.system].replace("zhangsan", account), MESSAGE)
    assert there.people.sent == []


async def test_a_token_that_is_no_longer_believed_is_replaced_at_once(there: There) -> None:
    await there.messenger.send(ACCOUNTS[there.system], MESSAGE)
    there.people.tokens.clear()
    await there.messenger.send(ACCOUNTS[there.system], MESSAGE)
    assert len(there.people.sent) == 2


async def test_inside_wecom_nobody_scans_a_code() -> None:
    inside = entry(APPS["wecom"], BACK, "s", "Mozilla/5.0 wxwork/4.1 MicroMessenger/7.0")
    assert inside.startswith(f"{HOST}/connect/oauth2/authorize?") and inside.endswith("#wechat_redirect")
    assert entry(APPS["wecom"], BACK, "s", "Mozilla/5.0").startswith(f"{HOST}/wwlogin/sso/login?")


@pytest.mark.parametrize("system", APPS)
async def test_an_outage_is_no_refusal_and_an_answer_that_is_no_answer_is_neither(system: System) -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)

    async def asked(answer: httpx.Response | Exception) -> None:
        def handle(_request: httpx.Request) -> httpx.Response:
            if isinstance(answer, Exception):
                raise answer
            return answer

        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
            await messenger(APPS[system], http, lambda: now).account("c", BACK)

    with pytest.raises(MessengerUnavailable):
        await asked(httpx.ConnectError("away"))
    for body in (b"<html>", b"[]", b'{"errcode": 0}'):
        with pytest.raises((MessengerUnknown, MessengerRefused)):
            await asked(httpx.Response(200, content=body))
    with pytest.raises(MessengerUnknown):
        await asked(httpx.Response(502, content=b"{}"))
