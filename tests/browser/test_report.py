"""From a figure of the health report to the orders behind it, to what is done about one, to the version that keeps it
from coming again: in the browser; only the version is published as two people do it elsewhere."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta

import pytest
from selenium.webdriver.common.by import By

from bench.demo.environment import on_stage
from console.text.language import CHINA
from store.rules.policies import PolicyStore
from tests.browser.conftest import POLICY, Shop
from tests.browser.pages import Window

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
DONE = "Warehouse calls back within the hour"


async def another_policy(shop: Shop) -> int:
    """Asked for by one, let through by another; its number."""
    now = POLICY.model_copy(update={"cancel_wait_s": POLICY.cancel_wait_s + 60})
    async with on_stage("browser", shop.variables, now) as stage:
        return (await PolicyStore(stage.pool).current()).version


def built(window: Window, path: str) -> None:
    window.open(path)
    window.press('form[action$="/build"] button')
    window.until(lambda: window.path == path and window.driver.find_elements(By.CSS_SELECTOR, "table"))


def test_a_figure_opens_its_orders_an_order_has_an_action_and_a_published_version_closes_it(
    shop: Shop, window: Window
) -> None:
    window.sign_in(shop.link("demo-operator"), "en")
    today = datetime.now(UTC).astimezone(CHINA)
    built(window, f"/reports/{today:%Y-%m}")
    window.open(f"/reports/{today:%Y-%m}/print")
    made = window.driver.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    assert base64.b64decode(made["data"]).startswith(b"%PDF-")
    window.open(f"/reports/{today:%Y-%m}")
    window.press("#manual_rate_bp a.number")
    window.until(lambda: window.says(shop.waiting))
    window.press(f'a[href="/orders/{shop.waiting}"]')
    window.until(lambda: window.path == f"/orders/{shop.waiting}")

    year, number, _ = today.isocalendar()
    week = f"/reports/weekly/{year}-W{number:02}"
    built(window, week)
    window.until(lambda: window.says(shop.waiting))
    window.fill("text", DONE)
    due = window.driver.find_element(By.NAME, "due")
    window.driver.execute_script("arguments[0].value = arguments[1]", due, f"{today + timedelta(days=7):%Y-%m-%d}")
    window.press(f'form[action="{week}/actions"] .btn-primary')
    window.until(lambda: window.says(DONE) and window.driver.find_elements(By.NAME, "version"))

    version = asyncio.run(another_policy(shop))
    window.driver.find_element(By.CSS_SELECTOR, 'select[name="held_by"] option[value="policy"]').click()
    window.fill("version", "999999")
    window.press(f'form[action="{week}/close"] button')
    window.until(lambda: window.driver.find_elements(By.CSS_SELECTOR, ".alert-danger"))
    window.driver.find_element(By.CSS_SELECTOR, 'select[name="held_by"] option[value="policy"]').click()
    window.fill("version", str(version))
    window.press(f'form[action="{week}/close"] button')
    window.until(lambda: window.says(f"Policy {version}") and window.says("has not come again"))
    window.picture("report-action-closed")
    assert window.elsewhere() == set()
