"""What the books say is still going on: open orders and cases by workflow id, and messages that nobody has heard."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from store.pool import Pool

PAGE = 2_000

OPEN_ORDERS = """
SELECT 'order/' || order_no AS id, order_no AS number FROM orders WHERE ended_at IS NULL AND order_no > $1
ORDER BY order_no LIMIT $2"""

OPEN_CASES = """
SELECT 'return/' || return_no AS id, return_no AS number FROM return_cases WHERE ended_at IS NULL AND return_no > $1
ORDER BY return_no LIMIT $2"""

COUNT = """
SELECT (SELECT count(*) FROM orders WHERE ended_at IS NULL)
    + (SELECT count(*) FROM return_cases WHERE ended_at IS NULL)"""

# An order with its cases.
FAMILY = """
SELECT 'order/' || order_no AS id FROM orders WHERE order_no = $1
UNION ALL SELECT 'return/' || return_no FROM return_cases WHERE order_no = $1 ORDER BY 1"""

# Of these numbers, what the books say: absent ones have no row.
STANDING = """
SELECT 'order/' || order_no AS id, ended_at FROM orders WHERE order_no = ANY($1::text[])
UNION ALL SELECT 'return/' || return_no, ended_at FROM return_cases WHERE return_no = ANY($2::text[])"""

# Whose order a workflow is about.
ORDER_OF = """
SELECT order_no FROM orders WHERE order_no = substr($1, 7) AND starts_with($1, 'order/')
UNION ALL SELECT order_no FROM return_cases WHERE return_no = substr($1, 8) AND starts_with($1, 'return/')"""

# What a workflow had asked before a moment and nobody has answered.
TICKETS_BEFORE = """
SELECT ticket_id FROM tickets
WHERE state = 'open' AND NOT outside AND opened_at < $2 AND order_no = $3
    AND ticket_id ~ ('^T-' || split_part($1, '/', 2) || '-[0-9]+$')"""

# Signalled, and no order or case has said what became of it.
UNHEARD = """
SELECT id, source, order_no, delivered_at FROM inbox
WHERE state = 'delivered' AND delivered_at < $1 AND ($2::text IS NULL OR order_no = $2)
ORDER BY delivered_at LIMIT $3"""


@dataclass(frozen=True)
class Unheard:
    """A row of the inbox that was delivered and never answered."""

    id: int
    source: str
    order_no: str | None
    delivered_at: datetime


class OpenWorkStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def count(self) -> int:
        return int(await self._pool.fetchval(COUNT))

    async def open_ids(self) -> AsyncIterator[tuple[str, ...]]:
        """Workflow ids of all open orders, then of all open cases, page by page."""
        for sql in (OPEN_ORDERS, OPEN_CASES):
            after = ""
            while rows := await self._pool.fetch(sql, after, PAGE):
                yield tuple(row["id"] for row in rows)
                after = rows[-1]["number"]

    async def family(self, order_no: str) -> tuple[str, ...]:
        """Workflow ids of an order and of its cases; empty: not in the books."""
        return tuple(row["id"] for row in await self._pool.fetch(FAMILY, order_no))

    async def standing(self, ids: Sequence[str]) -> dict[str, datetime | None]:
        """When each has ended, by workflow id; None: open. One that is not in the books is not in the answer."""
        by_kind: dict[str, list[str]] = {"order": [], "return": []}
        for kind, _, number in (workflow_id.partition("/") for workflow_id in ids):
            by_kind.setdefault(kind, []).append(number)
        rows = await self._pool.fetch(STANDING, by_kind["order"], by_kind["return"])
        return {row["id"]: row["ended_at"] for row in rows}

    async def order_of(self, workflow_id: str) -> str | None:
        found: str | None = await self._pool.fetchval(ORDER_OF, workflow_id)
        return found

    async def tickets_before(self, workflow_id: str, moment: datetime) -> tuple[str, ...]:
        """Numbers of the open tickets that the workflow of an order or return had opened by then."""
        rows = await self._pool.fetch(TICKETS_BEFORE, workflow_id, moment, await self.order_of(workflow_id))
        return tuple(row["ticket_id"] for row in rows)

    async def unheard(self, before: datetime, order_no: str | None = None, most: int = 1_000) -> tuple[Unheard, ...]:
        """Delivered before then; the oldest first."""
        return tuple(Unheard(**row) for row in await self._pool.fetch(UNHEARD, before, order_no, most))
