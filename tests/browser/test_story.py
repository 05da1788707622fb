"""One order from a file to its refund, in the browser alone: nobody touches a terminal. What buyers, warehouses and
couriers do outside is done by the sandboxes."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from bench.demo.sandbox_urls import sandbox_urls
from console.text.language import CHINA
from tests.browser.conftest import Shop
from tests.browser.pages import Window

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
HEADER = (
    "订单编号", "下单时间", "买家ID", "收货人", "手机", "省份", "城市", "区县", "详细地址", "商家编码", "商品名称",
    "数量", "实付金额", "渠道", "仓库",
)  # fmt: skip
NUMBER = "SO-STORY-1"
SKU, WAREHOUSE, WORTH = "STORY-LAMP", "WH-EAST", "129.00"


def in_ones_name(shop: Shop, window: Window, person: str) -> None:
    """Another person sits down at this window."""
    window.driver.delete_all_cookies()
    window.sign_in(shop.link(person))


def a_file(folder: Path) -> Path:
    """As a shop exports it: one order of two lamps."""
    at = datetime.now(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    row = (NUMBER, at, "b-story", "王芳", "13800138000", "浙江省", "杭州市", "西湖区", "文三路 1 号", SKU, "台灯", "2",
           "258.00", "tmall", WAREHOUSE)  # fmt: skip
    path = folder / "orders.csv"
    path.write_text("\n".join((",".join(HEADER), ",".join(row))), encoding="gb18030")
    return path


def a_picture(folder: Path) -> Path:
    path = folder / "broken.png"
    Image.new("RGB", (64, 64), (200, 60, 60)).save(path)
    return path


def outside(shop: Shop, sandbox: str, path: str, **body: Any) -> httpx.Response:
    """What happens in somebody else's world."""
    return httpx.post(f"{sandbox_urls(shop.variables)[sandbox]}/{path}", json=body, timeout=20)


def the_warehouse_is_away(shop: Shop) -> None:
    """For this order's parcel, four times: once and three retries."""
    fault = {"operation": "push", "fault": "error_before", "times": 4, "match": {"child_no": f"{NUMBER}-01"}}
    outside(shop, "qimen", "_faults", **fault).raise_for_status()


def goods(folder: Path) -> Path:
    path = folder / "goods.csv"
    path.write_text(f"sku,name,ship_from,weight_g\n{SKU},台灯,{WAREHOUSE},900\n", encoding="utf-8")
    return path


def shows(window: Window, path: str, *texts: str) -> None:
    """The page, loaded again and again until it says all of them."""

    def seen() -> bool:
        window.open(path)
        return all(window.says(text) for text in texts)

    try:
        window.until(seen, patience_s=120)
    finally:
        window.picture(f"story-{path.strip('/')[:30]}")


def approve(window: Window, case: str) -> None:
    """The question about this case that waits for who is signed in, from the list of what waits."""
    link = f'a[href^="/approvals/A-{case}"]'

    def is_listed() -> bool:
        window.open("/approvals")
        return bool(window.driver.find_elements(By.CSS_SELECTOR, link))

    window.until(is_listed, patience_s=60)
    window.press(link)
    window.picture("story-approval")
    window.press('form input[name="decision"][value="approve"] ~ button')
    window.until(lambda: "said=decided" in window.driver.current_url)


def goods_and_an_order_come_in(shop: Shop, window: Window, tmp_path: Path) -> None:
    in_ones_name(shop, window, "demo-operator")
    window.open("/catalog/import")
    window.driver.find_element(By.ID, "file").send_keys(str(goods(tmp_path)))
    window.press("#looked .btn-primary:enabled")
    window.until(lambda: window.says("新增 1"))

    in_ones_name(shop, window, "demo-warehouse")
    window.open("/stock/receive")
    for name, text in (("sku", SKU), ("warehouse", WAREHOUSE), ("ref", "GR-STORY"), ("qty", "5")):
        window.fill(name, text)
    window.press("form.card .btn-primary")
    window.until(lambda: window.path == "/stock" and window.says(SKU))

    in_ones_name(shop, window, "demo-operator")
    window.open("/import/orders")
    window.driver.find_element(By.ID, "file").send_keys(str(a_file(tmp_path)))
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, "#looked .card-footer .btn-primary:enabled"))
    window.picture("story-import")
    window.press("#looked .card-footer .btn-primary:enabled")
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, f'a[href="/orders/{NUMBER}"]'))
    the_warehouse_is_away(shop)
    window.until(lambda: outside(shop, "wechat", "_pay", out_trade_no=NUMBER).is_success, patience_s=60)
    shows(window, f"/orders/{NUMBER}", "拆分明细", WAREHOUSE, "已付款")
    window.picture("story-paid")


