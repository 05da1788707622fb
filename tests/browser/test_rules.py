"""A new warehouse opens for cold goods: the rule is written, tried and taken back by two people, in the browser alone;
orders that were open keep what they began with."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
import pytest
from selenium.webdriver.common.by import By

from bench.demo.environment import on_stage
from bench.demo.orders import EXAMPLES
from domain.catalog.records import SkuRecord
from domain.order import OrderLine, StartOrder
from domain.strict import parse
from store.stock.catalog import CatalogStore
from store.stock.ledger import StockStore
from tests.browser.conftest import POLICY, Shop
from tests.browser.pages import Window
from tests.browser.test_files import seen
from tests.browser.test_story import approve, in_ones_name, shows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
SKU, OLD, NEW = "ICE-CREAM", "WH-EAST", "WH-COLD"


async def _begin(shop: Shop, started: Sequence[str], paid: Sequence[str]) -> None:
    """Orders of one cold article that both warehouses have; what buyers do is done outside."""
    base = parse(StartOrder, (EXAMPLES / "order.json").read_bytes())
    line = OrderLine(line_id="L1", sku=SKU, qty=1, unit_price_minor=3_000, weight_g=500)
    async with on_stage("browser", shop.variables, POLICY) as stage:
        now = datetime.now(UTC)
        goods = SkuRecord(sku=SKU, name="冰淇淋", ship_from=(OLD, NEW), logistics="cold", weight_g=500)
        await CatalogStore(stage.pool).put([goods], "test", now)
        for place in (OLD, NEW):
            await StockStore(stage.pool).receive(SKU, place, 50, f"GR-{SKU}-{place}")
        for number in dict.fromkeys((*started, *paid)):
            order = base.model_copy(
                update={
                    "order_no": number, "channel_order_no": number, "placed_at": now, "lines": (line,), "coupons": (),
                    "freight": (), "payable_minor": 3_000,
                }
            )  # fmt: skip
            if number in started:
                await stage.client.start(order)
            if number in paid:
                await stage.pay(order)


def leaves_from(shop: Shop, window: Window, number: str, warehouse: str) -> None:
    """Once it is divided."""

    async def where() -> list[str]:
        connection = await asyncpg.connect(shop.variables["OMS_DATABASE_URL"], timeout=10)
        try:
            rows = await connection.fetch("SELECT warehouse FROM child_orders WHERE order_no = $1", number)
            return [row["warehouse"] for row in rows]
        finally:
            await connection.close()

    window.until(lambda: asyncio.run(where()), patience_s=90)
    assert asyncio.run(where()) == [warehouse], number


def text_in(window: Window, place: str) -> str:
    """Asked in one step: the place may be another one by now."""
    found: str = window.driver.execute_script(
        "const found = document.getElementById(arguments[0]); return found ? found.textContent : ''", place
    )
    return found.strip()


def a_rule_is_written_and_tried(window: Window, past: str) -> None:
    window.open("/rules/edit/preferred_warehouse")
    window.press("//button[contains(., '添加行')]")
    window.fill("id:0", "cold")
    window.fill("c:0:3", "=cold")
    window.until(lambda: "不认识的符号" in text_in(window, "e-0-3") and "未填写" in text_in(window, "e-0-5"))
    assert seen(window, "rules-wrong") == []
    window.fill("c:0:3", "cold")
    window.fill("c:0:5", f'["{NEW}"]')
    window.until(lambda: text_in(window, "e-0-3") == text_in(window, "e-0-5") == "")
    window.fill("order_no", past)
    window.press("//button[contains(., '试一下')]")
    window.until(lambda: NEW in text_in(window, "tried"))
    assert seen(window, "rules-tried") == []
    window.press("//button[contains(., '重置')]")
    window.until(lambda: NEW not in text_in(window, "tried"))
    window.fill("name", "冷链新仓")
    window.press("//button[contains(., '保存为草稿')]")
    window.until(lambda: window.path.startswith("/rules/drafts/"))
    window.press("//button[contains(., '试算')]")
    window.until(lambda: window.says("拆法不同") and window.says("历史订单前后对比"))
    assert seen(window, "rules-simulated") == []
    window.press("//button[contains(., '申请发布')]")
    window.until(lambda: window.says("A-rules/"))


def asked(window: Window) -> str:
    """Which question it has become: others about rules may wait beside it, and longer."""
    link = 'a[href^="/approvals/A-rules/"]'
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, link))
    return window.driver.find_element(By.CSS_SELECTOR, link).text.removeprefix("A-")


def test_a_warehouse_for_cold_goods_is_opened_by_two_and_closed_again(shop: Shop, window: Window) -> None:
    asyncio.run(_begin(shop, ["SO-COLD-1", "SO-COLD-2"], ["SO-COLD-1"]))
    leaves_from(shop, window, "SO-COLD-1", OLD)
    window.sign_in(shop.link("demo-rules"))
    a_rule_is_written_and_tried(window, "SO-COLD-1")
    draft, question = window.path, asked(window)
    in_ones_name(shop, window, "demo-operator")
    approve(window, question)
    shows(window, draft, "起生效，为第 1 版")
    assert seen(window, "rules-in-force") == []

    asyncio.run(_begin(shop, ["SO-COLD-3"], ["SO-COLD-2", "SO-COLD-3"]))
    leaves_from(shop, window, "SO-COLD-3", NEW)
    leaves_from(shop, window, "SO-COLD-2", OLD)  # it was open: what it began with counts

    in_ones_name(shop, window, "demo-rules")
    window.open("/rules/versions/0")
    window.press("//button[contains(., '恢复此版本')]")
    window.until(lambda: window.path.startswith("/rules/drafts/"))
    question = asked(window)
    in_ones_name(shop, window, "demo-operator")
    approve(window, question)
    shows(window, "/rules", "第 2 版自")
    asyncio.run(_begin(shop, ["SO-COLD-4"], ["SO-COLD-4"]))
    leaves_from(shop, window, "SO-COLD-4", OLD)
    assert window.complaints() == [] and window.elsewhere() == set()
