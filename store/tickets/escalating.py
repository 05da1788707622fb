"""Tickets that nobody looks after are raised, and how the queue stands (R10)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.tickets import SEVERITIES, Escalation, Severity, louder
from store.pool import Pool, Row
from store.tickets.queue import note_move

# One relay at a time looks; the others have nothing to do then. Ends with the transaction.
ONLY_ONE = "SELECT hold_if_free('ticket escalation')"

# Open tickets that were left alone for the age of their severity. The loudest ones only while a group is left to tell.
DUE = """
SELECT t.ticket_id, t.severity, t.level, t.owner FROM tickets t
JOIN unnest($1::text[], $2::timestamptz[]) AS a (severity, before) ON a.severity = t.severity
WHERE t.state = 'open' AND greatest(t.opened_at, t.escalated_at, t.owned_at) <= a.before
    AND (t.severity <> 'urgent' OR t.level < $3)
ORDER BY t.opened_at, t.ticket_id LIMIT $4 FOR NO KEY UPDATE OF t SKIP LOCKED"""

RAISE = "UPDATE tickets SET severity = $2, level = $3, escalated_at = $4 WHERE ticket_id = $1"

TELL = """
INSERT INTO ticket_notices (ticket_id, event, level, at) VALUES ($1, 'escalated', $2, $3) ON CONFLICT DO NOTHING"""

STANDING = """
SELECT severity, count(*) AS open, count(*) FILTER (WHERE owner IS NULL) AS unowned, min(opened_at) AS oldest
FROM tickets WHERE state = 'open' GROUP BY severity"""

ACTOR = "system"
AT_ONCE = 100


@dataclass(frozen=True)
class Raised:
    ticket_id: str
    was: Severity
    severity: Severity
    level: int
    group: str


@dataclass(frozen=True)
class QueueStatus:
    """Open tickets of one severity, and when the oldest of them was opened."""

    severity: Severity
    open: int
    unowned: int
    oldest: datetime


class EscalationStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def escalate(self, rules: Escalation, now: datetime) -> tuple[Raised, ...]:
        """Raise what is due, each with its history, its audit row and a notice to the next group, in one transaction.

        Any number of relays may call this as often as they like: a ticket is raised once for each age it reaches.
        """
        ages = [(s, now - timedelta(seconds=age)) for s, age in zip(SEVERITIES, rules.ages(), strict=True) if age]
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(ONLY_ONE):
                return ()
            columns = ([severity for severity, _ in ages], [before for _, before in ages])
            rows = await connection.fetch(DUE, *columns, len(rules.groups) - 1, AT_ONCE)
            raised = tuple(_raised(row, rules) for row in rows)
            for one in raised:
                await connection.execute(RAISE, one.ticket_id, one.severity, one.level, now)
                await connection.execute(TELL, one.ticket_id, one.level, now)
            for one in raised:  # last: the chain's lock is held until the commit
                detail = {"from": one.was, "to": one.severity, "level": one.level, "told": one.group}
                await note_move(connection, one.ticket_id, now, ACTOR, "escalate", detail)
            return raised

    async def standing(self) -> tuple[QueueStatus, ...]:
        return tuple(QueueStatus(**row) for row in await self._pool.fetch(STANDING))


def _raised(row: Row, rules: Escalation) -> Raised:
    was: Severity = row["severity"]
    level = row["level"] + 1
    return Raised(row["ticket_id"], was, louder(was), level, rules.group(level))
