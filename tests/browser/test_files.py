"""Files dropped into pages, and what two people do from them: by keys where it can be, on a desk and on a phone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from console.text.language import CHINA
from tests.browser.conftest import Shop
from tests.browser.pages import NARROW, WIDE, Window
from tests.browser.test_story import shows
from tests.starter.test_choosing import HEADER, ROW

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def seen(window: Window, name: str) -> list[str]:
    """What is wrong with a page as it stands, in both widths; pictures of it."""
    problems = []
    for width in (NARROW, WIDE):
        window.size(width)
        window.picture(f"{name}-{width}")
        problems += [f"{width}: {barrier}" for barrier in window.barriers()]
        if over := window.overflow():
            problems.append(f"{width}: {over} px too wide")
    return problems


def press(window: Window, selector: str) -> None:
    """Wherever it stands: pages are long."""
    window.driver.execute_script("document.querySelector(arguments[0]).click()", selector)


def test_goods_then_their_orders_come_in_from_files(shop: Shop, window: Window, tmp_path: Path) -> None:
    goods, orders = tmp_path / "goods.csv", tmp_path / "天猫订单.csv"
    goods.write_text("sku,name,ship_from,weight_g\nCUP,杯子,WH-EAST,200\nPOT,壶,WH-EAST,heavy\n", encoding="utf-8")
    placed = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    rows = [ROW.replace("TM2026-01", f"TM2026-{n}").replace("2026-03-02 10:00:00", placed) for n in (11, 12, 13)]
    rows[2] = rows[2].replace(",2,19.90", ",两,19.90")
    orders.write_text("\n".join([",".join(HEADER), *rows]), encoding="gb18030")

    window.sign_in(shop.link("demo-operator"))
    window.open("/catalog/import")
    window.driver.find_element(By.ID, "file").send_keys(str(goods))
    window.until(lambda: window.driver.find_elements(By.NAME, "cell:3:weight_g"))
    assert seen(window, "catalogue-looked") == []
    window.fill("cell:3:weight_g", "900")
    press(window, "#looked > .d-flex .btn-primary")
    window.until(lambda: window.says("新增 2 个 SKU"))
    assert seen(window, "catalogue-put") == []

    window.open("/import/orders")
    window.driver.find_element(By.ID, "file").send_keys(str(orders))
    window.until(lambda: window.driver.find_elements(By.NAME, "order.channel"))
    channel = window.driver.find_element(By.NAME, "order.channel")
    channel.send_keys("固定", Keys.TAB)
    window.until(lambda: window.driver.find_elements(By.NAME, "order.channel.text"))
    window.driver.find_element(By.NAME, "order.channel.text").send_keys("tmall", Keys.ENTER)
    window.until(lambda: window.says("创建 2 个订单"))
    assert seen(window, "orders-looked") == []
    press(window, "#looked .card-footer .btn-primary")
    window.until(lambda: window.says("已创建 2 单"))
    assert seen(window, "orders-started") == []
    assert window.complaints() == [] and window.elsewhere() == set()


def test_orders_that_a_marketplace_was_paid_for_ship_once_finance_agrees(
    shop: Shop, window: Window, tmp_path: Path
) -> None:
    goods, orders = tmp_path / "goods.csv", tmp_path / "paid.csv"
    goods.write_text("sku,name,ship_from,weight_g\nCUP,杯子,WH-EAST,200\n", encoding="utf-8")
    placed = datetime.now(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    row = ROW.replace("TM2026-01", "TM2026-30").replace("2026-03-02 10:00:00", placed)
    header = ",".join((*HEADER, "支付单号", "商户号", "付款时间", "付款凭证", "渠道"))
    money = f"4200030,1900000109,{placed},对账单第 7 行"
    orders.write_text("\n".join((header, f"{row},{money},tmall")), encoding="gb18030")

    window.sign_in(shop.link("demo-operator"))
    window.open("/catalog/import")
    window.driver.find_element(By.ID, "file").send_keys(str(goods))
    window.press("#looked .btn-primary:enabled")
    window.until(
        lambda: window.says("SKU") and not window.driver.find_elements(By.CSS_SELECTOR, "#looked .btn-primary")
    )
    window.open("/import/orders")
    window.driver.find_element(By.ID, "file").send_keys(str(orders))
    window.until(lambda: window.driver.find_elements(By.ID, "paid"))
    press(window, "#paid")
    window.until(lambda: window.driver.find_elements(By.NAME, "paid.transaction_id"))
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, "#looked .card-footer .btn-primary:enabled"))
    assert seen(window, "orders-paid-looked") == []
    press(window, "#looked .card-footer .btn-primary")
    window.until(lambda: window.says("1 笔付款已提交财务审批"))
    assert seen(window, "orders-paid-started") == []

    window.driver.delete_all_cookies()
    window.sign_in(shop.link("demo-finance"))
    shows(window, "/approvals", "TM2026-30")
    window.press("//tr[contains(., 'TM2026-30')]//a[starts-with(@href, '/approvals/')]")
    window.until(lambda: window.says("4200030") and window.says("对账单第 7 行"))
    assert seen(window, "orders-paid-question") == []
    window.press('form input[name="decision"][value="approve"] ~ button')
    window.until(lambda: "said=decided" in window.driver.current_url)
    shows(window, "/orders/TM2026-30", "已付款")
    assert window.complaints() == [] and window.elsewhere() == set()


def test_a_count_and_a_setting_are_asked_for(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-warehouse"), "en")
    window.open("/stock")
    goods = window.driver.find_element(By.CSS_SELECTOR, "td a.fw-bold")
    sku, warehouse = goods.text, goods.find_element(By.XPATH, "../following-sibling::td").text
    window.open(f"/stock/correct?sku={sku}&warehouse={warehouse}")
    window.fill("units", "999")
    window.fill("reason", "count of shelf A")
    assert seen(window, "stock-correct") == []
    press(window, "form[action='/stock/correct'] .btn-primary")
    window.until(lambda: window.says("nothing has changed yet"))
    assert seen(window, "stock-asked") == [] and window.complaints() == []

    window.sign_in(shop.link("demo-finance"), "en")
    window.open("/settings")
    window.fill("window_s", "30d")
    press(window, "form[action='/settings/look'] .btn-primary")
    window.until(lambda: window.says("looser: after-sales window 7d → 30d"))
    assert seen(window, "settings-look") == []
    press(window, "form[action='/settings/draft'] .btn-primary")
    window.until(lambda: window.path.startswith("/settings/drafts/"))
    press(window, "form[action$='/try'] .btn")
    window.until(lambda: window.says("What it would have meant"))
    assert seen(window, "settings-tried") == []
    press(window, "form[action$='/ask'] .btn-primary")
    window.until(lambda: window.says("nothing has changed yet"))
    window.open("/finance/differences")
    assert seen(window, "differences") == []
    assert window.complaints() == [] and window.elsewhere() == set()
