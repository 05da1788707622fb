"""Stock and the catalogue by HTTP: the worker writes both, for a program that is proven."""

from typing import Any

from domain.access.api_tokens import ApiScope
from tests.open_api.programs import Door

RECEIPT = {"sku": "MUG", "warehouse": "WH-EAST", "qty": 10, "ref": "GR-1"}


async def test_goods_come_in_once_and_are_shown(door: Door) -> None:
    wms = await door.program()
    first = await wms.post("/stock/receipts", RECEIPT, "k1")
    assert (first.status_code, first.json()) == (201, {"ref": "GR-1", "told": []}), first.text
    assert (await wms.post("/stock/receipts", RECEIPT, "k1")).json() == first.json()
    assert (await wms.post("/stock/receipts", RECEIPT, "k2")).status_code == 201, "the receipt counts once all the same"
    shown = (await wms.get("/stock", sku="MUG")).json()
    assert [(s["warehouse"], s["available"]) for s in shown["stock"]] == [("WH-EAST", 10)]
    other = await wms.post("/stock/receipts", RECEIPT | {"qty": 11})
    assert (other.status_code, other.json()["code"]) == (409, "DeskRefused")
    (row,) = await door.audit("stock.receive")
    assert row.actor == "api/erp"


async def test_stock_is_read_page_by_page_and_only_of_ones_own_warehouses(door: Door) -> None:
    wms = await door.program()
    for n in range(5):
        assert (await wms.post("/stock/receipts", RECEIPT | {"sku": f"MUG-{n}", "ref": f"GR-{n}"})).status_code == 201
    found: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = (await wms.get("/stock", limit=2, **after)).json()
        found += [s["sku"] for s in page["stock"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == [f"MUG-{n}" for n in range(5)]
    far = await door.program(name="api/far", warehouses=("WH-MOON",))
    assert (await far.get("/stock")).json()["stock"] == []
    refused = await far.post("/stock/receipts", RECEIPT)
    assert (refused.status_code, refused.json()["code"]) == (403, "OUT_OF_SCOPE")
    assert (await wms.get("/stock", after="x")).status_code == 422


async def test_the_catalogue_is_written_whole_and_read(door: Door) -> None:
    mdm = await door.program(ApiScope.CATALOG_READ, ApiScope.CATALOG_WRITE)
    cup = {"sku": "CUP", "name": "杯子", "ship_from": ["WH-EAST"], "weight_g": 300}
    put = await mdm.post("/catalog/skus", {"skus": [cup, {"sku": "MUG"}]}, "k1")
    assert (put.status_code, put.json()) == (200, {"added": 2, "changed": 0, "unchanged": 0}), put.text
    again = await mdm.post("/catalog/skus", {"skus": [cup, {"sku": "MUG", "battery": True}]})
    assert again.json() == {"added": 0, "changed": 1, "unchanged": 1}
    shown = (await mdm.get("/catalog/skus/CUP")).json()
    assert (shown["name"], shown["ship_from"]) == ("杯子", ["WH-EAST"])
    assert (await mdm.get("/catalog/skus/NONE")).json()["code"] == "NO_SUCH_SKU"
    bad = await mdm.post("/catalog/skus", {"skus": [cup, {"sku": "M G", "weight_g": -1}]})
    assert {e["pointer"] for e in bad.json()["errors"]} >= {"#/skus/1/sku", "#/skus/1/weight_g"}
    assert {row.actor for row in await door.audit("catalog.put")} == {"api/erp"}
