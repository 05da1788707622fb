"""Everything that the page of one order shows, in one snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.console.sessions import PersonScope
from store.orders import detail
from store.orders.detail import OrderDetail, TimelineEntry
from store.pool import Connection, Pool
from store.tickets.tickets import LIST as TICKETS
from store.tickets.tickets import TicketRow, read_ticket

MOST_EVENTS = 1_000
MOST_TICKETS = 50

# The newest scan of each of the order's parcels.
SCANS = """
SELECT DISTINCT ON (p.child_no) p.child_no, t.at, t.text, t.place, t.status
FROM child_orders c JOIN parcels p USING (child_no) JOIN courier_traces t ON t.waybill_no = p.waybill_no
WHERE c.order_no = $1 ORDER BY p.child_no, t.at DESC, t.key"""

RETURNS = """
SELECT return_no, type, status, reason, waiting_for, needs_attention, sla_owner, refunded_minor, applied_at
FROM return_cases WHERE order_no = $1 ORDER BY applied_at DESC LIMIT 50"""

# What one unit is worth, by runs of units of equal worth.
SHARES = """
SELECT line_id, first_unit, units, net_minor, freight_minor FROM unit_shares WHERE order_no = $1
ORDER BY line_id, first_unit"""

IN_SCOPE = """
SELECT EXISTS (SELECT FROM orders o WHERE o.order_no = $1 AND ($2::text[] IS NULL OR o.channel = ANY ($2))
    AND ($3::text[] IS NULL OR EXISTS (
        SELECT FROM child_orders w WHERE w.order_no = o.order_no AND w.warehouse = ANY ($3))))"""


@dataclass(frozen=True)
class LastScan:
    at: datetime
    text: str
    place: str
    status: str


@dataclass(frozen=True)
class OrderPageContent:
    """`scans` by child. Rows as plain mappings, keys as the columns are named in this file; money in minor units."""

    detail: OrderDetail
    timeline: tuple[TimelineEntry, ...]
    tickets: tuple[TicketRow, ...]
    returns: tuple[Mapping[str, Any], ...]
    scans: Mapping[str, LastScan]
    shares: Mapping[str, tuple[Mapping[str, int], ...]]


class OrderPageStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def is_seen(self, order_no: str, scope: PersonScope) -> bool:
        """Whether the order is of a shop and a warehouse that the person sees."""
        async with self._pool.acquire() as connection:
            return await _seen(connection, order_no, scope)

    async def page(self, number: str, scope: PersonScope) -> OrderPageContent | None:
        """Of this order, child or waybill number. None: there is none, or none that the person sees."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            found = await detail.view(connection, number)
            if found is None or not await _seen(connection, found.order.order_no, scope):
                return None
            order_no = found.order.order_no
            tickets = await connection.fetch(TICKETS, None, order_no, None, None, None, MOST_TICKETS)
            shares: dict[str, list[Mapping[str, int]]] = {}
            for row in await connection.fetch(SHARES, order_no):
                shares.setdefault(row["line_id"], []).append(dict(row))
            return OrderPageContent(
                detail=found,
                timeline=await detail.timeline(connection, order_no, MOST_EVENTS),
                tickets=tuple(read_ticket(row) for row in tickets),
                returns=tuple(dict(row) for row in await connection.fetch(RETURNS, order_no)),
                scans={
                    row["child_no"]: LastScan(row["at"], row["text"], row["place"], row["status"])
                    for row in await connection.fetch(SCANS, order_no)
                },
                shares={line: tuple(runs) for line, runs in shares.items()},
            )


async def _seen(connection: Connection, order_no: str, scope: PersonScope) -> bool:
    named = [None if names is None else sorted(names) for names in (scope.channels, scope.warehouses)]
    return bool(await connection.fetchval(IN_SCOPE, order_no, *named))
