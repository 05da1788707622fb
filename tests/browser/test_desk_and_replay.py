"""The warehouse checks a replacement and has its label; operations have many messages delivered again, forecast first:
on a desk and on a phone, in Chinese and in English."""

import asyncio
import contextlib
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from bench.demo.environment import on_stage
from bench.demo.orders import EXAMPLES
from bench.demo.return_stories import Case
from bench.demo.staffing import STAFF
from bench.demo.stories import plain
from domain.catalog.records import SkuRecord
from domain.order import OrderLine, StartOrder
from domain.returns.enums import CaseStatus, ReturnType
from domain.strict import parse
from store.stock.catalog import CatalogStore
from store.stock.ledger import StockStore
from tests.browser.conftest import POLICY, Shop
from tests.browser.pages import Window
from tests.browser.test_files import seen
from tests.browser.test_story import shows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
SKU, WAREHOUSE, ORDER = "JOB-SHOE", "WH-EAST", "SO-JOB-EXCHANGE"
COPIED = """
INSERT INTO inbox (source, event_id, via, kind, digest, body, facts, received_at, state, order_no, next_try_at)
SELECT source, 'JOB-AGAIN-' || id, via, kind, sha256(convert_to('JOB-AGAIN-' || id, 'UTF8')), body, facts, now(),
    'dead', order_no, now()
FROM inbox WHERE order_no = $1 AND state = 'applied' ORDER BY id LIMIT 3 RETURNING event_id"""
STATES = "SELECT state FROM inbox WHERE event_id = ANY ($1)"


def in_both_languages(window: Window, name: str, path: str) -> list[str]:
    """What is wrong with a page, in either language and width. The last one stays."""
    problems = []
    for language in ("zh", "en"):
        window.open(f"/language/{language}?next={quote(path)}")
        problems += [f"{language} {one}" for one in seen(window, f"{name}-{language}")]
    return problems


async def _coming_back(shop: Shop) -> str:
    """An exchange whose goods are on their way to the warehouse. The code on its slip."""
    base = parse(StartOrder, (EXAMPLES / "order.json").read_bytes())
    line = OrderLine(line_id="L1", sku=SKU, qty=1, unit_price_minor=3_000, weight_g=500)
    order = base.model_copy(
        update={
            "order_no": ORDER, "channel_order_no": ORDER, "placed_at": datetime.now(UTC), "lines": (line,),
            "coupons": (), "freight": (), "payable_minor": 3_000,
        }
    )  # fmt: skip
    async with on_stage("browser", shop.variables, POLICY) as stage:
        goods = SkuRecord(sku=SKU, name="跑鞋", ship_from=(WAREHOUSE,), weight_g=500)
        await CatalogStore(stage.pool).put([goods], "test", datetime.now(UTC))
        await StockStore(stage.pool).receive(SKU, WAREHOUSE, 5, "GR-JOB-SHOE")
        await stage.office.hire(STAFF)
        watching = asyncio.create_task(stage.watch(lambda: [ORDER]))
        try:
            await plain(stage, order)
            await stage.until(ORDER, "delivery", lambda now: now.status == "DELIVERED")
            case = Case(stage, order, ReturnType.EXCHANGE, {"L1": 1})
            await case.apply()
            await case.go_on([CaseStatus.IN_RETURN])
            return await case.code()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


def answered(window: Window, colour: str) -> None:
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, f".answer-{colour}"), patience_s=60)


def test_a_replacement_is_checked_before_its_label_prints(shop: Shop, window: Window) -> None:
    code = asyncio.run(_coming_back(shop))
    window.sign_in(shop.link("demo-warehouse"))
    window.open("/desk")
    window.driver.find_element(By.ID, "scanned").send_keys(code, Keys.ENTER)
    window.press('form[action$="/receive"] button')
    answered(window, "good")
    assert in_both_languages(window, "job-grades", f"/desk/{code}") == []
    window.press('[name="grade"][value="good"]')
    answered(window, "good")
    window.open("/language/zh?next=/desk")
    shows(window, f"/desk/{code}", "可以发出")
    assert in_both_languages(window, "job-check", f"/desk/{code}") == []

    window.press('form[action$="/label"] button')
    answered(window, "bad")
    assert window.says("Check it first") and seen(window, "job-label-refused") == []
    window.press('form[action$="/check"] [name="passed"][value="0"]')
    answered(window, "bad")
    window.open(f"/desk/{code}")
    window.press('form[action$="/check"] [name="passed"][value="1"]')
    answered(window, "good")
    window.press('form[action$="/label"] button')
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, ".answer-good small"), patience_s=60)
    waybill = window.driver.find_element(By.CSS_SELECTOR, ".answer-good small").text
    assert waybill and in_both_languages(window, "job-label", f"/desk/{code}?said=OK&about={waybill}") == []
    # A page that was opened by its address makes no sound: nobody has pressed anything.
    assert [one for one in window.complaints() if "AudioContext" not in one] == [] and window.elsewhere() == set()


async def _given_up(shop: Shop) -> list[str]:
    """What an order knows already, come again and never delivered."""
    async with on_stage("browser", shop.variables, POLICY) as stage:
        return [row["event_id"] for row in await stage.pool.fetch(COPIED, "SO-BROWSER-0")]


async def _states(shop: Shop, events: list[str]) -> set[str]:
    async with on_stage("browser", shop.variables, POLICY) as stage:
        return {row["state"] for row in await stage.pool.fetch(STATES, events)}


def test_many_messages_are_delivered_again_once_their_forecast_was_seen(shop: Shop, window: Window) -> None:
    events = asyncio.run(_given_up(shop))
    assert len(events) == 3
    window.sign_in(shop.link("demo-operator"))
    assert in_both_languages(window, "job-given-up", "/callbacks/messages?state=dead") == []
    window.press('a[href^="/callbacks/replay"]')
    window.until(lambda: window.path == "/callbacks/replay" and window.says("3 messages would be delivered again"))
    assert all(window.says(event) for event in events)
    assert in_both_languages(window, "job-forecast", "/callbacks/replay?state=dead") == []
    window.press('form[action="/callbacks/replay"] .btn-primary')
    window.until(lambda: window.says("3 messages are on their way again."))
    assert seen(window, "job-replayed") == []
    window.until(lambda: asyncio.run(_states(shop, events)) <= {"applied", "duplicate", "stale"}, patience_s=60)
    assert window.complaints() == [] and window.elsewhere() == set()
