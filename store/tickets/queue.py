"""Tickets as a queue of work: who looks after which, and what was done with one until its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.records import AuditEntry
from domain.tickets import Severity
from store.audit.audit import append_entry
from store.errors import NoSuchTicket, StoreError
from store.pool import Connection, Pool
from store.tickets.tickets import COLUMNS, TicketRow, read_ticket

_WANTED = """
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR order_no = $2) AND ($3::text IS NULL OR severity = $3)
    AND ($4::text IS NULL OR system = $4) AND ($5::text IS NULL OR owner = $5) AND NOT ($6 AND owner IS NOT NULL)
    AND ($7::timestamptz IS NULL OR opened_at <= $7)"""
_LOUDEST = "array_position(ARRAY['urgent', 'normal', 'info'], severity)"


class Sort(StrEnum):
    SEVERITY = "severity"
    AGE = "age"
    SYSTEM = "system"
    NEWEST = "newest"


_ORDERS = {
    Sort.SEVERITY: f"{_LOUDEST}, opened_at, ticket_id",
    Sort.AGE: "opened_at, ticket_id",
    Sort.SYSTEM: f"system, {_LOUDEST}, opened_at, ticket_id",
    Sort.NEWEST: "opened_at DESC, ticket_id DESC",
}

# The queue, narrowed down by what is given.
LISTS = {
    sort: f"SELECT {COLUMNS} FROM tickets {_WANTED} ORDER BY {order} LIMIT $8"  # noqa: S608 - our own words
    for sort, order in _ORDERS.items()
}

LOCK = "SELECT owner FROM tickets WHERE ticket_id = $1 AND state = 'open' FOR NO KEY UPDATE"

OWN = """
UPDATE tickets SET owner = $2, owned_at = CASE WHEN $2::text IS NOT NULL THEN $3::timestamptz END
WHERE ticket_id = $1"""

NOTE = "INSERT INTO ticket_history (ticket_id, at, actor, action, detail) VALUES ($1, $2, $3, $4, $5)"

HISTORY = "SELECT at, actor, action, detail FROM ticket_history WHERE ticket_id = $1 ORDER BY id"

# Who was told of it, and how that went.
TOLD = """
SELECT n.event, n.level, n.at, n.state, count(s.id) FILTER (WHERE s.state = 'sent') AS sent,
    count(s.id) FILTER (WHERE s.state = 'failed') AS failed, count(s.id) FILTER (WHERE s.state = 'pending') AS pending
FROM ticket_notices n LEFT JOIN ticket_notice_sends s ON s.notice_id = n.id
WHERE n.ticket_id = $1 GROUP BY n.id ORDER BY n.id"""


class Owned(StoreError):
    """Somebody else looks after the ticket."""


@dataclass(frozen=True)
class Wanted:
    """`opened_before`: only tickets at least that old. `unowned`: only those that nobody looks after."""

    state: str | None = "open"
    order_no: str | None = None
    severity: Severity | None = None
    system: str | None = None
    owner: str | None = None
    unowned: bool = False
    opened_before: datetime | None = None


@dataclass(frozen=True)
class TicketMove:
    """One thing done with a ticket. `action`: take, assign, release, escalate."""

    at: datetime
    actor: str
    action: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class NoticeDelivery:
    """One notice: to how many channels it went, at how many it failed, how many are still being tried."""

    event: str
    level: int
    at: datetime
    state: str
    sent: int
    failed: int
    pending: int


class TicketQueue:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self, wanted: Wanted, sort: Sort = Sort.SEVERITY, limit: int = 100) -> tuple[TicketRow, ...]:
        """By severity: the loudest first, of these the oldest."""
        w = wanted
        if sort is Sort.SEVERITY and w.severity is not None:
            sort = Sort.AGE  # of one loudness the oldest is first: so there is an index
        args = (w.state, w.order_no, w.severity, w.system, w.owner, w.unowned, w.opened_before, limit)
        return tuple(read_ticket(row) for row in await self._pool.fetch(LISTS[sort], *args))

    async def history(self, ticket_id: str) -> tuple[TicketMove, ...]:
        return tuple(TicketMove(**row) for row in await self._pool.fetch(HISTORY, ticket_id))

    async def notices(self, ticket_id: str) -> tuple[NoticeDelivery, ...]:
        return tuple(NoticeDelivery(**row) for row in await self._pool.fetch(TOLD, ticket_id))

    async def take(self, ticket_id: str, by: str, at: datetime) -> None:
        """Raises `NoSuchTicket` unless it is open, `Owned` when somebody else has it."""
        async with self._pool.acquire() as connection, connection.transaction():
            owner = await _lock(connection, ticket_id)
            if owner == by:
                return
            if owner is not None:
                raise Owned(
                    f"ticket {ticket_id} cannot be taken: {owner} looks after it; "
                    f"`oms ticket assign {ticket_id} {by}` gives it to you all the same"
                )
            await _give(connection, ticket_id, by, at, "take", by, {})

    async def assign(self, ticket_id: str, owner: str, by: str, at: datetime) -> None:
        """Whoever has it now. Raises `NoSuchTicket` unless it is open."""
        async with self._pool.acquire() as connection, connection.transaction():
            before = await _lock(connection, ticket_id)
            if before != owner:
                await _give(connection, ticket_id, owner, at, "assign", by, {"to": owner, "from": before})

    async def release(self, ticket_id: str, by: str, at: datetime) -> None:
        """Back into the queue. Raises `NoSuchTicket` unless it is open and somebody has it."""
        async with self._pool.acquire() as connection, connection.transaction():
            before = await _lock(connection, ticket_id)
            if before is None:
                raise NoSuchTicket(f"ticket {ticket_id} cannot be released: nobody has taken it")
            await _give(connection, ticket_id, None, at, "release", by, {"from": before})


async def hand_over(connection: Connection, ticket_id: str, owner: str, by: str, at: datetime) -> bool:
    """Inside a transaction, whoever has it now. False: it is not open."""
    try:
        before = await _lock(connection, ticket_id)
    except NoSuchTicket:
        return False
    if before != owner:
        await _give(connection, ticket_id, owner, at, "assign", by, {"to": owner, "from": before})
    return True


async def note_move(
    connection: Connection, ticket_id: str, at: datetime, actor: str, action: str, detail: dict[str, Any]
) -> None:
    """Into the ticket's own history and the audit chain."""
    await connection.execute(NOTE, ticket_id, at, actor, action, detail)
    entry = AuditEntry(actor=actor, action=f"ticket.{action}", detail={"ticket_id": ticket_id, **detail})
    await append_entry(connection, entry, at)


async def _lock(connection: Connection, ticket_id: str) -> str | None:
    row = await connection.fetchrow(LOCK, ticket_id)
    if row is None:
        raise NoSuchTicket(f"ticket {ticket_id} cannot change hands: it is not open")
    owner: str | None = row["owner"]
    return owner


async def _give(
    connection: Connection,
    ticket_id: str,
    owner: str | None,
    at: datetime,
    action: str,
    by: str,
    detail: dict[str, Any],
) -> None:
    await connection.execute(OWN, ticket_id, owner, at)
    await note_move(connection, ticket_id, at, by, action, detail)
