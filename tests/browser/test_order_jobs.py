"""What customer service, operations and the warehouse do with orders and returns, each on the pages of their own: on a
desk and on a phone, in Chinese and in English."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from bench.demo.environment import on_stage
from bench.demo.orders import EXAMPLES
from domain.catalog.records import SkuRecord
from domain.order import OrderLine, StartOrder
from domain.strict import parse
from store.stock.catalog import CatalogStore
from tests.browser.conftest import POLICY, Shop
from tests.browser.pages import Window
from tests.browser.test_files import seen
from tests.browser.test_story import a_picture, shows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
SKU, WAREHOUSE = "JOB-LAMP", "WH-EAST"
ORDERS = ("SO-JOB-1", "SO-JOB-2", "SO-JOB-3")
"""Paid, and waiting for goods that nobody has received."""


@pytest.fixture(scope="module")
def waiting(shop: Shop) -> Iterator[tuple[str, ...]]:
    asyncio.run(_begin(shop))
    yield ORDERS


async def _begin(shop: Shop) -> None:
    async with on_stage("browser", shop.variables, POLICY) as stage:
        now = datetime.now(UTC)
        goods = SkuRecord(sku=SKU, name="台灯", ship_from=(WAREHOUSE,), weight_g=500)
        await CatalogStore(stage.pool).put([goods], "test", now)
        for number in ORDERS:
            await stage.client.start(_order(number))
            await stage.pay(_order(number))


def _order(number: str) -> StartOrder:
    base = parse(StartOrder, (EXAMPLES / "order.json").read_bytes())
    line = OrderLine(line_id="L1", sku=SKU, qty=1, unit_price_minor=3_000, weight_g=500)
    changed = {
        "order_no": number, "channel_order_no": number, "placed_at": datetime.now(UTC), "lines": (line,),
        "coupons": (), "freight": (), "payable_minor": 3_000,
    }  # fmt: skip
    return base.model_copy(update=changed)


def split(window: Window, number: str) -> None:
    """Its parcel is there and waits for goods."""
    window.until(lambda: _opened(window, number) and window.says(f"{number}-01"), patience_s=60)


def _opened(window: Window, number: str) -> bool:
    window.open(f"/orders/{number}")
    return True


def ended(window: Window, word: str, *, patience_s: float = 60) -> None:
    """The answer that an act leads to."""
    window.until(lambda: f"said={word}" in window.driver.current_url, patience_s=patience_s)


def test_operations_hold_an_order_and_let_it_go(shop: Shop, window: Window, waiting: tuple[str, ...]) -> None:
    number = waiting[0]
    window.sign_in(shop.link("demo-operator"), "en")
    split(window, number)
    window.press(f'[hx-get="/orders/{number}/hold"]')
    window.fill("reason", "the address looks odd")
    assert seen(window, "job-hold") == []
    window.press(f'form[action="/orders/{number}/hold"] .btn-primary')
    ended(window, "held")
    window.until(lambda: _opened(window, number) and window.says("the address looks odd"))
    window.fill("remark", "rang the buyer: it is right")
    assert seen(window, "job-held") == []
    window.press(f'form[action="/orders/{number}/release"] button')
    ended(window, "released")
    window.until(lambda: _opened(window, number) and window.says("Holds that are over"))
    assert window.complaints() == [] and window.elsewhere() == set()


def test_several_orders_are_held_and_let_go_together(shop: Shop, window: Window, waiting: tuple[str, ...]) -> None:
    window.sign_in(shop.link("demo-operator"))
    for number in waiting:
        split(window, number)
    for act, name, told in (("hold", "reason", "已暂停"), ("release", "remark", "解除暂停")):
        window.open("/orders")
        for number in waiting[1:]:
            window.press(f'input[name="chosen"][value="{number}"]')
        window.press(f'button[name="act"][value="{act}"]')
        window.fill(name, "同一买家")
        assert seen(window, f"job-batch-{act}") == []
        window.press("form.card .btn-primary")
        window.until(partial(_done, window, f"/orders-batch/{act}", told))
        assert seen(window, f"job-batch-{act}-done") == []
    assert window.complaints() == [] and window.elsewhere() == set()


def _done(window: Window, path: str, told: str) -> bool:
    """Of both orders."""
    return window.path == path and window.driver.find_element(By.TAG_NAME, "main").text.count(told) >= 2


def test_customer_service_changes_an_address(shop: Shop, window: Window, waiting: tuple[str, ...]) -> None:
    number = waiting[1]
    window.sign_in(shop.link("demo-cs"))
    split(window, number)
    window.press(f'[hx-get="/orders/{number}/address"]')
    window.fill("street", "新街 9 号")
    window.fill("remark", "买家来电")
    assert seen(window, "job-address") == []
    window.press(f'form[action="/orders/{number}/address"] .btn-primary')
    ended(window, "readdressed")
    shows(window, f"/orders/{number}", "新街 9 号")
    assert window.complaints() == [] and window.elsewhere() == set()


def test_the_warehouse_receives_what_was_missing_and_prints_the_labels(
    shop: Shop, window: Window, waiting: tuple[str, ...]
) -> None:
    window.sign_in(shop.link("demo-warehouse"), "en")
    split(window, waiting[2])
    window.open("/stock/receive")
    for name, text in (("sku", SKU), ("warehouse", WAREHOUSE), ("ref", "GR-JOB"), ("qty", "9")):
        window.fill(name, text)
    assert seen(window, "job-receive") == []
    window.press("form.card .btn-primary")
    window.until(lambda: window.path == "/stock")
    window.until(lambda: _label(window, waiting[2]), patience_s=120)
    window.press("form.card .btn-primary")
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, 'a[download="labels.zip"]'))
    assert seen(window, "job-labels") == []
    window.open("/orders")
    window.press(f'input[name="chosen"][value="{waiting[2]}"]')
    window.press('button[name="act"][value="print"]')
    window.until(lambda: window.driver.find_elements(By.NAME, "reason"))  # a second copy says why
    assert window.complaints() == [] and window.elsewhere() == set()


def _label(window: Window, number: str) -> bool:
    """The page that prints it, once there is one."""
    window.open("/orders")
    window.press(f'input[name="chosen"][value="{number}"]')
    window.press('button[name="act"][value="print"]')
    window.until(lambda: window.path == "/orders-batch")
    return bool(window.driver.find_elements(By.CSS_SELECTOR, "form.card .btn-primary"))


def test_the_desk_says_no_to_a_parcel_of_nobody(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-warehouse"))
    window.open("/desk")
    window.driver.find_element(By.ID, "scanned").send_keys("YT0000000000000", Keys.ENTER)
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, '.answer-bad[data-sound="bad"]'))
    assert window.driver.switch_to.active_element.get_attribute("id") == "scanned", "the next scan goes there again"
    assert seen(window, "job-desk-nobodys") == []


def test_the_warehouse_takes_a_question_and_puts_it_back(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-warehouse"), "en")
    window.open("/tickets")
    window.press(f"//tr[contains(., '{shop.waiting}')]//a[starts-with(@href, '/tickets/')]")
    window.press('form[action$="/take"] button')
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, 'form[action$="/release"]'))
    assert window.says("demo-warehouse") and seen(window, "job-ticket-taken") == []
    window.press('form[action$="/release"] button')
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, 'form[action$="/take"]'))
    assert window.complaints() == [] and window.elsewhere() == set()


async def _refused_by_the_warehouse(shop: Shop, numbers: tuple[str, ...]) -> None:
    """Each of their parcels, four times: once and three retries."""
    async with on_stage("browser", shop.variables, POLICY) as stage:
        for number in numbers:
            await stage.fault("qimen", "push", "error_before", times=4, child_no=f"{number}-01")
            await stage.client.start(_order(number))
            await stage.pay(_order(number))


def test_questions_that_are_alike_get_one_answer(shop: Shop, window: Window, waiting: tuple[str, ...]) -> None:
    numbers = ("SO-ALIKE-1", "SO-ALIKE-2")
    asyncio.run(_refused_by_the_warehouse(shop, numbers))
    window.sign_in(shop.link("demo-warehouse"))
    window.open("/stock/receive")
    for name, text in (("sku", SKU), ("warehouse", WAREHOUSE), ("ref", "GR-ALIKE"), ("qty", "9")):
        window.fill(name, text)
    window.press("form.card .btn-primary")
    window.until(lambda: window.path == "/stock")
    shows(window, "/tickets", *numbers)
    window.press("//a[contains(@href, '/tickets/together/answer') and contains(@href, 'system=qimen')]")
    window.fill("remark", "仓库已恢复")
    assert seen(window, "job-alike") == []
    window.press('form[action="/tickets/together/answer"] .btn-primary')
    window.until(lambda: all(window.says(number) for number in numbers))
    assert seen(window, "job-alike-answered") == []
    window.until(lambda: _no_question(window, numbers), patience_s=60)
    assert window.complaints() == [] and window.elsewhere() == set()


def _no_question(window: Window, numbers: tuple[str, ...]) -> bool:
    window.open("/tickets")
    return not any(window.says(number) for number in numbers)


def test_customer_service_applies_for_a_buyer_and_takes_it_back(shop: Shop, window: Window, tmp_path: Path) -> None:
    window.sign_in(shop.link("demo-cs"))
    shows(window, "/orders/SO-BROWSER-0", "已签收")
    window.open("/orders/SO-BROWSER-0/return")
    window.fill("qty:L2", "1")
    reason = window.driver.find_element(By.ID, "reason")
    window.driver.execute_script("arguments[0].value = 'quality_problem'", reason)
    window.driver.find_element(By.NAME, "pictures").send_keys(str(a_picture(tmp_path)))
    window.until(lambda: window.driver.find_elements(By.NAME, "evidence"))
    window.until(lambda: window.says("最高可退"))
    assert seen(window, "job-apply") == []
    window.press("#application .card-footer .btn-primary")
    window.until(lambda: window.path.startswith("/returns/"))
    case = window.path
    window.until(lambda: _case_open(window, case), patience_s=60)
    window.press('//details[.//form[contains(@action, "/cancel")]]/summary')
    window.driver.find_element(By.CSS_SELECTOR, 'form[action$="/cancel"] [name="reason"]').send_keys("买家改变主意")
    assert seen(window, "job-case") == []
    window.press('form[action$="/cancel"] button')
    shows(window, case, "买家改变主意")
    assert window.complaints() == [] and window.elsewhere() == set()


def _case_open(window: Window, case: str) -> bool:
    window.open(case)
    return bool(window.driver.find_elements(By.CSS_SELECTOR, 'form[action$="/cancel"]'))
