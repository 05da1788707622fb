"""The running stack with some orders in different states, and one headless Chromium."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from selenium import webdriver

from bench.demo.environment import on_stage
from bench.demo.orders import EXAMPLES
from deploy.local import links
from domain.order import StartOrder
from domain.policy import Policy
from domain.strict import parse
from store.stock.ledger import StockStore
from tests.browser.chromium import browser, driver
from tests.browser.pages import Window
from tests.e2e.conftest import begun_alone
from tests.e2e.programs import ROOT

SHOTS = ROOT / ".local" / "shots"
WORLD = {"SANDBOX_SPEED": "600", "OMS_LOG_LEVEL": "WARNING"}
POLICY = Policy(payment_timeout_s=3_600, receipt_s=3_600, window_s=3_600, retry_backoff_s=(1, 1, 1))


@dataclass(frozen=True)
class Shop:
    """`waiting`: an order with an open ticket; `unpaid`: one that can be cancelled."""

    url: str
    variables: dict[str, str]
    waiting: str
    unpaid: str

    def link(self, person: str) -> str:
        return next(address for name, _, address in links.links(self.variables) if name == person)


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    state, kept = f".local/browser-{os.getpid()}", dict(os.environ)
    env = {**kept, **WORLD, "OMS_STATE_DIR": state, "OMS_PORTS": "free"}
    try:
        with begun_alone(env) as variables:
            os.environ.update(env | variables)
            waiting, unpaid = asyncio.run(_trade(variables))
            yield Shop(variables["OMS_CONSOLE_URL"], variables, waiting, unpaid)
    finally:
        os.environ.clear()
        os.environ.update(kept)
        shutil.rmtree(ROOT / state, ignore_errors=True)


async def _trade(variables: dict[str, str]) -> tuple[str, str]:
    """Some orders: on its way, with a ticket, unpaid."""
    base = parse(StartOrder, (EXAMPLES / "order.json").read_bytes())
    async with on_stage("browser", variables, POLICY) as stage:
        for line in base.lines:
            if line.tags is not None:
                await StockStore(stage.pool).receive(line.sku, line.tags.warehouse, 50, f"GR-{line.line_id}")
        now = datetime.now(UTC)
        numbers = [f"SO-BROWSER-{n}" for n in range(3)]
        orders = [base.model_copy(update={"order_no": n, "channel_order_no": n, "placed_at": now}) for n in numbers]
        watching = asyncio.create_task(stage.watch(lambda: numbers))
        await stage.fault("qimen", "push", "error_before", times=4, child_no=f"{numbers[1]}-01")
        for order in orders:
            await stage.client.start(order)
        for order in orders[:2]:
            await stage.pay(order)
        await stage.until(numbers[1], "a ticket", lambda seen: seen.ticket_id is not None)
        await stage.until(numbers[0], "shipping", lambda seen: "SHIPPED" in seen.status or seen.status == "DELIVERED")
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    return numbers[1], numbers[2]


@pytest.fixture
def window(shop: Shop) -> Iterator[Window]:
    """A browser that nobody has used."""
    binary, service = browser(), driver()
    if binary is None or service is None:
        pytest.fail("there is no Chromium; `python -m tests.browser.chromium` says how to get it")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=service))
    try:
        yield Window(made, shop.url, SHOTS)
    finally:
        made.quit()
