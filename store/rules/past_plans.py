"""Orders as they were planned, to plan them anew under other rules."""

from collections.abc import AsyncIterator
from datetime import datetime

from domain.catalog.records import SkuRecord
from domain.fulfilment.planning import PlanInputs
from domain.policy import Policy
from domain.rules.simulation import PastOrder
from domain.strict import of
from store.pool import Pool, Row
from store.rules.decisions import head

PAGE = 50

# Orders without a kept plan are left out.
_PLANNED = """
SELECT p.order_no, o.placed_at, p.explanation -> 'inputs' AS inputs, o.channel, o.kind, o.currency,
    o.start #>> '{address,country}' AS country, o.start #>> '{address,province}' AS province,
    o.start #>> '{address,city}' AS city, o.start #>> '{address,district}' AS district, y.policy,
    coalesce((SELECT jsonb_object_agg(l.line_id, l.catalogue) FROM order_lines l
        WHERE l.order_no = p.order_no AND l.catalogue IS NOT NULL), '{}') AS catalogue
FROM orders o JOIN order_plans p USING (order_no) JOIN policies y ON y.version = o.policy_version"""

# Newest first, after the last one of the page before.
READ = f"""{_PLANNED}
WHERE o.placed_at >= $1 AND ($2::timestamptz IS NULL OR (o.placed_at, o.order_no) < ($2, $3))
ORDER BY o.placed_at DESC, o.order_no DESC LIMIT $4"""

ONE = f"{_PLANNED} WHERE o.order_no = $1"


class PastOrders:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def newest(self, limit: int, since: datetime) -> AsyncIterator[PastOrder]:
        """At most `limit` orders that were placed since then, newest first."""
        last: Row | None = None
        while limit > 0:
            after = (last["placed_at"], last["order_no"]) if last else (None, None)
            rows = await self._pool.fetch(READ, since, *after, min(PAGE, limit))
            for row in rows:
                yield _order(row)
            if len(rows) < PAGE:
                return
            last, limit = rows[-1], limit - len(rows)

    async def one(self, order_no: str) -> PastOrder | None:
        """None: it is not in the books, or was never planned."""
        row = await self._pool.fetchrow(ONE, order_no)
        return None if row is None else _order(row)


def _order(row: Row) -> PastOrder:
    return PastOrder(
        row["order_no"],
        of(PlanInputs, row["inputs"]),
        head(row),
        {line_id: of(SkuRecord, record) for line_id, record in row["catalogue"].items()},
        of(Policy, row["policy"]).split_priority,
    )
