"""Deliveries on their way: claimed by one sender at a time, and what became of every attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.outbound.published import EventType, SubscriberRole
from domain.records import TicketRecord, TicketResolution
from store.pool import Connection, Pool, Row, clean
from store.tickets.tickets import open_ticket, resolve_ticket

# Due deliveries, as many as each subscription has room for; those that another relay holds are passed over. Claiming
# is the attempt: its number is what later proves who may write its end.
CLAIM = """
WITH open AS (
    SELECT s.subscription_id, s.url, s.secret_ref, s.role, $3 - coalesce(b.n, 0) AS room
    FROM subscriptions s LEFT JOIN unnest($4::text[], $5::int[]) AS b (subscription_id, n) USING (subscription_id)
    WHERE s.state = 'enabled' AND (s.quiet_until IS NULL OR s.quiet_until <= $1)
), due AS MATERIALIZED (
    SELECT d.id FROM open CROSS JOIN LATERAL (
        SELECT id FROM deliveries
        WHERE subscription_id = open.subscription_id AND state = 'pending' AND next_try_at <= $1
            AND (leased_until IS NULL OR leased_until <= $1)
        ORDER BY next_try_at, id LIMIT greatest(open.room, 0) FOR NO KEY UPDATE SKIP LOCKED) d
), claimed AS (
    UPDATE deliveries d SET leased_until = $2, attempts = attempts + 1 FROM due WHERE d.id = due.id
    RETURNING d.id, d.outbox_id, d.subscription_id, d.attempts, d.failures, d.needs_ack, d.leased_until
), noted AS (
    INSERT INTO delivery_attempts (delivery_id, n, started_at) SELECT id, attempts, $1 FROM claimed
)
SELECT c.id, c.attempts, c.failures, c.needs_ack, c.leased_until, c.subscription_id, s.url, s.secret_ref, s.role,
    o.event_id, o.type, o.order_no, o.at, o.body
FROM claimed c JOIN outbox o ON o.id = c.outbox_id JOIN open s USING (subscription_id) ORDER BY c.id"""

# How attempts ended. Told once.
NOTE = """
UPDATE delivery_attempts a SET ended_at = u.ended_at, outcome = u.outcome, status = u.status, note = u.note
FROM unnest($1::bigint[], $2::int[], $3::timestamptz[], $4::text[], $5::int[], $6::text[])
    AS u (id, n, ended_at, outcome, status, note)
WHERE a.delivery_id = u.id AND a.n = u.n AND a.ended_at IS NULL"""

# What follows for their deliveries; an attempt whose delivery was claimed again since has no say, except that an
# acknowledgement is one whoever heard it.
SETTLE = """
WITH held AS MATERIALIZED (SELECT id FROM deliveries WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE)
UPDATE deliveries d SET leased_until = NULL, state = u.state, failures = failures + (u.state <> 'acknowledged')::int,
    next_try_at = coalesce(u.next_try_at, d.next_try_at),
    settled_at = CASE WHEN u.state <> 'pending' THEN u.ended_at END
FROM held, unnest($1::bigint[], $2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[])
    AS u (id, n, state, next_try_at, ended_at)
WHERE held.id = d.id AND d.id = u.id AND d.state = 'pending' AND (d.attempts = u.n OR u.state = 'acknowledged')
RETURNING d.id, d.state, d.ticket_id"""

# The subscription's run of failures, and how long it wants to be left alone.
WORKED = """
UPDATE subscriptions SET failing_since = NULL WHERE subscription_id = ANY($1::text[]) AND failing_since IS NOT NULL"""
FAILED = """
UPDATE subscriptions s
SET failing_since = least(s.failing_since, u.since), quiet_until = greatest(s.quiet_until, u.quiet)
FROM (SELECT id, min(since) AS since, max(quiet) AS quiet
    FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS u (id, since, quiet) GROUP BY id) u
WHERE s.subscription_id = u.id RETURNING s.subscription_id, s.failing_since"""

# Acknowledgements that are overdue, whatever holds them up: failures, a queue, a disabled subscription.
UNACKNOWLEDGED = """
SELECT d.id, d.subscription_id, d.attempts, o.order_no, o.event_id, s.state FROM deliveries d
JOIN outbox o ON o.id = d.outbox_id JOIN subscriptions s USING (subscription_id)
WHERE d.state = 'pending' AND d.needs_ack AND d.ticket_id IS NULL AND (o.at < $1 OR d.failures >= $2)
ORDER BY d.id LIMIT 100"""

ASKED = """
UPDATE deliveries SET ticket_id = $2 WHERE id = $1 AND state <> 'acknowledged' AND ticket_id IS NULL RETURNING id"""

# The oldest events, when they are old enough; with their deliveries and attempts.
FORGET = """
DELETE FROM outbox WHERE id IN (
    SELECT id FROM (SELECT id, at FROM outbox ORDER BY id LIMIT 1000) oldest WHERE at < $1) RETURNING id"""

WAITING = """
SELECT s.subscription_id, count(d.id) AS n FROM subscriptions s
LEFT JOIN deliveries d ON d.subscription_id = s.subscription_id AND d.state = 'pending'
WHERE s.state <> 'removed' GROUP BY s.subscription_id"""

ACKNOWLEDGED, PENDING, EXHAUSTED = "acknowledged", "pending", "failed"


@dataclass(frozen=True)
class Due:
    """A claimed delivery. `attempt`: this one's number, `failures`: failed ones of the present schedule before it."""

    id: int
    attempt: int
    failures: int
    needs_ack: bool
    leased_until: datetime
    subscription_id: str
    url: str = field(repr=False)
    secret_ref: str
    role: SubscriberRole
    event_id: str
    type: EventType
    order_no: str | None
    at: datetime
    body: str = field(repr=False)


