"""The catalogue by SKU: what splitting, customs and parcels need to know of goods (R25, R26)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.catalog.records import SkuRecord
from domain.order import SkuTags
from domain.records import AuditEntry
from domain.strict import of
from store.audit.audit import append_entry
from store.pool import Connection, Pool, Row

COLUMNS = (
    "sku, name, ship_from, supplier, logistics, customs, weight_g, length_mm, width_mm, height_mm, battery, hazard, "
    "vat_bp, ct_bp, tariff_bp, postal_bp, hs_code"
)

# Many SKUs at once; a known SKU gets the new values, one that has them already is left alone. Sorted, so that two
# imports cannot block each other.
PUT = f"""
INSERT INTO skus AS s ({COLUMNS}, updated_at, updated_by)
SELECT u.*, $2, $3 FROM jsonb_to_recordset($1::jsonb) AS u (sku text, name text, ship_from text[], supplier text,
    logistics text, customs text, weight_g int, length_mm int, width_mm int, height_mm int, battery boolean,
    hazard boolean, vat_bp int, ct_bp int, tariff_bp int, postal_bp int, hs_code text)
ORDER BY u.sku
ON CONFLICT (sku) DO UPDATE SET ({COLUMNS}, updated_at, updated_by) =
    (SELECT {", ".join("excluded." + c for c in COLUMNS.split(", "))}, excluded.updated_at, excluded.updated_by)
    WHERE ({", ".join("s." + c for c in COLUMNS.split(", "))})
        IS DISTINCT FROM ({", ".join("excluded." + c for c in COLUMNS.split(", "))})
RETURNING s.xmax = 0 AS added"""  # noqa: S608 - the names are ours

# Certain SKUs.
GET = f"SELECT {COLUMNS} FROM skus WHERE sku = ANY($1::text[])"  # noqa: S608 - the names are ours

# Tags of certain SKUs that have some.
TAGS = """
SELECT sku, ship_from[1] AS warehouse, supplier, logistics, customs FROM skus
WHERE sku = ANY($1::text[]) AND ship_from <> '{}'"""

# One page, by SKU.
LIST = f"""
SELECT {COLUMNS} FROM skus WHERE sku > $1 AND ($3::boolean IS NOT TRUE OR ship_from = '{{}}')
ORDER BY sku LIMIT $2"""  # noqa: S608 - the names are ours

_SIZE = ("length_mm", "width_mm", "height_mm")
_TAX = ("vat_bp", "ct_bp", "tariff_bp", "postal_bp", "hs_code")


@dataclass(frozen=True)
class Put:
    """How many SKUs were new, had other values before, and had these values already."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "Put") -> "Put":
        return Put(self.added + other.added, self.changed + other.changed, self.unchanged + other.unchanged)


class CatalogStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def put(self, records: Iterable[SkuRecord], by: str, at: datetime, source: str = "") -> Put:
        """Add or change SKUs, all or none; of two records with one SKU the last counts. Audited when it changed any."""
        rows = {record.sku: _columns(record) for record in records}
        if not rows:
            return Put()
        async with self._pool.acquire() as connection, connection.transaction():
            moved = await connection.fetch(PUT, list(rows.values()), at, by)
            added = sum(row["added"] for row in moved)
            done = Put(added, len(moved) - added, len(rows) - len(moved))
            if moved:
                detail = {"source": source, "added": done.added, "changed": done.changed}
                await append_entry(connection, AuditEntry(actor=by, action="catalog.put", detail=detail), at)
        return done

    async def get(self, skus: Iterable[str]) -> dict[str, SkuRecord]:
        """The known ones of `skus`."""
        async with self._pool.acquire() as connection:
            return dict(await records_of(connection, skus))

    async def list(self, limit: int = 100, after: str = "", *, untagged: bool = False) -> tuple[SkuRecord, ...]:
        """One page in order of SKU; the next one starts after the last SKU of this one."""
        return tuple(_record(row) for row in await self._pool.fetch(LIST, after, limit, untagged))


async def tags_of(connection: Connection, skus: Iterable[str]) -> Mapping[str, SkuTags]:
    """Tags of those of `skus` that are known and tagged, inside a transaction."""
    rows = await connection.fetch(TAGS, sorted(set(skus)))
    return {
        row["sku"]: SkuTags(
            warehouse=row["warehouse"], supplier=row["supplier"], logistics=row["logistics"], customs=row["customs"]
        )
        for row in rows
    }


async def records_of(connection: Connection, skus: Iterable[str]) -> Mapping[str, SkuRecord]:
    """The known ones of `skus`, inside a transaction."""
    return {row["sku"]: _record(row) for row in await connection.fetch(GET, sorted(set(skus)))}


def _columns(record: SkuRecord) -> dict[str, Any]:
    flat = record.model_dump(mode="json", exclude={"size", "tax"})
    size = record.size.model_dump() if record.size else dict.fromkeys(_SIZE)
    return {**flat, "name": record.name or "", **size, **record.tax.model_dump()}


def _record(row: Row) -> SkuRecord:
    nested: Sequence[str] = (*_SIZE, *_TAX)
    flat = {name: value for name, value in row.items() if name not in nested}
    size = {name: row[name] for name in _SIZE} if row["length_mm"] is not None else None
    tax = {name: row[name] for name in _TAX}
    return of(SkuRecord, {**flat, "name": row["name"] or None, "size": size, "tax": tax})
