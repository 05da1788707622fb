"""Goods for the stock pages: balances page by page, and why a balance is what it is."""

from dataclasses import dataclass
from datetime import datetime

from store.cursors import from_cursor, to_cursor
from store.pool import Pool
from store.stock.ledger import StockBalance

BALANCES = """
SELECT sku, warehouse, available, reserved, shipped, frozen, second_hand, scrapped FROM stock
WHERE ($1::text[] IS NULL OR warehouse = ANY ($1)) AND ($2::text IS NULL OR sku = $2)
    AND ($3::text IS NULL OR warehouse = $3) AND ($4::text IS NULL OR (sku, warehouse) > ($4, $5))
ORDER BY sku, warehouse LIMIT $6"""

MOVES = """
SELECT ref, kind, qty, at FROM stock_moves
WHERE sku = $1 AND warehouse = $2 AND ($3::text[] IS NULL OR warehouse = ANY ($3))
    AND ($4::timestamptz IS NULL OR (at, ref, kind) < ($4, $5, $6))
ORDER BY at DESC, ref DESC, kind DESC LIMIT $7"""

WAREHOUSES = """
WITH RECURSIVE found AS (
    (SELECT warehouse FROM stock ORDER BY warehouse LIMIT 1)
    UNION ALL
    SELECT (SELECT s.warehouse FROM stock s WHERE s.warehouse > f.warehouse ORDER BY s.warehouse LIMIT 1)
    FROM found f WHERE f.warehouse IS NOT NULL
) SELECT warehouse FROM found WHERE warehouse IS NOT NULL LIMIT 50"""


@dataclass(frozen=True)
class BalancePage:
    balances: tuple[StockBalance, ...]
    next: str | None


@dataclass(frozen=True)
class BookedMove:
    ref: str
    kind: str
    qty: int
    at: datetime


@dataclass(frozen=True)
class MovePage:
    moves: tuple[BookedMove, ...]
    next: str | None


class GoodsPages:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def balances(
        self, seen: frozenset[str] | None, limit: int, sku: str | None, warehouse: str | None, cursor: str | None
    ) -> BalancePage:
        """By SKU. `seen`: warehouses of the reader. Raises `ValueError`."""
        after = from_cursor(cursor, str, str) if cursor else [None, None]
        rows = await self._pool.fetch(BALANCES, _names(seen), sku, warehouse, *after, limit + 1)
        found = tuple(StockBalance(**row) for row in rows)
        last = found[limit - 1] if len(found) > limit else None
        return BalancePage(found[:limit], to_cursor(last.sku, last.warehouse) if last else None)

    async def moves(
        self, seen: frozenset[str] | None, sku: str, warehouse: str, limit: int, cursor: str | None
    ) -> MovePage:
        """Newest first. Raises `ValueError`."""
        before = from_cursor(cursor, datetime, str, str) if cursor else [None, None, None]
        rows = await self._pool.fetch(MOVES, sku, warehouse, _names(seen), *before, limit + 1)
        found = tuple(BookedMove(**row) for row in rows)
        last = found[limit - 1] if len(found) > limit else None
        return MovePage(found[:limit], to_cursor(last.at, last.ref, last.kind) if last else None)

    async def warehouses(self, seen: frozenset[str] | None) -> tuple[str, ...]:
        names = [row["warehouse"] for row in await self._pool.fetch(WAREHOUSES)]
        return tuple(name for name in names if seen is None or name in seen)


def _names(seen: frozenset[str] | None) -> list[str] | None:
    return None if seen is None else sorted(seen)
