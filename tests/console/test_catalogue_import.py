"""A file of goods in the browser: looked at, bad rows mended there, good ones put in the name of who sent it."""

import re

import httpx
import pytest

from domain.catalog.records import SkuRecord
from store.stock.catalog import CatalogStore
from tests.console.office import URL, ActingDesk, Browser, Desk
from tests.console.test_tickets import english
from tests.store.examples import NOW

FILE = "sku,name,ship_from,weight_g\nCUP,Cup,WH-1,200\nPOT,<b>Pot</b>,WH-1,heavy\n"


async def send(browser: Browser, path: str, content: str | None, **fields: str) -> httpx.Response:
    files = {"file": ("goods.csv", content.encode(), "text/csv")} if content is not None else None
    return await browser.http.post(path, data={"csrf": browser.csrf, **fields}, files=files, headers={"origin": URL})


def cells(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(cell:\d+:\w+)" value="([^"]*)"', page))


async def test_a_file_of_goods_is_looked_at_and_its_bad_rows_can_be_mended(desk: Desk) -> None:
    await CatalogStore(desk.books).put([SkuRecord(sku="CUP", name="Cup")], "u", NOW)
    browser = await english(desk, "order-ops")
    page = (await send(browser, "/catalog/import/look", FILE)).text
    assert "Put 1 SKUs" in page and "Row 3" in page and "<b>Pot" not in page
    assert cells(page)["cell:3:weight_g"] == "heavy" and "weight_g</strong>" in page
    mended = (await send(browser, "/catalog/import/look", FILE, **{"cell:3:sku": "POT", "cell:3:weight_g": "900"})).text
    assert "Put 2 SKUs" in mended and not cells(mended)
    alone = (await send(browser, "/catalog/import/look", None, **{"cell:3:sku": "", "cell:3:name": "x"})).text
    assert "is empty" in alone and cells(alone)["cell:3:name"] == "x"
    assert "POT" not in await CatalogStore(desk.books).get(["POT"]), "looking puts nothing"


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "is empty"), ("name\nCup", "lacks the column"), ("sku,colour\nCUP,red", "unknown column")],
)
async def test_a_file_of_something_else_is_refused_in_words(desk: Desk, content: str, said: str) -> None:
    browser = await english(desk, "order-ops")
    for path in ("/catalog/import/look", "/catalog/import"):
        assert said in (await send(browser, path, content)).text


async def test_without_workers_nothing_is_put(desk: Desk) -> None:
    answer = await send(await english(desk, "order-ops"), "/catalog/import", FILE)
    assert answer.status_code == 503 and "nothing was sent" in answer.text and "Row 3" in answer.text
    assert await desk.books.fetchval("SELECT count(*) FROM skus") == 0


@pytest.mark.asyncio(loop_scope="session")
async def test_good_rows_go_in_and_the_others_once_they_are_mended(acting: ActingDesk) -> None:
    browser = await acting.sign_in("order-ops")
    await browser.get("/language/en")
    first = (await send(browser, "/catalog/import", FILE)).text
    assert "1 SKUs were added" in first and "Row 3" in first
    second = (await send(browser, "/catalog/import", None, **cells(first) | {"cell:3:weight_g": "900"})).text
    assert "1 SKUs were added" in second and "Row 3" not in second
    found = await CatalogStore(acting.house.pool).get(["CUP", "POT"])
    assert {sku: one.weight_g for sku, one in found.items()} == {"CUP": 200, "POT": 900}
    written = await acting.desk.audit("catalog.put")
    assert written and {row.actor for row in written} == {"order-ops"}
