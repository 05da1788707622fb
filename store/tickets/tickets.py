"""Questions for people. An order's tickets live and die with its writes; the relay's own are opened and closed here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.records import AuditEntry, OrderWrite, TicketRecord, TicketResolution
from store.audit.audit import append_entry
from store.errors import NoSuchTicket, TicketNotOpenYet
from store.outbox import publish_ticket
from store.pool import Connection, Pool, Row, clean

# A ticket, with a notice to people unless it may wait.
_OPEN = """
WITH opened AS (
    INSERT INTO tickets (ticket_id, order_no, child_no, outside, severity, system, step, error, actions,
        give_up_means, opened_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT {known}
    RETURNING ticket_id, severity, opened_at
), told AS (
    INSERT INTO ticket_notices (ticket_id, event, level, at)
    SELECT ticket_id, 'opened', 0, opened_at FROM opened WHERE severity <> 'info' ON CONFLICT DO NOTHING
)
SELECT ticket_id FROM opened"""

# One that is known does nothing.
OPEN = _OPEN.format(known="DO NOTHING")

# Of a workflow. One that was put back (Temporal's *reset*) gives the numbers of what it had asked since to its next
# questions: what it asks later than what is known under its number takes the place of that. The audit has the answer.
OPEN_ANEW = _OPEN.format(
    known="""(ticket_id) DO UPDATE SET child_no = EXCLUDED.child_no, severity = EXCLUDED.severity,
        system = EXCLUDED.system, step = EXCLUDED.step, error = EXCLUDED.error, actions = EXCLUDED.actions,
        give_up_means = EXCLUDED.give_up_means, opened_at = EXCLUDED.opened_at,
        state = 'open', resolved_at = NULL, resolved_by = NULL, action = NULL, remark = NULL, result = NULL
    WHERE NOT tickets.outside AND EXCLUDED.opened_at > coalesce(tickets.resolved_at, tickets.opened_at)
        AND (tickets.state = 'resolved' OR (tickets.system, tickets.step, tickets.error)
            IS DISTINCT FROM (EXCLUDED.system, EXCLUDED.step, EXCLUDED.error))"""
)

# The after-sales case whose ticket it is.
CASE_OF = """
SELECT return_no FROM return_cases WHERE return_no = substr(regexp_replace($1, '-[0-9]+$', ''), 3)
    AND starts_with($1, 'T-')"""

# A person's answer, or the evidence that made it needless. The first answer stays.
RESOLVE = """
UPDATE tickets SET state = 'resolved', resolved_at = $2, resolved_by = $3, action = $4, remark = $5, result = $6
WHERE ticket_id = $1 AND state = 'open' AND (outside = $7 OR $7 AND coalesce(
    (SELECT r.ended_at IS NOT NULL FROM return_cases r WHERE r.return_no = regexp_replace($1, '^T-|-[0-9]+$', '', 'g')),
    (SELECT o.ended_at IS NOT NULL FROM orders o WHERE o.order_no = tickets.order_no))) RETURNING ticket_id"""

EXISTS = "SELECT EXISTS (SELECT FROM tickets WHERE ticket_id = $1)"

COLUMNS = """ticket_id, order_no, child_no, outside, state, severity, system, step, error, actions, give_up_means,
    owner, owned_at, level, escalated_at, opened_at, resolved_at, resolved_by, action, remark, result"""

GET = f"SELECT {COLUMNS} FROM tickets WHERE ticket_id = $1"  # noqa: S608 - our own column list

# Newest first, narrowed down by what is given.
LIST = f"""
SELECT {COLUMNS} FROM tickets
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR order_no = $2) AND ($3::text IS NULL OR severity = $3)
    AND ($4::text IS NULL OR system = $4) AND ($5::text IS NULL OR (opened_at, ticket_id) <
        (SELECT opened_at, ticket_id FROM tickets WHERE ticket_id = $5))
