"""Who asks too often waits alone: behind a proxy, too, and whoever else's number they have asked about."""

from dataclasses import replace
from ipaddress import ip_network

import httpx
import pytest

from console.app import make_app
from console.pages.buyer.guests import A_NUMBER, ASKS
from tests.console.office import Browser
from tests.console.test_guests import PHONE, Shop, attempt_in, shop

__all__ = ["shop"]
GUEST, FLOOD = "198.51.100.4", "203.0.113.7"
ORDER = "SO20261120"


@pytest.fixture
def behind_a_proxy(shop: Shop) -> Shop:
    """The proxy is the tests' own address, which httpx says it is."""
    wiring = shop.desk.app.state.wiring
    settings = wiring.settings.model_copy(update={"proxies": (ip_network("127.0.0.1/32"),)})
    shop.desk.app = make_app(replace(wiring, settings=settings))
    return shop


async def asks(browser: Browser, caller: str, order: str, phone: str = PHONE) -> httpx.Response:
    browser.http.headers["x-forwarded-for"] = caller
    return await browser.post("/buyer/guest", order=order, phone=phone)


async def test_a_flood_behind_the_proxy_shuts_out_itself_and_nobody_else(behind_a_proxy: Shop) -> None:
    browser = behind_a_proxy.desk.stranger()
    for n in range(ASKS):
        assert (await asks(browser, f"{GUEST}, {FLOOD}", f"SO-{n}")).status_code == 200
    assert (await asks(browser, f"10.0.0.1, {FLOOD}", "SO-X")).status_code == 429, "whatever it says before"
    came = await asks(browser, GUEST, ORDER)
    assert came.status_code == 200
    entered = await browser.post("/buyer/guest/enter", attempt=attempt_in(came.text), code=behind_a_proxy.code())
    assert entered.status_code == 303


async def test_asking_about_anothers_number_does_not_shut_out_its_buyer(behind_a_proxy: Shop) -> None:
    browser = behind_a_proxy.desk.stranger()
    for _ in range(A_NUMBER):
        assert (await asks(browser, FLOOD, ORDER, "13900139000")).status_code == 200
    assert (await asks(browser, FLOOD, ORDER, "13900139000")).status_code == 429
    assert (await asks(browser, GUEST, ORDER)).status_code == 200 and behind_a_proxy.code()


async def test_without_a_proxy_of_ours_nobodys_word_on_their_address_is_taken(shop: Shop) -> None:
    browser = shop.desk.stranger()
    for n in range(ASKS):
        assert (await asks(browser, f"203.0.113.{n}", f"SO-{n}")).status_code == 200
    assert (await asks(browser, "203.0.113.99", "SO-X")).status_code == 429
