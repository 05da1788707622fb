"""What supervisors, finance, administrators and operations do in their offices: decide, compare, let people in, have
messages delivered again, write forms; on a desk and on a phone, in Chinese and in English."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from selenium.webdriver.common.by import By

from bench.demo.environment import on_stage
from console.text.language import CHINA
from domain.catalog.records import SkuRecord
from store.stock.catalog import CatalogStore
from store.stock.ledger import StockStore
from tests.browser.conftest import POLICY, Shop
from tests.browser.pages import Window
from tests.browser.test_files import press, seen
from tests.browser.test_story import approve, in_ones_name, shows
from tests.browser.test_ways_in import by_messenger

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
ASKED = '.alert a[href^="/approvals/"]'


def asked(window: Window) -> str:
    """Which question it has become: others about the same thing may wait beside it, and longer."""
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, ASKED))
    return window.driver.find_element(By.CSS_SELECTOR, ASKED).text.removeprefix("A-")


def asks_for_stock(window: Window, place: int, units: int) -> str:
    """A correction of the SKU in this row of the list. The question's number."""
    window.open("/stock")
    goods = window.driver.find_elements(By.CSS_SELECTOR, "td a.fw-bold")[place]
    sku, warehouse = goods.text, goods.find_element(By.XPATH, "../following-sibling::td").text
    window.open(f"/stock/correct?sku={sku}&warehouse={warehouse}")
    window.fill("units", str(units))
    window.fill("reason", "盘点")
    press(window, "form[action='/stock/correct'] .btn-primary")
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, ASKED))
    return window.driver.find_element(By.CSS_SELECTOR, ASKED).text


def test_several_questions_are_decided_at_once_and_one_is_refused_with_a_remark(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-warehouse"))
    numbers = [asks_for_stock(window, place, 700 + place) for place in (0, 1)]
    in_ones_name(shop, window, "demo-operator")
    window.open("/approvals?only=mine")
    assert seen(window, "job-approvals") == []
    for number in numbers:
        window.press(f'input[name="chosen"][value$=" {number}"]')
    window.fill("remark", "已核对")
    window.press('form[action="/approvals"] button[value="approve"]')
    window.until(lambda: all(window.says(number) for number in numbers) and window.says("已批准"))
    assert seen(window, "job-approvals-decided") == []

    in_ones_name(shop, window, "demo-warehouse")
    number = asks_for_stock(window, 0, 703)
    in_ones_name(shop, window, "demo-operator")
    window.open("/approvals")
    window.press(f'a[href="/approvals/{number}"]')
    window.driver.execute_script(
        "document.querySelectorAll('form [name=remark]').forEach((one) => { one.value = '数量不对' })"
    )
    window.press('form input[name="decision"][value="reject"] ~ button')
    window.until(lambda: "said=" in window.driver.current_url)
    shows(window, f"/approvals/{number}", "数量不对")
    assert window.complaints() == [] and window.elsewhere() == set()


def test_a_tile_of_today_leads_to_what_it_counts(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-warehouse"), "en")
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, 'a.tile[href^="/tickets"]'))
    window.press('a.tile[href^="/tickets"]')
    window.until(lambda: window.path == "/tickets" and window.says(shop.waiting))


def test_finance_compares_now_and_takes_what_is_filtered(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-finance"), "en")
    window.open("/finance/differences")
    window.press('form[action="/finance/differences/run"] button')
    window.until(lambda: "said=asked" in window.driver.current_url)
    assert seen(window, "job-compared") == []
    window.open("/finance/payouts")
    assert seen(window, "job-payouts") == []
    window.open("/finance?kind=payments")
    window.until(lambda: window.says("SO-BROWSER-0"))
    taken = window.driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "fetch('/finance/export?kind=payments').then((r) => r.text()).then(done, (e) => done(String(e)));"
    )
    assert "SO-BROWSER-0" in taken and taken.lstrip("\ufeff").startswith("at,number,order_no")
    assert window.complaints() == [] and window.elsewhere() == set()


