"""What the catalogue and the books know that a cell of a rule table may name, to choose from."""

from collections.abc import Mapping

from store.console.goods import WAREHOUSES
from store.pool import Pool

MOST = 60
"""Of each column: a list to choose from and no catalogue."""

# Of the newest orders: what shops there are is nowhere written down.
CHANNELS = """
SELECT DISTINCT channel FROM (SELECT channel FROM orders ORDER BY placed_at DESC LIMIT 2000) AS o ORDER BY 1 LIMIT 60"""

OF_GOODS = """
SELECT array_agg(DISTINCT sku ORDER BY sku) FILTER (WHERE n <= 60) AS sku,
    array_agg(DISTINCT supplier ORDER BY supplier) FILTER (WHERE supplier <> '') AS supplier,
    array_agg(DISTINCT logistics ORDER BY logistics) FILTER (WHERE logistics <> '') AS logistics,
    array_agg(DISTINCT place ORDER BY place) FILTER (WHERE place <> '') AS place
FROM (SELECT sku, supplier, logistics, row_number() OVER (ORDER BY sku) AS n, ship_from[1] AS place
    FROM skus ORDER BY sku LIMIT 5000) AS goods"""


class RuleChoices:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def values(self) -> Mapping[str, tuple[str, ...]]:
        """By column: `channel`, `sku`, `supplier`, `logistics`, `warehouse`."""
        goods = await self._pool.fetchrow(OF_GOODS)
        assert goods is not None  # an aggregate has a row
        stocked = [row["warehouse"] for row in await self._pool.fetch(WAREHOUSES)]
        return {
            "channel": tuple(row["channel"] for row in await self._pool.fetch(CHANNELS)),
            **{name: tuple(goods[name] or ())[:MOST] for name in ("sku", "supplier", "logistics")},
            "warehouse": tuple(sorted({*stocked, *(goods["place"] or ())}))[:MOST],
        }