def the_outage_is_answered(shop: Shop, window: Window) -> None:
    in_ones_name(shop, window, "demo-warehouse")
    shows(window, "/tickets", NUMBER)
    window.press(f"//tr[contains(., '{NUMBER}')]//a[starts-with(@href, '/tickets/')]")
    window.picture("story-ticket")
    window.driver.find_element(By.ID, "remark-retry").send_keys("仓库已恢复")
    window.press('form input[name="action"][value="retry"] ~ button')


def the_buyer_applies(shop: Shop, window: Window, tmp_path: Path) -> tuple[str, str]:
    """The case's number, and the path of the buyer's page."""
    in_ones_name(shop, window, "demo-cs")
    shows(window, f"/orders/{NUMBER}", "已签收")
    window.open(f"/orders/{NUMBER}/return")
    window.press(f'form[action="/orders/{NUMBER}/buyer-link"] button')
    window.until(lambda: window.driver.find_elements(By.TAG_NAME, "textarea"))
    link = str(window.driver.find_element(By.TAG_NAME, "textarea").get_attribute("value"))

    window.driver.delete_all_cookies()
    window.open(link)
    return one_broken_unit(window, tmp_path, "129.00"), urlsplit(link).path


def one_broken_unit(window: Window, tmp_path: Path, worth: str) -> str:
    """On a buyer's own page, with a picture. The case's number."""
    window.fill("qty:L1", "1")
    field = window.driver.find_element(By.ID, "reason")
    window.driver.execute_script("arguments[0].value = 'quality_problem'", field)
    window.driver.find_element(By.ID, "photos").send_keys(str(a_picture(tmp_path)))
    window.until(lambda: window.driver.find_elements(By.NAME, "evidence"))
    window.until(lambda: window.says(worth))
    window.picture("story-buyer")
    window.press("#application .card-footer button")
    window.until(lambda: window.says("这是您的回执"))
    case = re.search(r"no=([A-Z0-9]+)", window.driver.current_url)
    assert case, window.driver.current_url
    return case[1]


def the_buyer_sends_it(shop: Shop, window: Window, number: str, buyers: str) -> str:
    """Once a supervisor has agreed. The code on the slip."""
    in_ones_name(shop, window, "demo-lead")
    shows(window, "/approvals", number)
    approve(window, number)

    window.driver.delete_all_cookies()
    shows(window, buyers, "我已寄出")
    window.open(f"{buyers}/slip/{number}")
    code = window.driver.find_element(By.CLASS_NAME, "slip-text").text
    window.open(buyers)
    window.fill("carrier", "YTO")
    window.fill("waybill_no", "YT7700123456789")
    window.press('form[action*="/waybill/"] button')
    return code


def the_desk_grades_it(shop: Shop, window: Window, code: str) -> None:
    in_ones_name(shop, window, "demo-warehouse")
    window.open("/desk")
    window.driver.find_element(By.ID, "scanned").send_keys(code, Keys.ENTER)
    window.press('form[action$="/receive"] button')
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, '[name="grade"][value="good"]'))
    window.driver.find_element(By.ID, "scanned").send_keys(SKU, Keys.ENTER)
    window.until(lambda: window.driver.find_elements(By.CLASS_NAME, "desk-line-chosen"))
    window.picture("story-desk")
    window.press('[name="grade"][value="good"]')
    window.until(lambda: window.driver.find_elements(By.CLASS_NAME, "answer-good"))


def test_an_order_from_a_file_to_its_refund_in_the_browser_alone(shop: Shop, window: Window, tmp_path: Path) -> None:
    goods_and_an_order_come_in(shop, window, tmp_path)
    the_outage_is_answered(shop, window)
    number, buyers = the_buyer_applies(shop, window, tmp_path)
    code = the_buyer_sends_it(shop, window, number, buyers)
    the_desk_grades_it(shop, window, code)

    in_ones_name(shop, window, "demo-finance")
    shows(window, "/approvals", number)
    approve(window, number)

    window.driver.delete_all_cookies()
    shows(window, buyers, "已退款")
    window.picture("story-refunded")

    in_ones_name(shop, window, "demo-admin")
    window.open("/audit")
    window.press('[hx-post="/audit/verify"]')
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, "#verified .alert-success"))
    window.picture("story-audit")
    assert window.complaints() == [] and window.elsewhere() == set()
