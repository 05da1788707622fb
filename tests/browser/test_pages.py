"""Every role, every page of its menu, both languages, a desk and a phone: it works, it fits, it keeps nobody out."""

import asyncio

import asyncpg
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from deploy.local.links import PEOPLE
from tests.browser.conftest import Shop
from tests.browser.pages import NARROW, WIDE, Window

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
STAFF = [person for person in PEOPLE if person != "demo-admin2"]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("person", STAFF)
def test_every_page_of_a_roles_menu(shop: Shop, window: Window, person: str, language: str) -> None:
    window.sign_in(shop.link(person), language)
    pages = window.menu()
    assert pages and pages[0] == "/"
    if "/orders" in pages:
        pages.append(f"/orders/{shop.waiting}")
    problems = []
    for path in pages:
        for width in (WIDE, NARROW):
            window.size(width)
            window.open(path)
            window.picture(f"{person}-{language}-{width}-{path.strip('/') or 'today'}")
            if over := window.overflow():
                problems.append(f"{path} at {width}: {over} px too wide")
            # What axe says of words and colours is the same in both languages.
            barriers = window.barriers() if language == "zh" else []
            problems += [f"{path} at {width}: {barrier}" for barrier in barriers]
    assert problems == []
    assert window.complaints() == []
    assert window.elsewhere() == set()


def test_the_sign_in_itself(shop: Shop, window: Window) -> None:
    window.open("/orders")
    assert window.path == "/sign-in"
    window.picture("sign-in")
    assert window.barriers() == [] and window.complaints() == []
    window.open(shop.link("demo-cs"))
    window.picture("sign-in-link")
    assert window.barriers() == []


def test_an_order_is_found_by_keys_alone_and_cancelled_in_ones_name(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-cs"))
    body = window.driver.find_element(By.TAG_NAME, "body")
    body.send_keys("/")
    field = window.driver.switch_to.active_element
    assert field.get_attribute("name") == "q"
    field.send_keys(shop.unpaid, Keys.ENTER)
    window.until(lambda: window.path == f"/orders/{shop.unpaid}")
    window.press(f'[hx-get="/orders/{shop.unpaid}/cancel"]')
    window.fill("reason", "the buyer rang")
    window.picture("cancelling")
    assert window.barriers() == []
    window.press("form .btn-danger")
    window.until(lambda: "said=cancelled" in window.driver.current_url)
    window.until(lambda: window.says("已取消"))
    window.picture("cancelled")
    assert window.says("已关闭") and window.complaints() == []


def test_refreshing_by_hand_shows_the_answer_in_the_page(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-warehouse"))
    window.open(f"/orders/{shop.waiting}")
    window.press("[hx-post$='/refresh']")
    window.until(lambda: window.says("已向各外部系统查询"))
    window.picture("refreshed")
    window.press("[hx-post$='/refresh']")
    window.until(lambda: window.says("现在不能这样操作"))


def test_a_list_is_saved_with_its_columns_and_what_is_ticked_is_asked_anew(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-operator"))
    window.open("/orders")
    window.press("//summary[normalize-space(.) = '列']")
    window.press('input[name="column"][value="buyer_id"]')
    window.picture("orders-columns")
    assert window.barriers() == []
    window.press("//button[contains(., '显示所选列')]")
    window.until(lambda: "buyer_id" in window.driver.current_url)
    window.press("//summary[contains(., '保存此列表')]")
    window.fill("name", "我的列表")
    window.press("//button[contains(., '保存筛选和列')]")
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, 'a.pill.chosen[href*="buyer_id"]'))
    window.press('[data-ticks="chosen"]')
    window.picture("orders-ticked")
    assert window.barriers() == []
    window.press('button[name="act"][value="refresh"]')
    window.until(lambda: window.path == "/orders-batch")
    window.picture("orders-batch")
    assert window.barriers() == []
    window.press("form.card .btn-primary")
    window.until(lambda: window.says("处理结果") and window.says(shop.waiting))
    window.picture("orders-refreshed")
    window.size(NARROW)
    window.open("/orders")
    window.picture("orders-narrow")
    assert window.overflow() == 0 and window.barriers() == []
    assert window.complaints() == []


def test_what_came_is_drawn(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-operator"))
    window.open("/callbacks?span=2h")
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, "[data-trend] canvas"))
    window.picture("callbacks-drawn")
    assert window.barriers() == [] and window.complaints() == []
    window.until(lambda: window.driver.execute_script("return performance.getEntriesByType('resource')"
                         ".some((one) => one.name.includes('/callbacks/trends'))"))  # fmt: skip
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, "[data-trend] canvas"))
    assert window.complaints() == [] and window.elsewhere() == set()


def test_an_open_page_hears_of_a_change(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-lead"))
    window.open(f"/orders/{shop.waiting}")

    def heard() -> bool:
        """Told again and again: nothing says when the page has begun to listen."""
        asyncio.run(something_happens(shop, f"order {shop.waiting}"))
        return window.says("订单刚刚有变化")

    window.until(heard)
    window.picture("changed-meanwhile")
    assert window.complaints() == []


async def something_happens(shop: Shop, said: str) -> None:
    connection = await asyncpg.connect(shop.variables["OMS_DATABASE_URL"], timeout=10)
    try:
        await connection.execute("SELECT pg_notify('oms_console', $1)", said)
    finally:
        await connection.close()


def test_who_signs_out_is_out_in_every_window(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-finance"))
    window.press("details.who summary")
    window.picture("who-am-i")
    assert window.barriers() == []
    window.press("details.who button")
    window.until(lambda: window.path == "/sign-in")
    window.open("/orders")
    assert window.path == "/sign-in"
