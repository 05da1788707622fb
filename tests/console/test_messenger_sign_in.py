"""Signing in by the company's messenger: who comes back is let in when this browser has asked, as whom the messenger
names, if our books know them."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from console.app import make_app
from console.session.cookies import PLAIN_NAME
from domain.approvals import Role
from providers.messengers.choosing import messenger
from providers.messengers.port import MessengerApp
from sandbox.core.settings import Settings
from sandbox.dingtalk import DingTalkSandbox
from sandbox.feishu import FeishuSandbox
from sandbox.messengers.people import Directory
from sandbox.wecom import WeComSandbox
from starter.clients.exchange import TokenExchange
from starter.issuer.app import LocalIssuer
from store.approvals.people import PeopleStore
from tests.console.office import URL, Browser, Desk

HOST = "http://messenger.test"
RETURNED = "/sign-in/messenger/returned"
PLACES: dict[str, tuple[Any, MessengerApp, str]] = {
    "wecom": (WeComSandbox, MessengerApp("wecom", "ww-sandbox", "1000002", "", "sandbox-secret", HOST), "zhangsan"),
    "dingtalk": (
        DingTalkSandbox, MessengerApp("dingtalk", "ding-sandbox", "r", "ding-corp", "secret", HOST), "zhangsan",
    ),
    "feishu": (
        FeishuSandbox, MessengerApp("feishu", "cli_sandbox", "", "tenant-sandbox", "secret", HOST), "ou_zhangsan",
    ),
}  # fmt: skip


@dataclass
class Company:
    desk: Desk
    people: Directory
    there: httpx.AsyncClient
    person: str

    async def leave(self, browser: Browser, wanted: str = "/orders") -> str:
        answer = await browser.http.get("/sign-in/messenger", params={"next": wanted})
        assert answer.status_code == 303
        return answer.headers["location"]

    async def there_and_back(self, browser: Browser, account: str = "zhangsan", wanted: str = "/orders") -> str:
        """The path of ours to which the messenger sends this browser back, as `account`."""
        self.people.who = account
        answer = await self.there.get(await self.leave(browser, wanted))
        address = urlsplit(answer.headers["location"])
        assert f"{address.scheme}://{address.netloc}" == URL and address.path == RETURNED
        return f"{address.path}?{address.query}"


@pytest.fixture(params=PLACES)
async def company(desk: Desk, request: pytest.FixtureRequest) -> AsyncIterator[Company]:
    kind, app, account = PLACES[request.param]
    sandbox = kind(Settings({"MEMBERS": "zhangsan,lisi,stranger@elsewhere,bad name"}, clock=lambda: desk.now))
    wiring = desk.app.state.wiring
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as there:
        signs_in = messenger(app, there, lambda: desk.now)
        issuer = LocalIssuer(desk.key, "oms-local", "oms-approvals", lambda: desk.now, messenger=signs_in)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(issuer.app)) as http:
            exchange = TokenExchange(http, "http://issuer/token")
            desk.app = make_app(replace(wiring, exchange=exchange, messenger=replace(app, secret="")))
            person = f"{app.system}/{account}"
            await PeopleStore(desk.books).add(person, [Role.CS_AGENT], "test", desk.now)
            yield Company(desk, sandbox.people, there, person)


def is_refused(browser: Browser, answer: httpx.Response) -> bool:
    return answer.status_code == 401 and PLAIN_NAME not in browser.http.cookies


async def test_who_comes_back_is_signed_in_and_where_a_notice_leads(company: Company) -> None:
    browser = company.desk.stranger()
    back = await company.there_and_back(browser, wanted="/approvals/A-1-1")
    answer = await browser.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/approvals/A-1-1")
    assert company.person in (await browser.get("/orders")).text
    assert [row.actor for row in await company.desk.audit("console.signed_in")] == [company.person]
    again = await browser.http.get("/sign-in/messenger", params={"next": "/approvals/A-2-1"})
    assert again.headers["location"] == "/approvals/A-2-1", "who is signed in is not sent away"


async def test_a_link_of_a_mail_opens_what_it_is_about_or_leads_through_the_sign_in(company: Company) -> None:
    browser, link = company.desk.stranger(), {"next": "/approvals/A-1-1"}
    direct = await browser.http.get("/sign-in/messenger", params=link)
    sent = await browser.http.get("/sign-in/on", params=link)
    assert sent.status_code == 303 and sent.headers["location"].partition("?")[0] == _way(direct)
    await browser.get(await company.there_and_back(browser))
    opened = await browser.http.get("/sign-in/on", params=link)
    assert (opened.status_code, opened.headers["location"]) == (303, "/approvals/A-1-1")
    elsewhere = await browser.http.get("/sign-in/on", params={"next": "https://evil.example/"})
    assert elsewhere.headers["location"] == "/"
    company.desk.app = make_app(replace(company.desk.app.state.wiring, messenger=None))
    assert (await company.desk.stranger().http.get("/sign-in/on", params=link)).status_code == 200


def _way(answer: httpx.Response) -> str:
    return answer.headers["location"].partition("?")[0]


async def test_another_browser_another_state_or_no_attempt_signs_nobody_in(company: Company) -> None:
    mine, other = company.desk.stranger(), company.desk.stranger()
    back = await company.there_and_back(mine)
    assert is_refused(other, await other.get(back)), "it has not left"
    await company.leave(other)
    assert is_refused(other, await other.get(back)), "it has left, but with another state"
    assert is_refused(mine, await mine.get(RETURNED)), "refused at the messenger: neither code nor state"
    assert is_refused(mine, await mine.get(back)), "an attempt serves once, refused or not"


async def test_a_code_serves_once_also_for_who_saw_it_pass(company: Company) -> None:
    mine, thief = company.desk.stranger(), company.desk.stranger()
    back = await company.there_and_back(mine)
    assert (await mine.get(back)).status_code == 303
    (state,) = parse_qs(urlsplit(await company.leave(thief)).query)["state"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()} | {"state": state}
    assert is_refused(thief, await thief.http.get(RETURNED, params=query))


@pytest.mark.parametrize("account", ["stranger", "bad name", "lisi"])
async def test_who_is_of_another_company_or_not_known_here_is_refused(company: Company, account: str) -> None:
    browser = company.desk.stranger()
    answer = await browser.get(await company.there_and_back(browser, account))
    assert is_refused(browser, answer)
    assert await company.desk.audit("console.signed_in") == []


async def test_who_was_deactivated_here_stays_out(company: Company) -> None:
    await PeopleStore(company.desk.books).set_active(company.person, False, "test", company.desk.now)
    browser = company.desk.stranger()
    assert is_refused(browser, await browser.get(await company.there_and_back(browser)))


async def test_nobody_is_sent_elsewhere_after_signing_in(company: Company) -> None:
    browser = company.desk.stranger()
    answer = await browser.get(await company.there_and_back(browser, wanted="//evil.example"))
    assert answer.headers["location"] == "/"


async def test_where_no_messenger_is_set_nobody_leaves_and_no_code_is_taken(desk: Desk) -> None:
    browser = desk.stranger()
    assert (await browser.get("/sign-in/messenger")).status_code == 404
    assert is_refused(browser, await browser.get(f"{RETURNED}?code=c&state=s"))
    form = {"grant_type": "authorization_code", "code": "c", "back": f"{URL}{RETURNED}"}
    told = await desk.issuer.post("/token", data=form)
    assert told.status_code == 400 and "access_token" not in json.loads(told.content)
