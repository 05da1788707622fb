"""Ways in other than a link: guests by their order's phone, staff by a messenger, as with `make up`."""

import re
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from selenium.webdriver.common.by import By

from tests.browser.conftest import Shop
from tests.browser.pages import Window
from tests.browser.test_files import press, seen
from tests.browser.test_story import in_ones_name, one_broken_unit, shows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
SENT, PHONE = "SO-BROWSER-0", "13800138000"


def test_a_guest_gets_a_code_and_sends_something_back(shop: Shop, window: Window, tmp_path: Path) -> None:
    window.open("/language/zh?next=/buyer/guest")
    window.fill("order", SENT)
    window.fill("phone", PHONE)
    assert seen(window, "guest") == []
    window.press('form[action="/buyer/guest"] button')
    window.until(lambda: window.driver.find_elements(By.NAME, "code"))
    assert seen(window, "guest-code") == []
    page = window.driver.current_window_handle
    window.driver.switch_to.new_window("tab")
    window.until(lambda: code_on(shop, window))
    code = code_on(shop, window)
    window.driver.close()
    window.driver.switch_to.window(page)
    window.fill("code", code)
    window.press('form[action="/buyer/guest/enter"] button')
    window.until(lambda: window.says(SENT) and window.driver.find_elements(By.ID, "application"))
    assert seen(window, "guest-in") == []
    shows(window, window.path, "可申请：2")
    one_broken_unit(window, tmp_path, "最高可退")
    assert [one for one in window.complaints() if shop.url in one] == [] and window.elsewhere() == set()


def code_on(shop: Shop, window: Window) -> str:
    """What stands on the phone's screen."""
    window.open(f"{shop.variables['OMS_SMS_BASE_URL']}/_phones")
    found = re.search(rf"{PHONE}: (\d{{6}})", window.driver.find_element(By.TAG_NAME, "body").text)
    return found[1] if found else ""


def by_messenger(window: Window, account: str) -> None:
    """On the messenger's own page, where nobody is signed in yet."""
    window.press(f'button[value="{account}"]')


def test_who_is_in_the_books_signs_in_by_the_messenger_and_a_colleague_who_is_not_does_not(
    shop: Shop, window: Window
) -> None:
    window.open("/language/zh?next=/sign-in")
    assert seen(window, "sign-in-messenger") == []
    window.press('a[href^="/sign-in/messenger"]')
    by_messenger(window, "demo-stranger")
    window.until(lambda: window.path.startswith("/sign-in") and window.says("系统中没有此人"))
    window.press('a[href^="/sign-in/messenger"]')
    by_messenger(window, "demo-finance")
    window.until(lambda: window.path == "/")
    assert "wecom/demo-finance" in window.driver.page_source and "/finance" in window.menu()
    assert window.elsewhere() == set()


def test_a_notice_of_a_decision_opens_it_signed_in(shop: Shop, window: Window) -> None:
    in_ones_name(shop, window, "demo-warehouse")
    window.open("/stock")
    goods = window.driver.find_element(By.CSS_SELECTOR, "td a.fw-bold")
    sku, warehouse = goods.text, goods.find_element(By.XPATH, "../following-sibling::td").text
    window.open(f"/stock/correct?sku={sku}&warehouse={warehouse}")
    window.fill("units", "998")
    window.fill("reason", "盘点")
    press(window, "form[action='/stock/correct'] .btn-primary")
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, '.alert a[href^="/approvals/"]'))
    number = window.driver.find_element(By.CSS_SELECTOR, '.alert a[href^="/approvals/"]').text

    window.driver.delete_all_cookies()
    messenger = shop.variables["OMS_MESSENGER_HOST"]
    window.until(lambda: notice_of(window, messenger, number), patience_s=60)
    window.open(notice_of(window, messenger, number))
    by_messenger(window, "demo-operator")
    window.until(lambda: unquote(window.path) == f"/approvals/{number}")
    window.press('form input[name="decision"][value="approve"] ~ button')
    window.until(lambda: "said=decided" in window.driver.current_url)

    window.driver.delete_all_cookies()
    window.sign_in(shop.link("demo-operator"))
    window.until(lambda: notice_of(window, shop.variables["OMS_STACK_MAIL"], number), patience_s=60)
    assert "demo-operator@" in window.driver.page_source
    window.open(notice_of(window, shop.variables["OMS_STACK_MAIL"], number))
    assert unquote(window.path) == f"/approvals/{number}"
    assert window.elsewhere() == set()


def notice_of(window: Window, sent_by: str, number: str) -> str:
    """The address that a card or a mail names, on the page of what was sent; '' while there is none."""
    window.open(f"{sent_by}/_sent")
    addresses = [str(a.get_attribute("href")) for a in window.driver.find_elements(By.TAG_NAME, "a")]
    wanted = f"/approvals/{quote(number, safe='')}"
    return next((a for a in addresses if parse_qs(urlsplit(a).query).get("next") == [wanted]), "")