def test_one_administrator_lets_a_person_in_another_agrees_and_somebody_stands_in(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-admin"), "en")
    window.open("/people")
    window.fill("person_id", "job-newcomer")
    window.press('input[name="role"][value="CS_AGENT"]')
    window.press('form[action="/people/change"] .btn-primary')
    question = asked(window)
    assert seen(window, "job-person-asked") == []
    in_ones_name(shop, window, "demo-admin2")
    approve(window, question)
    shows(window, "/people", "job-newcomer")

    window.open("/people/person?id=demo-rules")
    delegate = window.driver.find_element(By.CSS_SELECTOR, '#delegate option[value="demo-operator"], #delegate option')
    assert delegate.is_enabled()
    until = (datetime.now(UTC) + timedelta(days=1)).astimezone(CHINA)
    window.driver.execute_script(
        "document.getElementById('delegate').value = 'demo-operator';"
        "document.getElementById('until').value = arguments[0]", f"{until:%Y-%m-%dT%H:%M}",
    )  # fmt: skip
    window.press("//form[.//select[@id='delegate']]//button")
    question = asked(window)
    in_ones_name(shop, window, "demo-admin")
    approve(window, question)
    shows(window, "/people/person?id=demo-rules", "demo-operator")
    assert seen(window, "job-stands-in") == []
    assert window.complaints() == [] and window.elsewhere() == set()


def test_networks_of_a_source_are_asked_for_and_agreed(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-admin"))
    window.open("/settings/sources")
    field = window.driver.find_element(
        By.XPATH, "//form[.//input[@name='source' and @value='kuaidi100']]//input[@name='allow' and @maxlength]"
    )
    field.send_keys("127.0.0.0/8")
    window.press("//form[.//input[@name='source' and @value='kuaidi100']]//button[@value='allow']")
    question = asked(window)
    assert seen(window, "job-source-asked") == []
    in_ones_name(shop, window, "demo-admin2")
    approve(window, question)
    shows(window, "/settings/sources", "127.0.0.0/8", "demo-admin2")
    assert window.complaints() == [] and window.elsewhere() == set()


def test_operations_have_a_message_delivered_again_after_its_forecast(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-operator"), "en")
    window.open("/callbacks/messages?state=applied")
    window.press('td a[href^="/callbacks/messages/"]')
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, 'form[action$="/replay"]'))
    assert window.says("Delivered again, it would do this") and seen(window, "job-message") == []
    window.press('form[action$="/replay"] button')
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, ".alert-success"))
    window.open("/callbacks/subscriptions")
    assert seen(window, "job-subscriptions") == []
    assert window.complaints() == [] and window.elsewhere() == set()


def test_a_supervisor_writes_a_form_and_another_agrees(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-lead"))
    window.open("/forms/rule")
    for name, text in (
        ("id", "cold_goods"), ("name_zh", "冷链商品"), ("name_en", "Cold goods"), ("logistics", "frozen"),
        ("pictures", "2"), ("fields", "batch_no | text | required | 批号 | Batch number"),
    ):  # fmt: skip
        window.fill(name, text)
    window.press("//button[contains(., '预览')]")
    window.until(lambda: window.says("批号"))
    assert seen(window, "job-form-looked") == []
    window.press('button[formaction="/forms/ask"]')
    question = asked(window)
    window.driver.delete_all_cookies()
    window.open("/sign-in/messenger")
    by_messenger(window, "demo-lead")
    window.until(lambda: window.path == "/")
    approve(window, question)
    shows(window, "/forms", "冷链商品")
    assert seen(window, "job-form-in-force") == []
    assert window.elsewhere() == set()


def test_a_channels_time_to_dispatch_is_set_by_finance_and_agreed_by_another(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-finance"))
    window.open("/settings")
    window.fill("dispatch_by_channel", "douyin=一天")
    press(window, "form[action='/settings/look'] .btn-primary")
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, ".alert-danger"))
    assert all("409" in one or "422" in one for one in window.complaints()), "of the refusal alone"
    window.fill("dispatch_by_channel", "douyin=24h")
    press(window, "form[action='/settings/look'] .btn-primary")
    window.until(lambda: window.says("douyin=24h"))
    assert seen(window, "job-policy-look") == []
    press(window, "form[action='/settings/draft'] .btn-primary")
    window.until(lambda: window.path.startswith("/settings/drafts/"))
    draft = window.path
    press(window, "form[action$='/try'] .btn")
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, "form[action$='/ask'] .btn-primary:enabled"))
    press(window, "form[action$='/ask'] .btn-primary")
    question = asked(window)
    window.driver.delete_all_cookies()
    window.open("/sign-in/messenger")
    by_messenger(window, "demo-finance")
    window.until(lambda: window.path == "/")
    approve(window, question)
    shows(window, draft, "起生效，为第")
    assert window.complaints() == [] and window.elsewhere() == set()


async def _goods(shop: Shop) -> None:
    async with on_stage("browser", shop.variables, POLICY) as stage:
        goods = SkuRecord(sku="JOB-CUP", name="杯子", ship_from=("WH-EAST",), weight_g=200)
        await CatalogStore(stage.pool).put([goods], "test", datetime.now(UTC))
        await StockStore(stage.pool).receive("JOB-CUP", "WH-EAST", 5, "GR-JOB-CUP")


def test_a_test_order_is_placed_from_the_pages_of_setting_up(shop: Shop, window: Window) -> None:
    asyncio.run(_goods(shop))
    window.sign_in(shop.link("demo-operator"))
    window.open("/setup/test-order")
    for name, text in (
        ("recipient", "王芳"), ("phone", "13800138000"), ("province", "浙江省"), ("city", "杭州市"),
        ("street", "文三路 1 号"),
    ):  # fmt: skip
        window.fill(name, text)
    window.press("form.card .btn-primary")
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, "#placed .slip-code"), patience_s=60)
    assert seen(window, "job-test-order") == []
    assert window.complaints() == [] and window.elsewhere() == set()
