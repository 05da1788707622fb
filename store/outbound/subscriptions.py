"""Subscriptions as people look after them: who hears what, how it goes, and sending again (R05, R74)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.outbound.published import EventType, SubscriberRole
from domain.records import AuditEntry, TicketRecord, TicketResolution
from store.audit.audit import append_entry
from store.errors import StoreError
from store.pool import Connection, Pool, Row, clean
from store.tickets.tickets import open_ticket, resolve_ticket

# A subscription; the name of a removed one stays taken, since its deliveries still carry it.
ADD = """
INSERT INTO subscriptions (subscription_id, role, url, secret_ref, types, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING RETURNING subscription_id"""

# With what waits and what was given up.
LIST = """
SELECT s.*, (SELECT count(*) FROM deliveries d WHERE d.subscription_id = s.subscription_id AND d.state = 'pending')
    AS waiting, (SELECT count(*) FROM deliveries d WHERE d.subscription_id = s.subscription_id AND d.state = 'failed')
    AS failed
FROM subscriptions s
WHERE CASE WHEN $1::text IS NULL THEN s.state <> 'removed' ELSE s.subscription_id = $1 END ORDER BY s.subscription_id"""

ENABLE = """
UPDATE subscriptions s SET state = 'enabled', why = '', failing_since = NULL, quiet_until = NULL, changed_at = $2,
    ticket_id = NULL
FROM (SELECT subscription_id, ticket_id FROM subscriptions WHERE subscription_id = $1 FOR NO KEY UPDATE) before
WHERE s.subscription_id = before.subscription_id AND s.state = 'disabled' RETURNING before.ticket_id"""

# What has waited begins a new schedule at once.
AT_ONCE = """
UPDATE deliveries SET next_try_at = least(next_try_at, $2), failures = 0
WHERE subscription_id = $1 AND state = 'pending'"""

DISABLE = """
UPDATE subscriptions SET state = 'disabled', why = $2, changed_at = $3, times_disabled = times_disabled + 1
WHERE subscription_id = $1 AND state = 'enabled' RETURNING times_disabled"""

TICKET = "UPDATE subscriptions SET ticket_id = $2 WHERE subscription_id = $1"

REMOVE = """
UPDATE subscriptions SET state = 'removed', changed_at = $2
WHERE subscription_id = $1 AND state <> 'removed' RETURNING ticket_id"""

DROP = """
UPDATE deliveries SET state = 'dropped', settled_at = $2, leased_until = NULL
WHERE subscription_id = $1 AND state = 'pending'"""

# Newest first.
DELIVERIES = """
SELECT d.id, o.event_id, o.type, o.order_no, o.at, d.state, d.attempts, d.next_try_at, d.settled_at, d.ticket_id,
    a.outcome AS last_outcome, a.status AS last_status
FROM deliveries d JOIN outbox o ON o.id = d.outbox_id
LEFT JOIN delivery_attempts a ON a.delivery_id = d.id AND a.n = d.attempts
WHERE d.subscription_id = $1 AND ($2::text IS NULL OR d.state = $2) AND ($3::text IS NULL OR o.event_id = $3)
    AND ($4::text IS NULL OR o.order_no = $4) ORDER BY d.id DESC LIMIT $5"""

ATTEMPTS = """
SELECT o.event_id, a.n, a.started_at, a.ended_at, a.outcome, a.status, a.note FROM delivery_attempts a
JOIN deliveries d ON d.id = a.delivery_id JOIN outbox o ON o.id = d.outbox_id
WHERE a.delivery_id = ANY($1::bigint[]) ORDER BY a.delivery_id DESC, a.n"""

# From the start of the schedule. An attempt under way keeps its lease, so that nothing is sent twice at once.
AGAIN = """
UPDATE deliveries d SET state = 'pending', settled_at = NULL, failures = 0, next_try_at = $2
FROM outbox o WHERE o.id = d.outbox_id AND d.subscription_id = $1
    AND CASE WHEN $3::text IS NULL THEN d.state = 'failed' AND d.settled_at >= $4 ELSE o.event_id = $3 END
RETURNING d.id"""


class NoSuchSubscription(StoreError):
    """No subscription of this name is in a state that allows it."""


class SubscriptionTaken(StoreError):
    """The name is in use, or was."""


class NoSuchDelivery(StoreError):
    """The subscription has no such event."""


@dataclass(frozen=True)
class Subscription:
    """`state`: enabled, disabled (collects, sends nothing) or removed. `waiting`, `failed`: deliveries."""

    subscription_id: str
    role: SubscriberRole
    url: str
    secret_ref: str
    types: tuple[EventType, ...]
    state: str
    why: str
    failing_since: datetime | None
    quiet_until: datetime | None
    ticket_id: str | None
    created_at: datetime
    changed_at: datetime
    waiting: int
    failed: int


@dataclass(frozen=True)
class DeliveryAttempt:
    """Without an end: under way, or its relay died. `status`: of the answer, in HTTP."""

    n: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    status: int | None
    note: str


@dataclass(frozen=True)
class Delivery:
    """`state`: pending, acknowledged, failed (all tries used up) or dropped (with its subscription)."""

    event_id: str
    type: str
    order_no: str | None
    at: datetime
    state: str
    attempts: int
    next_try_at: datetime
    settled_at: datetime | None
    ticket_id: str | None
    last_outcome: str | None
    last_status: int | None
    tries: tuple[DeliveryAttempt, ...] = field(default=())


class SubscriptionStore:
    """Every change is one transaction with its audit row. `by`: who does it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(
        self,
        name: str,
        role: SubscriberRole,
        url: str,
        secret_ref: str,
        types: Sequence[EventType],
        by: str,
        at: datetime,
    ) -> None:
        """It hears what happens from now on. Raises `SubscriptionTaken`."""
        async with self._pool.acquire() as connection, connection.transaction():
            args = (name, role, clean(url), secret_ref, sorted(set(types)), at)
            if await connection.fetchval(ADD, *args) is None:
                raise SubscriptionTaken(f"subscription {name} cannot be added: the name is or was in use; take another")
            detail = {"id": name, "role": role.value, "types": sorted(set(types)), "secret": secret_ref}
            await append_entry(connection, AuditEntry(actor=by, action="subscription.add", detail=detail), at)

    async def list(self) -> tuple[Subscription, ...]:
        """All that are not removed, by name."""
        return tuple(_subscription(row) for row in await self._pool.fetch(LIST, None))

    async def get(self, name: str) -> Subscription | None:
        """Removed ones too."""
        row = await self._pool.fetchrow(LIST, name)
        return None if row is None else _subscription(row)

    async def enable(self, name: str, by: str, at: datetime) -> None:
        """What has waited is sent at once, and the ticket of its disabling is closed. Raises `NoSuchSubscription`."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(ENABLE, name, at)
            if row is None:
                raise NoSuchSubscription(f"subscription {name} cannot be enabled: there is none of it disabled")
            await connection.execute(AT_ONCE, name, at)
            if row["ticket_id"]:
                await _close(connection, row["ticket_id"], "the subscription was enabled again", by, at)
            await append_entry(connection, AuditEntry(actor=by, action="subscription.enable", detail={"id": name}), at)

    async def disable(self, name: str, why: str, by: str, at: datetime, ticket: TicketRecord | None = None) -> str:
        """It goes on collecting. Returns the ticket's number, made different for each time; '' without a ticket.

        Raises `NoSuchSubscription` unless it is enabled.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            times = await connection.fetchval(DISABLE, name, clean(why), at)
            if times is None:
                raise NoSuchSubscription(f"subscription {name} cannot be disabled: there is none of it enabled")
            detail = {"id": name, "why": why}
            await append_entry(connection, AuditEntry(actor=by, action="subscription.disable", detail=detail), at)
            if ticket is None:
                return ""
            numbered = ticket.model_copy(update={"ticket_id": f"{ticket.ticket_id}-{times}"})
            await open_ticket(connection, numbered, None, at, outside=True)
            await connection.execute(TICKET, name, numbered.ticket_id)
            return numbered.ticket_id

    async def remove(self, name: str, by: str, at: datetime) -> None:
        """What has waited is dropped. Raises `NoSuchSubscription`."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(REMOVE, name, at)
            if row is None:
                raise NoSuchSubscription(f"subscription {name} cannot be removed: there is none")
            await connection.execute(DROP, name, at)
            if row["ticket_id"]:
                await _close(connection, row["ticket_id"], "the subscription was removed", by, at)
            await append_entry(connection, AuditEntry(actor=by, action="subscription.remove", detail={"id": name}), at)

    async def deliveries(
        self,
        name: str,
        *,
        state: str | None = None,
        event_id: str | None = None,
        order_no: str | None = None,
        limit: int = 50,
    ) -> tuple[Delivery, ...]:
        """Newest first, with their attempts."""
        rows = await self._pool.fetch(DELIVERIES, name, state, event_id, order_no, limit)
        tries: dict[str, list[DeliveryAttempt]] = {}
        for row in await self._pool.fetch(ATTEMPTS, [row["id"] for row in rows]):
            fields = dict(row)
            tries.setdefault(fields.pop("event_id"), []).append(DeliveryAttempt(**fields))
        return tuple(_delivery(row, tries.get(row["event_id"], [])) for row in rows)

    async def redeliver(
        self, name: str, by: str, at: datetime, *, event_id: str | None = None, failed_since: datetime | None = None
    ) -> int:
        """One event, or all that were given up since. Returns how many. Raises `NoSuchDelivery` for an unknown event,
        `NoSuchSubscription`."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(LIST, name)
            if row is None or row["state"] == "removed":
                raise NoSuchSubscription(f"nothing was sent again: there is no subscription {name}")
            again = await connection.fetch(AGAIN, name, at, event_id, failed_since or at)
            if event_id is not None and not again:
                raise NoSuchDelivery(f"subscription {name} has no event {event_id}; see `oms subscription deliveries`")
            detail = {"id": name, "event": event_id, "deliveries": len(again)}
            await append_entry(connection, AuditEntry(actor=by, action="subscription.redeliver", detail=detail), at)
            return len(again)


async def _close(connection: Connection, ticket_id: str, remark: str, by: str, at: datetime) -> None:
    told = TicketResolution(ticket_id=ticket_id, action="evidence", remark=remark, resolved_by=by)
    await resolve_ticket(connection, told, at, outside=True)


def _subscription(row: Row) -> Subscription:
    fields = {**row, "role": SubscriberRole(row["role"]), "types": tuple(EventType(t) for t in row["types"])}
    del fields["times_disabled"]
    return Subscription(**fields)


def _delivery(row: Row, tries: Sequence[DeliveryAttempt]) -> Delivery:
    fields = {**row, "tries": tuple(tries)}
    del fields["id"]
    return Delivery(**fields)
