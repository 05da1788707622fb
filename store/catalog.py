"""Catalogue tags by SKU: what splitting needs to know of goods."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain.order import SkuTags
from store.pool import Connection, Pool, Row, clean

# Many SKUs at once; a known SKU gets the new tags. Sorted, so that two imports cannot block each other.
PUT = """
INSERT INTO skus (sku, name, warehouse, supplier, logistics, customs, updated_at)
SELECT u.sku, u.name, u.warehouse, u.supplier, u.logistics, u.customs, now()
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS u (sku, name, warehouse, supplier, logistics, customs)
ORDER BY u.sku
ON CONFLICT (sku) DO UPDATE SET name = excluded.name, warehouse = excluded.warehouse, supplier = excluded.supplier,
    logistics = excluded.logistics, customs = excluded.customs, updated_at = excluded.updated_at"""

# Tags of certain SKUs.
GET = "SELECT sku, name, warehouse, supplier, logistics, customs FROM skus WHERE sku = ANY($1::text[])"

# One page, by SKU.
LIST = """
SELECT sku, name, warehouse, supplier, logistics, customs FROM skus WHERE sku > $1 ORDER BY sku LIMIT $2"""


@dataclass(frozen=True)
class CatalogEntry:
    sku: str
    tags: SkuTags
    name: str = ""


class CatalogStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def put(self, entries: Iterable[CatalogEntry]) -> int:
        """Add or change SKUs, all or none; of two entries with one SKU the last counts. Returns how many."""
        rows = {entry.sku: entry for entry in entries}.values()
        await self._pool.execute(
            PUT,
            [r.sku for r in rows],
            [clean(r.name) for r in rows],
            [r.tags.warehouse for r in rows],
            [r.tags.supplier for r in rows],
            [r.tags.logistics for r in rows],
            [r.tags.customs for r in rows],
        )
        return len(rows)

    async def get(self, skus: Sequence[str]) -> dict[str, CatalogEntry]:
        """The known ones of `skus`."""
        return {row["sku"]: _entry(row) for row in await self._pool.fetch(GET, list(skus))}

    async def list(self, limit: int = 100, after: str = "") -> tuple[CatalogEntry, ...]:
        """One page in order of SKU; the next one starts after the last SKU of this one."""
        return tuple(_entry(row) for row in await self._pool.fetch(LIST, after, limit))


async def tags_of(connection: Connection, skus: Iterable[str]) -> Mapping[str, SkuTags]:
    """Tags of the known ones of `skus`, inside a transaction."""
    return {row["sku"]: _entry(row).tags for row in await connection.fetch(GET, sorted(set(skus)))}


def _entry(row: Row) -> CatalogEntry:
    tags = SkuTags(
        warehouse=row["warehouse"], supplier=row["supplier"], logistics=row["logistics"], customs=row["customs"]
    )
    return CatalogEntry(row["sku"], tags, row["name"])
