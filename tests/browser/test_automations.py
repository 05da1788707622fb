"""Orders above 500 yuan from one channel are held for a look, what was promised for today is told of at an hour of the
day, and both are taken back: by a rule editor and a second person, in the browser alone."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from bench.demo.environment import on_stage
from bench.demo.orders import EXAMPLES
from console.text.language import CHINA
from domain.catalog.records import SkuRecord
from domain.order import OrderLine, StartOrder
from domain.strict import parse
from store.stock.catalog import CatalogStore
from store.stock.ledger import StockStore
from tests.browser.conftest import POLICY, Shop
from tests.browser.pages import Window
from tests.browser.test_files import seen
from tests.browser.test_story import approve, in_ones_name, shows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
SKU, WAREHOUSE, CHANNEL = "SOFA", "WH-EAST", "douyin"
DEAR, CHEAP = 60_000, 40_000
HELD, KEPT = "已暂停", "500 元以上先看一眼"
AHEAD = timedelta(seconds=150)
"""Of the hour that an automation names: two people need so long to have it counted."""


async def _begin(shop: Shop, orders: Mapping[str, int], dispatch_by: datetime | None = None) -> None:
    """Orders of one article at a price each, paid; what buyers do is done outside."""
    base = parse(StartOrder, (EXAMPLES / "order.json").read_bytes())
    async with on_stage("browser", shop.variables, POLICY) as stage:
        now = datetime.now(UTC)
        goods = SkuRecord(sku=SKU, name="沙发", ship_from=(WAREHOUSE,), weight_g=20_000)
        await CatalogStore(stage.pool).put([goods], "test", now)
        await StockStore(stage.pool).receive(SKU, WAREHOUSE, 50, f"GR-{SKU}")
        for number, price in orders.items():
            order = base.model_copy(
                update={
                    "order_no": number, "channel_order_no": number, "placed_at": now, "channel": CHANNEL,
                    "lines": (OrderLine(line_id="L1", sku=SKU, qty=1, unit_price_minor=price, weight_g=20_000),),
                    "coupons": (), "freight": (), "payable_minor": price, "dispatch_by": dispatch_by,
                }
            )  # fmt: skip
            await stage.client.start(order)
            await stage.pay(order)


def writes(window: Window, choices: Mapping[str, str], texts: Mapping[str, str]) -> None:
    """A new automation, as far as its trial."""
    window.open("/automations")
    window.press('a[href="/automations/one"]')
    window.until(lambda: window.driver.find_elements(By.NAME, "condition"))
    for name, value in choices.items():
        Select(window.driver.find_element(By.NAME, name)).select_by_value(value)
    for name, text in texts.items():
        window.fill(name, text)
    window.press('form[action="/automations/try"] .btn-primary')


def asks(window: Window) -> None:
    window.press('form[action="/automations/ask"] .btn-primary')
    window.until(lambda: window.says("A-automations-"))


def agreed(shop: Shop, window: Window) -> None:
    in_ones_name(shop, window, "demo-operator")
    approve(window, "automations-")


def next_minute(now: datetime) -> datetime:
    return (now + AHEAD).astimezone(CHINA).replace(second=0, microsecond=0) + timedelta(minutes=1)


def dear_orders_are_held(shop: Shop, window: Window) -> None:
    asyncio.run(_begin(shop, {"SO-DEAR-1": DEAR, "SO-CHEAP-1": CHEAP}))
    shows(window, "/orders/SO-DEAR-1", "已付款")
    in_ones_name(shop, window, "demo-rules")
    writes(
        window, {"on": "order_paid", "act": "hold", "kind": "other"},
        {"id": "dear", "name": KEPT, "condition": f"channel == '{CHANNEL}' and amount_minor > stock", "reason": KEPT},
    )  # fmt: skip
    window.until(lambda: window.says("stock"))
    assert window.path == "/automations/try" and seen(window, "automation-wrong") == []
    assert all("409" in one for one in window.complaints()), "of the refusal alone"
    window.fill("condition", f"channel == '{CHANNEL}' and amount_minor > 50000")
    window.press('form[action="/automations/try"] .btn-primary')
    window.until(lambda: window.says("会对 1 个订单执行操作") and window.says("SO-DEAR-1"))
    assert not window.says("SO-CHEAP-1") and seen(window, "automation-tried") == []
    asks(window)
    agreed(shop, window)
    asyncio.run(_begin(shop, {"SO-DEAR-2": DEAR, "SO-CHEAP-2": CHEAP}))
    shows(window, "/orders/SO-DEAR-2", HELD, KEPT)
    shows(window, "/orders/SO-CHEAP-2", "已付款")
    assert not window.says(HELD)
    window.open("/orders/SO-DEAR-1")  # it was there before the automation counted
    assert not window.says(HELD)


def what_is_promised_for_today_is_told(shop: Shop, window: Window) -> None:
    in_ones_name(shop, window, "demo-rules")
    hour = next_minute(datetime.now(UTC))
    writes(
        window, {"on": "deadline_near", "act": "notify", "severity": "urgent"},
        {"id": "late-today", "name": "今天的还没走", "at": f"{hour:%H:%M}",
         "condition": f"channel == '{CHANNEL}'", "text": "今天承诺发货，还没走"},
    )  # fmt: skip
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, 'form[action="/automations/ask"]'))
    asks(window)
    agreed(shop, window)
    assert datetime.now(UTC) < hour, "two people took longer than this play gives them"
    end = hour.replace(hour=23, minute=59, second=59)
    asyncio.run(_begin(shop, {"SO-TODAY-1": DEAR}, end))
    shows(window, "/orders/SO-TODAY-1", HELD)
    window.until(lambda: _told(window, "SO-TODAY-1"), patience_s=360)
    window.picture("automation-told")
    window.open("/automations/runs?automation=late-today")
    assert window.says("SO-TODAY-1") and seen(window, "automation-runs") == []


def _told(window: Window, number: str) -> bool:
    window.open(f"/orders/{number}")
    return window.says("今天承诺发货，还没走")


def they_are_taken_back(shop: Shop, window: Window) -> None:
    """One step: as it was in the first version; then one person stops all, at once."""
    in_ones_name(shop, window, "demo-rules")
    window.open("/automations")
    window.press("//button[contains(., '申请恢复到此版本')]")
    window.until(lambda: window.says("A-automations-"))
    agreed(shop, window)
    window.open("/automations")
    assert window.says("dear") and not window.says("late-today")
    in_ones_name(shop, window, "demo-lead")
    window.open("/automations")
    window.fill("why", "全部先停一下")
    window.press('form[action="/automations/stop"] .btn-danger')
    window.until(lambda: window.says("全部自动化已停止") and window.says("全部先停一下"))
    assert seen(window, "automations-stopped") == []
    asyncio.run(_begin(shop, {"SO-DEAR-3": DEAR}))
    in_ones_name(shop, window, "demo-operator")
    shows(window, "/orders/SO-DEAR-3", "拆分明细", "已付款")
    assert not window.says(HELD)


def test_two_people_have_orders_held_and_told_of_and_take_it_back(shop: Shop, window: Window) -> None:
    window.sign_in(shop.link("demo-operator"))
    dear_orders_are_held(shop, window)
    what_is_promised_for_today_is_told(shop, window)
    they_are_taken_back(shop, window)
    assert window.complaints() == [] and window.elsewhere() == set()
