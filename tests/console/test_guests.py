"""A guest: the order's number and its phone, a code there, and then the buyer's page; and nothing else is found out."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest

from console.app import make_app
from console.pages.buyer.guests import A_NUMBER
from providers.sms.aliyun import AliyunSms, SmsConfig
from providers.tokens.issue import new_key, read_key
from sandbox.core.settings import Settings
from sandbox.sms import SmsSandbox
from starter.clients.exchange import TokenExchange
from starter.issuer.app import LocalIssuer
from store.console.guests import mobile
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.console.office import Browser, Desk, a_desk, hire
from tests.store.examples import ADDRESS, NOW, an_order

PHONE = "13800138000"
CONFIG = SmsConfig("http://sms.test", "sandbox-key", "secret", "测试商城", "SMS_1")


@dataclass
class Shop:
    desk: Desk
    sms: SmsSandbox

    def code(self, phone: str = PHONE) -> str:
        return self.sms.phones[phone][-1][1]

    async def asks(self, browser: Browser, order: str, phone: str = PHONE) -> httpx.Response:
        return await browser.post("/buyer/guest", order=order, phone=phone)


def attempt_in(page: str) -> str:
    found = re.search(r'name="attempt" value="([\w-]{20,})"', page)
    assert found, page[:3000]
    return found.group(1)


@pytest.fixture
async def shop(database_url: str, pool: Pool) -> AsyncIterator[Shop]:
    await hire(pool)
    backend = (read_key(new_key()), "backend")
    async with a_desk(database_url, pool, shop=backend, guests=True) as desk:
        sandbox = SmsSandbox(Settings(clock=lambda: desk.now))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as phones:
            sms = AliyunSms(CONFIG, phones, lambda: desk.now)
            issuer = LocalIssuer(desk.key, "oms-local", "oms-approvals", lambda: desk.now, backend, sms=sms)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(issuer.app)) as http:
                exchange = TokenExchange(http, "http://issuer/token")
                desk.app = make_app(replace(desk.app.state.wiring, exchange=exchange))
                address = ADDRESS.model_copy(update={"phone": "+86 138-0013-8000"})
                await OrderStore(pool).register(an_order("SO20261120", address=address), "run", NOW)
                yield Shop(desk, sandbox)


async def test_with_the_code_the_guest_sees_the_order_and_it_is_written_down(shop: Shop) -> None:
    guest = shop.desk.stranger()
    for number in ("SO20261120", "C-SO20261120"):
        page = (await shop.asks(guest, number)).text
        there = await guest.post("/buyer/guest/enter", attempt=attempt_in(page), code=shop.code())
        assert there.status_code == 303, there.text[:2000]
        assert "SO20261120" in (await guest.get(there.headers["location"])).text
        shop.sms.phones.clear()
    rows = await shop.desk.audit("return.guest_link")
    assert [(row.actor, row.order_no) for row in rows] == [("b-1", "SO20261120")] * 2


async def test_whether_there_is_such_an_order_is_not_to_be_found_out(shop: Shop) -> None:
    guest = shop.desk.stranger()
    said = set()
    for number, phone in (("SO20261120", PHONE), ("SO20261120", "13900139000"), ("SO-NONE", PHONE), ("%", "x")):
        answer = await shop.asks(guest, number, phone)
        attempt = attempt_in(answer.text)
        said.add((answer.status_code, answer.text.replace(attempt, "")))
        wrong = await guest.post("/buyer/guest/enter", attempt=attempt, code="000000x")
        said.add((wrong.status_code, wrong.text.replace(attempt, "")))
    assert len(said) == 2, "one page for the question, one for a wrong code"
    assert list(shop.sms.phones) == [PHONE], "only the order's own phone gets one"


async def test_a_code_serves_once_for_its_own_attempt(shop: Shop) -> None:
    guest, thief = shop.desk.stranger(), shop.desk.stranger()
    attempt = attempt_in((await shop.asks(guest, "SO20261120")).text)
    other = attempt_in((await shop.asks(thief, "SO-NONE")).text)
    assert (await thief.post("/buyer/guest/enter", attempt=other, code=shop.code())).status_code == 422
    assert (await guest.post("/buyer/guest/enter", attempt=attempt, code=shop.code())).status_code == 303
    assert (await guest.post("/buyer/guest/enter", attempt=attempt, code=shop.code())).status_code == 422


async def test_a_number_is_asked_about_five_times_an_hour_there_or_not(shop: Shop) -> None:
    guest = shop.desk.stranger()
    for number in ("SO20261120", "SO-NONE"):
        answers = [(await shop.asks(guest, number, "13900139000")).status_code for _ in range(A_NUMBER)]
        assert answers == [200] * A_NUMBER
        shop.desk.now += timedelta(minutes=2)
        assert (await shop.asks(guest, number, "13900139000")).status_code == 429


async def test_an_address_that_tries_codes_is_slowed_down(shop: Shop) -> None:
    guest = shop.desk.stranger()
    answers = [(await guest.post("/buyer/guest/enter", attempt="x", code="1")).status_code for _ in range(21)]
    assert answers == [422] * 20 + [429]


async def test_a_form_of_another_site_sends_no_code(shop: Shop) -> None:
    guest = shop.desk.stranger()
    for path in ("/buyer/guest", "/buyer/guest/enter"):
        answer = await guest.http.post(
            path, data={"order": "SO20261120", "phone": PHONE}, headers={"origin": "https://evil.example"}
        )
        assert answer.status_code == 403
    assert shop.sms.phones == {}


async def test_where_guests_are_not_wanted_there_is_no_such_page(desk: Desk) -> None:
    guest = desk.stranger()
    assert (await guest.get("/buyer/guest")).status_code == 404
    assert (await guest.post("/buyer/guest", order="x", phone="y")).status_code == 404
    assert (await guest.post("/buyer/guest/enter", attempt="x", code="y")).status_code == 404


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("138 0013 8000", PHONE), ("+8613800138000", PHONE), ("008613800138000", PHONE), ("(138)0013-8000", PHONE),
        ("138****8000", ""), ("021-5555555", ""), ("１３８００１３８０００", ""), ("", ""), ("138001380001", ""),
    ],
)  # fmt: skip
def test_a_phone_is_read_however_it_is_written(given: str, read: str) -> None:
    assert mobile(given) == read
