"""Who is to be asked about next, and how the asking goes: the cursor of every connector lies in these rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from domain.records import TicketRecord, TicketResolution
from store.pool import Connection, Pool, Row, clean
from store.tickets.tickets import open_ticket, resolve_ticket

Kind = Literal["payment", "refund", "outbound", "parcel"]

# Payments and refunds that a channel can still change. A closed order, and a refund that a person has in hand, are
# asked about twenty times less often: money that comes late may come back late.
MONEY = """
SELECT s.kind, s.number, s.order_no, NULL AS child_no, NULL AS warehouse, NULL AS carrier, NULL AS phone, p.pulled_at
FROM (
    SELECT 'payment' AS kind, o.order_no AS number, o.order_no, o.registered_at AS since,
        CASE o.status WHEN 'CLOSED' THEN 20 ELSE 1 END AS patience
    FROM orders o WHERE o.ended_at IS NULL AND o.status IN ('PENDING_PAYMENT', 'CLOSED') AND o.payable_minor > 0
        AND o.paid_minor = 0 AND coalesce(o.start #>> '{payment,channel}', 'wechat') = $1
    UNION ALL
    SELECT 'refund', r.refund_no, r.order_no, r.updated_at, CASE r.status WHEN 'ACCEPTED' THEN 1 ELSE 20 END
    FROM refunds r JOIN orders o USING (order_no)
    WHERE r.status IN ('ACCEPTED', 'ABNORMAL') AND (o.ended_at IS NULL OR EXISTS (
            SELECT FROM return_cases k WHERE k.return_no = r.return_no AND k.ended_at IS NULL))
        AND coalesce(o.start #>> '{payment,channel}', 'wechat') = $1) s
LEFT JOIN pulls p ON p.connector = $1 AND p.kind = s.kind AND p.number = s.number
WHERE p.pulled_at IS NULL OR p.pulled_at <= $2::timestamptz - s.patience * $3::interval
ORDER BY coalesce(p.pulled_at, s.since), s.number LIMIT $4"""

# Children at the warehouse without news; and, less often, those of which a courier has told that they left, but not
# the warehouse itself: only it knows what is in them.
OUTBOUNDS = """
SELECT 'outbound' AS kind, s.child_no AS number, s.order_no, s.child_no, s.warehouse, s.carrier, NULL AS phone,
    p.pulled_at
FROM (
    SELECT c.*, CASE WHEN c.status IN ('RELEASED', 'PICKING', 'PACKED', 'INTERCEPTING') THEN 1 ELSE 20 END AS patience
    FROM child_orders c JOIN orders o USING (order_no)
    WHERE o.ended_at IS NULL AND c.updated_at <= $2::timestamptz - $3::interval
        AND (c.status IN ('RELEASED', 'PICKING', 'PACKED', 'INTERCEPTING')
            OR c.status IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION') AND NOT EXISTS (
                SELECT FROM order_events e
                WHERE e.order_no = c.order_no AND e.key = $1 || ':' || c.child_no || ':WAYBILL_RETURNED'))) s
LEFT JOIN pulls p ON p.connector = $1 AND p.kind = 'outbound' AND p.number = s.child_no
WHERE p.pulled_at IS NULL OR p.pulled_at <= $2::timestamptz - s.patience * $3::interval
ORDER BY coalesce(p.pulled_at, s.updated_at), s.child_no LIMIT $4"""

# Parcels on the road without news, of some carriers or of all.
PARCELS = """
SELECT 'parcel' AS kind, n.number, c.order_no, c.child_no, c.warehouse, n.carrier,
    coalesce(c.address ->> 'phone', o.start #>> '{address,phone}') AS phone, p.pulled_at
FROM child_orders c JOIN orders o USING (order_no) CROSS JOIN LATERAL (
    SELECT c.waybill_no AS number, c.carrier UNION
    SELECT k.waybill_no, k.carrier FROM parcels k WHERE k.child_no = c.child_no AND k.carried) n
LEFT JOIN pulls p ON p.connector = $1 AND p.kind = 'parcel' AND p.number = n.number
WHERE o.ended_at IS NULL AND c.status IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION')
    AND n.number <> '' AND n.carrier <> '' AND c.updated_at <= $2::timestamptz - $3::interval
    AND ($5::text[] IS NULL OR n.carrier = ANY($5)) AND ($6::text[] IS NULL OR n.carrier <> ALL($6))
    AND (p.pulled_at IS NULL OR p.pulled_at <= $2::timestamptz - $3::interval)
ORDER BY coalesce(p.pulled_at, c.updated_at), n.number LIMIT $4"""

# They are being asked about now.
MARK = """
INSERT INTO pulls (connector, kind, number, pulled_at) SELECT $1, u.kind, u.number, $4
FROM unnest($2::text[], $3::text[]) AS u (kind, number)
ON CONFLICT (connector, kind, number) DO UPDATE SET pulled_at = excluded.pulled_at"""

# They were not asked about after all: each gets its place back.
UNMARK = """
MERGE INTO pulls p USING unnest($2::text[], $3::text[], $4::timestamptz[]) AS u (kind, number, was)
ON p.connector = $1 AND p.kind = u.kind AND p.number = u.number
WHEN MATCHED AND u.was IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET pulled_at = u.was"""

# A person asks out of turn; the provider's limit holds for people too.
ASK_NOW = """
INSERT INTO pulls AS p (connector, kind, number, pulled_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (connector, kind, number) DO UPDATE SET pulled_at = excluded.pulled_at
    WHERE p.pulled_at <= excluded.pulled_at - $5::interval RETURNING number"""

# Nobody asks about these any more.
PRUNE = "DELETE FROM pulls WHERE pulled_at < $1"

LAST = "SELECT pulled_at FROM pulls WHERE connector = $1 AND kind = $2 AND number = $3"

# One tick more. `outages` counts up in the tick in which a person is to be told.
NOTE = """
INSERT INTO pull_connectors AS c (connector, ticked_at, answered_at, failed_ticks, outages, error, asked, found)
VALUES ($1, $2::timestamptz, CASE WHEN $3::boolean THEN NULL ELSE $2::timestamptz END, $3::integer,
    ($3 AND $7::integer = 1)::integer, $4, $5, $6)
ON CONFLICT (connector) DO UPDATE SET ticked_at = $2, error = $4, asked = c.asked + $5, found = c.found + $6,
    answered_at = CASE WHEN $3 THEN c.answered_at ELSE $2 END,
    failed_ticks = CASE WHEN $3 THEN c.failed_ticks + 1 ELSE 0 END,
    outages = c.outages + ($3 AND c.failed_ticks + 1 = $7)::integer
RETURNING failed_ticks, outages"""


@dataclass(frozen=True)
class Subject:
    """One thing to ask about. `number`: order, refund, child or waybill number. `pulled_at`: when it was asked last."""

    kind: Kind
    number: str
    order_no: str
    child_no: str | None = None
    warehouse: str | None = None
    carrier: str | None = None
    phone: str | None = field(default=None, repr=False)
    pulled_at: datetime | None = None


@dataclass(frozen=True)
class Scope:
    """What one connector may be asked about. `carriers`: only these; `without`: all but these (parcels only)."""

    connector: str
    reads: Literal["money", "outbounds", "parcels"]
    carriers: tuple[str, ...] | None = None
    without: tuple[str, ...] | None = None

    def takes(self, channel: str, subject: Subject) -> bool:
        """`channel`: through which its order is paid."""
        if subject.kind in ("payment", "refund"):
            return self.reads == "money" and self.connector == channel
        if subject.kind == "outbound":
            return self.reads == "outbounds"
        listed = self.carriers is None or subject.carrier in self.carriers
        return self.reads == "parcels" and listed and subject.carrier not in (self.without or ())


@dataclass(frozen=True)
class Tick:
    """What one round of asking came to. `error`: why nothing was answered; empty when something was."""

    asked: int
    found: int
    error: str = ""


class PullStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, scope: Scope, limit: int, spacing: timedelta, now: datetime) -> tuple[Subject, ...]:
        """The next ones to ask about, longest unasked first, marked as asked at `now`; none asked within `spacing`."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await _next(connection, scope, limit, spacing, now)
            subjects = tuple(Subject(**row) for row in rows)
            await _mark(connection, scope.connector, subjects, now)
        return subjects

    async def give_back(self, connector_name: str, subjects: Sequence[Subject]) -> None:
        """Claimed, but not asked about."""
        if subjects:
            args = ([s.kind for s in subjects], [s.number for s in subjects], [s.pulled_at for s in subjects])
            await self._pool.execute(UNMARK, connector_name, *args)

    async def may_ask(
        self, connector_name: str, kind: Kind, number: str, spacing: timedelta, now: datetime
    ) -> datetime | None:
        """None: go ahead, it is marked. Else when it was asked last, less than `spacing` ago."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(ASK_NOW, connector_name, kind, number, now, spacing) is not None:
                return None
            last: datetime = await connection.fetchval(LAST, connector_name, kind, number)
            return last

    async def prune(self, before: datetime) -> None:
        """Forget about whom nobody has asked since `before`."""
        await self._pool.execute(PRUNE, before)

    async def note(self, connector_name: str, tick: Tick, now: datetime, ticket_after: int) -> int:
        """Returns the failed ticks in a row. After `ticket_after` of them a person is told, once; the ticket closes by
        itself when the provider answers again."""
        async with self._pool.acquire() as connection, connection.transaction():
            args = (connector_name, now, bool(tick.error), clean(tick.error), tick.asked, tick.found, ticket_after)
            row = await connection.fetchrow(NOTE, *args)
            assert row is not None
            ticket_id = f"T-pull-{connector_name}-{row['outages']}"
            if row["failed_ticks"] == ticket_after:
                await open_ticket(connection, _outage(ticket_id, connector_name, tick.error), None, now, outside=True)
            elif not tick.error:
                answered = TicketResolution(
                    ticket_id=ticket_id, action="evidence", remark="it answers again", resolved_by="system"
                )
                await resolve_ticket(connection, answered, now, outside=True)
            failed: int = row["failed_ticks"]
            return failed


async def _next(connection: Connection, scope: Scope, limit: int, spacing: timedelta, now: datetime) -> list[Row]:
    args = (scope.connector, now, spacing, limit)
    if scope.reads == "money":
        return await connection.fetch(MONEY, *args)
    if scope.reads == "outbounds":
        return await connection.fetch(OUTBOUNDS, *args)
    return await connection.fetch(PARCELS, *args, scope.carriers, scope.without)


async def _mark(connection: Connection, connector_name: str, subjects: Sequence[Subject], now: datetime) -> None:
    if subjects:
        await connection.execute(MARK, connector_name, [s.kind for s in subjects], [s.number for s in subjects], now)


def _outage(ticket_id: str, connector_name: str, error: str) -> TicketRecord:
    return TicketRecord(
        ticket_id=ticket_id,
        system=connector_name,
        step="pull",
        error=f"it answers no question about our orders: {error}"[:500],
        severity="urgent",
        actions=("give_up",),
        give_up_means="asking goes on; until it answers, only its own messages bring news",
    )