ORDER BY opened_at DESC, ticket_id DESC LIMIT $6"""  # noqa: S608


OPEN_NUMBERS = "SELECT ticket_id FROM tickets WHERE state = 'open' AND system = $1 AND step = $2"

# Whether an outside ticket was answered just so.
ANSWERED = """
SELECT EXISTS (SELECT FROM tickets WHERE ticket_id = $1 AND outside AND state = 'resolved' AND resolved_by = $2
    AND action = $3 AND remark = $4 AND result IS NOT DISTINCT FROM $5::jsonb)"""


@dataclass(frozen=True)
class TicketRow:
    """`outside`: no workflow waits for the answer, `resolve_outside` closes it. Result fields are empty while open.

    `level`: how often it was raised because nobody looked after it; the last time at `escalated_at`.
    """

    ticket_id: str
    order_no: str | None
    child_no: str | None
    outside: bool
    state: str
    severity: str
    system: str
    step: str
    error: str
    actions: tuple[str, ...]
    give_up_means: str
    owner: str | None
    owned_at: datetime | None
    level: int
    escalated_at: datetime | None
    opened_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    action: str | None
    remark: str | None
    result: Mapping[str, Any] | None


class TicketStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, ticket_id: str) -> TicketRow | None:
        row = await self._pool.fetchrow(GET, ticket_id)
        return None if row is None else read_ticket(row)

    async def list(
        self,
        *,
        state: str | None = "open",
        order_no: str | None = None,
        severity: str | None = None,
        system: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> tuple[TicketRow, ...]:
        """Newest first; the next page comes after the last `ticket_id` of this one."""
        rows = await self._pool.fetch(LIST, state, order_no, severity, system, after, limit)
        return tuple(read_ticket(row) for row in rows)

    async def case_of(self, ticket_id: str) -> str | None:
        """The number of the after-sales case that opened it; None: an order's, or nobody's."""
        found: str | None = await self._pool.fetchval(CASE_OF, ticket_id)
        return found

    async def open_outside(self, ticket: TicketRecord, order_no: str | None, at: datetime) -> bool:
        """A ticket that no order workflow opened. False: it is there already (open or resolved)."""
        async with self._pool.acquire() as connection:
            return await open_ticket(connection, ticket, order_no, at, outside=True)

    async def resolve_outside(self, resolution: TicketResolution, at: datetime) -> None:
        """With its audit row. Raises `NoSuchTicket` unless it is open and no workflow waits for it: it was opened
        outside, or its order or case has ended. Tickets of an open one go through its workflow. An answer told again in
        the same words is the same answer."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await resolve_ticket(connection, resolution, at, outside=True):
                r = resolution
                told = (r.ticket_id, clean(r.resolved_by), r.action, clean(r.remark), r.result)
                if await connection.fetchval(ANSWERED, *told):
                    return
                raise NoSuchTicket(
                    f"ticket {resolution.ticket_id} is not open, or the workflow of its order or case has to close it"
                )
            detail = {"ticket_id": resolution.ticket_id, "by": resolution.action, "remark": resolution.remark}
            entry = AuditEntry(actor=resolution.resolved_by, action="ticket.resolve", detail=detail)
            await append_entry(connection, entry, at)

    async def open_numbers(self, system: str, step: str) -> tuple[str, ...]:
        """All that are open of one step, however many."""
        return tuple(row["ticket_id"] for row in await self._pool.fetch(OPEN_NUMBERS, system, step))

    async def void(self, ticket_ids: Sequence[str], at: datetime) -> None:
        """Close what its workflow, having been put back to a moment before, does not ask any more."""
        async with self._pool.acquire() as connection, connection.transaction():
            for number in ticket_ids:
                resolution = TicketResolution(
                    ticket_id=number, action="evidence", remark="its workflow was reset to before it was asked",
                    resolved_by="system",
                )  # fmt: skip
                await resolve_ticket(connection, resolution, at, outside=False)


async def open_ticket(
    connection: Connection, ticket: TicketRecord, order_no: str | None, at: datetime, *, outside: bool
) -> bool:
    opened = await connection.fetchval(
        OPEN if outside else OPEN_ANEW,
        ticket.ticket_id,
        order_no,
        ticket.child_no,
        outside,
        ticket.severity,
        ticket.system,
        ticket.step,
        clean(ticket.error),
        list(ticket.actions),
        ticket.give_up_means,
        at,
    )
    if opened is not None and outside:
        await publish_ticket(connection, ticket, order_no, at)
    return opened is not None


async def resolve_ticket(connection: Connection, r: TicketResolution, at: datetime, *, outside: bool) -> bool:
    args = (r.ticket_id, at, clean(r.resolved_by), r.action, clean(r.remark), r.result, outside)
    return await connection.fetchval(RESOLVE, *args) is not None


async def keep_tickets(connection: Connection, write: OrderWrite) -> None:
    """Inside the transaction of an order's write. Raises `TicketNotOpenYet`."""
    for ticket in write.tickets:
        await open_ticket(connection, ticket, write.order_no, write.at, outside=False)
    for resolution in write.resolutions:
        resolved = await resolve_ticket(connection, resolution, write.at, outside=False)
        if not resolved and not await connection.fetchval(EXISTS, resolution.ticket_id):
            raise TicketNotOpenYet(resolution.ticket_id)


def read_ticket(row: Row) -> TicketRow:
    return TicketRow(**{**dict(row), "actions": tuple(row["actions"])})
