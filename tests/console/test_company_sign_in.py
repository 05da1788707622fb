"""Signing in with the company's account: who comes back is let in when this browser has asked for it."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import jwt
import pytest
from pydantic import SecretStr

from config.console import ProviderSettings
from console.app import make_app
from console.session.cookies import PLAIN_NAME
from console.session.provider import CompanySignIn
from domain.approvals import Role
from providers.tokens.issue import key_set, new_key, read_key
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier
from store.approvals.people import PeopleStore
from tests.console.office import URL, Browser, Desk

ISSUER, CLIENT = "https://login.example", "console"


@dataclass
class Provider:
    """Takes a code once, from who knows its verifier. `said`: claims that its next token has besides."""

    desk: Desk
    key: Any = field(default_factory=lambda: read_key(new_key()))
    asked: dict[str, str] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if challenge.decode() != self.asked["code_challenge"] or form["code"] in self.spent:
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.spent.add(form["code"])
        now = int(self.desk.now.timestamp())
        claims = {
            "iss": ISSUER, "aud": CLIENT, "sub": "p-1", "jti": f"j-{form['code']}", "iat": now, "exp": now + 600,
            "nonce": self.asked["nonce"], "groups": ["shop"],
        } | self.said  # fmt: skip
        token = jwt.encode(claims, self.key.private, algorithm="EdDSA", headers={"kid": self.key.key_id})
        return httpx.Response(200, json={"id_token": token, "access_token": "x", "token_type": "Bearer"})

    async def leave(self, browser: Browser, wanted: str = "/orders") -> str:
        """The state with which the browser was sent away."""
        answer = await browser.http.get("/sign-in/provider", params={"next": wanted})
        address = urlsplit(answer.headers["location"])
        self.asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        assert (answer.status_code, address.netloc, self.asked["code_challenge_method"]) == (
            303,
            "login.example",
            "S256",
        )
        assert self.asked["redirect_uri"] == f"{URL}/sign-in/returned"
        return self.asked["state"]

    async def back(self, browser: Browser, state: str, code: str = "c-1", **more: str) -> httpx.Response:
        return await browser.http.get("/sign-in/returned", params={"code": code, "state": state, **more})


@pytest.fixture
async def company(desk: Desk) -> AsyncIterator[Provider]:
    provider = Provider(desk)
    keys = GivenKeys(read_key_set(json.dumps(key_set(provider.key))))
    issuer = Issuer(ISSUER, CLIENT, keys, "oidc", roles_claim="groups", role_names={"shop": Role.CS_AGENT})
    settings = ProviderSettings(
        client_id=CLIENT, client_secret=SecretStr("s"), authorize_url=f"{ISSUER}/authorize", token_url=f"{ISSUER}/token"
    )
    sign_in = CompanySignIn(settings, URL, ISSUER, httpx.MockTransport(provider))
    verifier = TokenVerifier([issuer], lambda: desk.now)
    desk.app = make_app(replace(desk.app.state.wiring, provider=sign_in, verifier=verifier))
    yield provider


async def test_who_comes_back_is_signed_in_and_goes_on_where_they_wanted(company: Provider) -> None:
    browser = company.desk.stranger()
    state = await company.leave(browser, "/orders?status=CLOSED")
    answer = await company.back(browser, state, iss=ISSUER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders?status=CLOSED")
    page = await browser.get("/orders")
    assert page.status_code == 200 and "p-1" in page.text
    assert (await company.desk.audit("console.signed_in"))[0].detail == {"source": "oidc"}
    assert (await browser.get("/sign-in")).text.count("/sign-in/provider") == 1


async def refused(company: Provider, browser: Browser, answer: httpx.Response) -> bool:
    return answer.status_code == 401 and PLAIN_NAME not in browser.http.cookies


async def test_an_answer_that_this_browser_has_not_asked_for_signs_nobody_in(company: Provider) -> None:
    mine, other = company.desk.stranger(), company.desk.stranger()
    state = await company.leave(mine)
    assert await refused(company, other, await company.back(other, state)), "of another browser"
    assert await refused(company, mine, await company.back(mine, state[::-1])), "another state"
    state = await company.leave(mine)
    assert await refused(company, mine, await company.back(mine, state, iss="https://other.example")), "another issuer"
    state = await company.leave(mine)
    assert await refused(company, mine, await company.back(mine, state, code="")), "refused at the provider"


async def test_a_code_and_a_token_serve_once(company: Provider) -> None:
    browser = company.desk.stranger()
    assert (await company.back(browser, await company.leave(browser))).status_code == 303
    again = company.desk.stranger()
    assert await refused(company, again, await company.back(again, await company.leave(again)))
    company.said = {"jti": "j-c-1"}
    answer = await company.back(again, await company.leave(again), code="c-2")
    assert await refused(company, again, answer), "the number of a token that has signed in before"


@pytest.mark.parametrize(
    "said",
    [
        {"nonce": "of another attempt"}, {"nonce": None}, {"aud": "somebody else"}, {"iss": "https://other.example"},
        {"exp": 1}, {"groups": ["elsewhere"]}, {"sub": "<b>"},
    ],
)  # fmt: skip
async def test_a_token_that_is_not_of_this_sign_in_or_holds_no_role_is_refused(
    company: Provider, said: dict[str, Any]
) -> None:
    browser = company.desk.stranger()
    state = await company.leave(browser)
    company.said = said
    assert await refused(company, browser, await company.back(browser, state))


async def test_who_was_deactivated_here_does_not_come_in_by_the_company(company: Provider) -> None:
    people = PeopleStore(company.desk.books)
    await people.add("p-1", [Role.CS_AGENT], "test", company.desk.now)
    await people.set_active("p-1", False, "test", company.desk.now)
    browser = company.desk.stranger()
    assert await refused(company, browser, await company.back(browser, await company.leave(browser)))


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example"])
async def test_the_way_back_leads_to_no_other_site(company: Provider, wanted: str) -> None:
    browser = company.desk.stranger()
    answer = await company.back(browser, await company.leave(browser, wanted))
    assert answer.headers["location"] == "/"
