"""The interface for master-data systems: typed rows, the same checks as files, and sending twice is sending once."""

from domain.catalog.records import SkuRecord, Tax
from domain.catalog.rows import Cell
from starter.clients.catalog import CatalogClient
from store.audit.audit import AuditStore
from store.pool import Pool
from tests.postgres import database_url, pool

__all__ = ["database_url", "pool"]


async def test_a_batch_of_typed_rows_is_checked_and_put_once(pool: Pool) -> None:
    client = CatalogClient(pool)
    batch: list[dict[str, Cell]] = [
        {"sku": "A", "ship_from": ["WH-1", "WH-2"], "battery": True, "vat_bp": 1300, "customs_mode": "cbec"},
        {"sku": "B", "ship_from": "WH-1", "weight_g": True},
        {"sku": "C", "colour": "red"},
    ]
    first = await client.put(batch, "mdm", source="batch-7")
    assert [(b.row, b.column) for b in first.bad] == [(2, "weight_g"), (3, "colour")]
    assert (first.added, first.bad_rows) == (1, 2)
    assert (await client.put(batch, "mdm", source="batch-7")).unchanged == 1
    tax = Tax(vat_bp=1300)
    wanted = SkuRecord(sku="A", ship_from=("WH-1", "WH-2"), battery=True, customs="cbec", tax=tax)
    assert await client.get("A") == wanted
    assert [(row.actor, row.detail["source"]) for row in await AuditStore(pool).list()] == [("mdm", "batch-7")]


async def test_hostile_values_are_text_or_refused(pool: Pool) -> None:
    client = CatalogClient(pool)
    rows = [{"sku": sku, "name": "x"} for sku in ("'; DROP TABLE skus --", "a\x00b", "A" * 65)]
    assert (await client.put(rows, "mdm")).bad_rows == 3
    assert (await client.put([{"sku": "OK", "name": "'; DROP TABLE skus --"}], "mdm")).added == 1
    assert (await client.put([{"sku": "N1", "vat_bp": 10**12}], "mdm")).good == 0
    assert [r.sku for r in await client.page()] == ["OK"]


async def test_harmless_marks_of_a_spreadsheet_are_cleaned_away(pool: Pool) -> None:
    client = CatalogClient(pool)
    assert (
        await client.put([{"sku": "１２", "name": "a\u202eb"}, {"sku": "\u202eA", "name": "x"}], "mdm")
    ).bad_rows == 0
    assert [(r.sku, r.name) for r in await client.page()] == [("12", "ab"), ("A", "x")]