@dataclass(frozen=True)
class End:
    """How one attempt ended. `state`: acknowledged; pending, to be tried again at `next_try_at`; failed for good.

    `quiet_until`: the receiver asks to be left alone altogether.
    """

    due: Due
    ended_at: datetime
    state: str
    outcome: str
    status: int | None = None
    note: str = ""
    next_try_at: datetime | None = None
    quiet_until: datetime | None = None


@dataclass(frozen=True)
class Unacknowledged:
    id: int
    subscription_id: str
    attempts: int
    order_no: str | None
    event_id: str
    state: str


class DeliveryStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, now: datetime, lease_s: float, most: int, in_hand: Mapping[str, int]) -> list[Due]:
        """`most`: for each subscription, those that this sender has `in_hand` included."""
        busy = (list(in_hand), list(in_hand.values()))
        rows = await self._pool.fetch(CLAIM, now, now + timedelta(seconds=lease_s), most, *busy)
        return [_due(row) for row in rows]

    async def settle(self, ends: Sequence[End]) -> list[datetime | None]:
        """All in one transaction. For each end: since when its subscription has been failing, None if it has not."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(NOTE, *_columns(ends))
            for row in await connection.fetch(SETTLE, *_settled(ends)):
                if row["state"] == ACKNOWLEDGED and row["ticket_id"]:
                    await _answer(connection, row["ticket_id"], max(e.ended_at for e in ends))
            return await _keep_run(connection, ends)

    async def unacknowledged(self, before: datetime, failures: int) -> list[Unacknowledged]:
        """Without acknowledgement and ticket: told before that time, or with so many failures."""
        return [Unacknowledged(**row) for row in await self._pool.fetch(UNACKNOWLEDGED, before, failures)]

    async def ask(self, delivery_id: int, ticket: TicketRecord, order_no: str | None, at: datetime) -> bool:
        """A ticket for a missing acknowledgement; closed by the acknowledgement. False: it has one, or has come."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(ASKED, delivery_id, ticket.ticket_id) is None:
                return False
            return await open_ticket(connection, ticket, order_no, at, outside=True)

    async def forget(self, before: datetime) -> int:
        """Events older than that, at most 1000 at once. Returns how many."""
        return len(await self._pool.fetch(FORGET, before))

    async def waiting(self) -> dict[str, int]:
        """Pending deliveries by subscription."""
        return {row["subscription_id"]: row["n"] for row in await self._pool.fetch(WAITING)}


def _due(row: Row) -> Due:
    fields = {**row, "attempt": row["attempts"], "role": SubscriberRole(row["role"]), "type": EventType(row["type"])}
    del fields["attempts"]
    return Due(**fields)


def _columns(ends: Sequence[End]) -> tuple[list[object], ...]:
    return (
        [e.due.id for e in ends],
        [e.due.attempt for e in ends],
        [e.ended_at for e in ends],
        [e.outcome for e in ends],
        [e.status for e in ends],
        [clean(e.note) for e in ends],
    )


def _settled(ends: Sequence[End]) -> tuple[list[object], ...]:
    return (
        [e.due.id for e in ends],
        [e.due.attempt for e in ends],
        [e.state for e in ends],
        [e.next_try_at for e in ends],
        [e.ended_at for e in ends],
    )


async def _keep_run(connection: Connection, ends: Sequence[End]) -> list[datetime | None]:
    failed = [e for e in ends if e.state != ACKNOWLEDGED]
    worked = {e.due.subscription_id for e in ends if e.state == ACKNOWLEDGED}
    if worked:
        await connection.execute(WORKED, sorted(worked))
    if not failed:
        return [None] * len(ends)
    columns = ([e.due.subscription_id for e in failed], [e.ended_at for e in failed], [e.quiet_until for e in failed])
    since = {row["subscription_id"]: row["failing_since"] for row in await connection.fetch(FAILED, *columns)}
    return [since.get(e.due.subscription_id) for e in ends]


async def _answer(connection: Connection, ticket_id: str, at: datetime) -> None:
    told = TicketResolution(
        ticket_id=ticket_id, action="evidence", remark="the receiver has acknowledged it", resolved_by="relay"
    )
    await resolve_ticket(connection, told, at, outside=True)
