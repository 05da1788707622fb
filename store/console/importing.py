"""What the import of order files asks the books: mappings that were saved, and which orders are there already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.records import AuditEntry
from store.audit.audit import append_entry
from store.pool import Pool, clean

LIST = "SELECT name, mapping, saved_by, saved_at FROM import_mappings ORDER BY name LIMIT 200"
SAVE = """
INSERT INTO import_mappings (name, mapping, saved_by, saved_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET mapping = excluded.mapping, saved_by = excluded.saved_by, saved_at = excluded.saved_at
"""
KNOWN = "SELECT order_no FROM orders WHERE order_no = ANY ($1)"


@dataclass(frozen=True)
class SavedMapping:
    """`mapping`: JSON values, of `starter.importer.mapping.ImportMapping`."""

    name: str
    mapping: Any
    saved_by: str
    saved_at: datetime


class ImportBooks:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def mappings(self) -> tuple[SavedMapping, ...]:
        """By name."""
        return tuple(SavedMapping(**row) for row in await self._pool.fetch(LIST))

    async def save(self, name: str, mapping: Any, by: str, at: datetime) -> None:
        """Under its name; what stood there is replaced. Who did it stays in the audit."""
        text = clean(name)
        entry = AuditEntry(actor=by, action="import.mapping_saved", detail={"name": text})
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(SAVE, text, mapping, by, at)
            await append_entry(connection, entry, at)

    async def known(self, order_nos: Sequence[str]) -> frozenset[str]:
        """Those that are in the books."""
        return frozenset(row["order_no"] for row in await self._pool.fetch(KNOWN, list(order_nos)))
