"""Until when orders were promised to leave, which of them will be late, and why (R82)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.policy import Policy
from domain.records import TicketRecord, TicketResolution
from store.pool import Connection, Pool, Row
from store.tickets.tickets import open_ticket, resolve_ticket

SYSTEM, STEP = "dispatch", "dispatch due"
AT_ONCE = 200

# What came with the order, else the policy's time for its channel, else that for all, counted from payment. It never
# moves afterwards.
PROMISE = """
UPDATE orders SET dispatch_by = coalesce((start ->> 'dispatch_by')::timestamptz,
    coalesce(paid_at, $2) + make_interval(secs => coalesce(($4::jsonb ->> channel)::float8, $3)))
WHERE order_no = $1 AND dispatch_by IS NULL"""

# Promised for soon, or late already; nobody was told yet. The most urgent first.
TO_TELL = """
SELECT d.order_no, d.dispatch_by, d.waits_for, d.waiting FROM dispatch_times d JOIN orders o USING (order_no)
WHERE o.status IN ('AWAITING_SHIPMENT', 'PARTIALLY_SHIPPED') AND o.dispatch_by < $1 AND d.waiting > 0
    AND NOT EXISTS (SELECT FROM tickets t WHERE t.ticket_id = 'T-due-' || o.order_no)
ORDER BY o.dispatch_by LIMIT $2"""

# All of it has left meanwhile, or will not.
NO_MORE = """
SELECT t.ticket_id FROM tickets t JOIN orders o USING (order_no) LEFT JOIN dispatch_times d USING (order_no)
WHERE t.state = 'open' AND t.system = 'dispatch' AND (coalesce(d.waiting, 0) = 0
    OR o.status NOT IN ('AWAITING_SHIPMENT', 'PARTIALLY_SHIPPED')) LIMIT $1"""

# Of orders that were promised for that time: those that left in time, and those that did not or are late by now.
SHARE = """
SELECT count(*) FILTER (WHERE on_time) AS on_time, count(*) FILTER (WHERE NOT on_time) AS late,
    count(*) FILTER (WHERE on_time IS NULL) AS undecided
FROM dispatch_times WHERE dispatch_by >= $1 AND dispatch_by < $2"""


@dataclass(frozen=True)
class DispatchShare:
    """On-time share = on_time / (on_time + late). `undecided`: may still leave in time, and counts in neither."""

    on_time: int
    late: int
    undecided: int


async def promise(connection: Connection, order_no: str, paid: datetime, policy: Policy) -> None:
    """Inside the transaction that settles the order. Told again it changes nothing."""
    await connection.execute(PROMISE, order_no, paid, float(policy.dispatch_s), policy.dispatch_by_channel)


class DispatchStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def warn(self, now: datetime, ahead: timedelta) -> tuple[int, int]:
        """A ticket for each order that is due within `ahead` and has not left, and none any more for those that have.
        Returns how many were opened and closed."""
        async with self._pool.acquire() as connection:
            opened = 0
            for row in await connection.fetch(TO_TELL, now + ahead, AT_ONCE):
                opened += await open_ticket(connection, _ticket(row), row["order_no"], now, outside=True)
            gone = [row["ticket_id"] for row in await connection.fetch(NO_MORE, AT_ONCE)]
            closed = [await resolve_ticket(connection, _left(number), now, outside=True) for number in gone]
            return opened, sum(closed)

    async def share(self, since: datetime, before: datetime) -> DispatchShare:
        row = await self._pool.fetchrow(SHARE, since, before)
        assert row is not None
        return DispatchShare(**dict(row))

    async def why_waiting(self, order_nos: Sequence[str]) -> dict[str, str]:
        """By order: `hold`, `stock`, `ticket` or `warehouse`. Orders of which nothing waits are left out."""
        rows = await self._pool.fetch(
            "SELECT order_no, waits_for FROM dispatch_times WHERE order_no = ANY ($1::text[]) AND waiting > 0",
            list(order_nos),
        )
        return {row["order_no"]: row["waits_for"] for row in rows}


def _ticket(row: Row) -> TicketRecord:
    return TicketRecord(
        ticket_id=f"T-due-{row['order_no']}",
        system=SYSTEM,
        step=STEP,
        error=f"promised until {row['dispatch_by']:%Y-%m-%d %H:%M} UTC; {row['waiting']} to leave, kept by: "
        f"{row['waits_for']}",
        actions=("give_up",),
        give_up_means="somebody has seen to it; it closes by itself when all has left",
    )


def _left(ticket_id: str) -> TicketResolution:
    return TicketResolution(
        ticket_id=ticket_id, action="evidence", remark="all of it has left, or will not", resolved_by="system"
    )
