"""What a person books in the console as come in is done by the worker, in their own name, once."""

from bench.scenarios.environment import ScenarioEnvironment
from domain.catalog.records import SkuRecord
from store.stock.catalog import CatalogStore
from store.stock.ledger import StockStore
from tests.authority.browsers import console_of


async def test_goods_that_came_in_are_booked_once_in_the_persons_own_name(house: ScenarioEnvironment) -> None:
    form = {"sku": "MUG", "warehouse": "WH-EAST", "qty": "12", "ref": "GR-77"}
    async with console_of(house) as desk:
        browser = await desk.sign_in("u-wh")
        answer = await browser.post("/stock/receive", **form, n="1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/stock?sku=MUG&received=booked"), answer.text
        again = await browser.post("/stock/receive", **form, n="2")
        assert again.headers["location"].endswith("received=known")
        other = await browser.post("/stock/receive", **{**form, "qty": "13"}, n="3")
        assert other.status_code == 409 and "与账本不符" in other.text
        await CatalogStore(house.pool).put([SkuRecord(sku="POT", ship_from=("WH-EAST",))], "test", house.now())
        for wrong, told in (({"sku": "MUGG"}, "MUGG"), ({"warehouse": "WH-EAT"}, "WH-EAT")):
            refused = await browser.post("/stock/receive", **{**form, **wrong, "ref": "GR-78"}, n="4")
            assert refused.status_code == 409 and told in refused.text and "nothing was booked" in refused.text
        known = await browser.post("/stock/receive", **{**form, "sku": "POT", "ref": "GR-79"}, n="5")
        assert known.status_code == 303, "it is in the catalogue, and ships from there"
        (balance,) = await StockStore(house.pool).show("MUG")
        assert balance.available == 12 and "MUG" in (await browser.get("/stock")).text
