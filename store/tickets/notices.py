"""Notices to people about tickets: from the row that wants one to what became of each channel's copy.

A notice is written with the ticket it tells of, and claimed before it is sent: a sender that dies after sending and
before writing that down sends once more when its lease is over, none is lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from domain.tickets import Severity
from store.pool import Pool

ATTEMPTS = 4
"""One try and three retries (R09)."""

# Notices that no channel has been given yet. Told is only what is still so: a ticket that was answered needs none, and
# of one that was raised meanwhile the later notice says more.
NEW = """
SELECT n.id, n.level, t.state = 'open' AND t.level = n.level AS needed
FROM ticket_notices n JOIN tickets t USING (ticket_id)
WHERE n.state = 'new' ORDER BY n.id LIMIT $1 FOR NO KEY UPDATE OF n SKIP LOCKED"""

ADDRESS = """
INSERT INTO ticket_notice_sends (notice_id, target, next_try_at)
SELECT u.id, u.target, $3 FROM unnest($1::bigint[], $2::text[]) AS u (id, target) ON CONFLICT DO NOTHING"""

NOTED = "UPDATE ticket_notices SET state = $2 WHERE id = ANY($1::bigint[])"

# Copies to send now. Claiming is the attempt.
CLAIM = f"""
WITH due AS (
    SELECT id FROM ticket_notice_sends WHERE state = 'pending' AND next_try_at <= $1 AND attempts < {ATTEMPTS}
        AND (leased_until IS NULL OR leased_until <= $1)
    ORDER BY next_try_at, id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE ticket_notice_sends s SET attempts = s.attempts + 1, leased_until = $2
FROM due, ticket_notices n JOIN tickets t USING (ticket_id) WHERE s.id = due.id AND n.id = s.notice_id
RETURNING s.id, s.target, s.attempts AS attempt, n.event, n.level, t.ticket_id, t.severity, t.system, t.step,
    t.order_no, t.child_no, t.owner, t.opened_at"""  # noqa: S608 - our own number

SETTLE = """
UPDATE ticket_notice_sends SET state = $3, next_try_at = coalesce($4, next_try_at), leased_until = NULL,
    settled_at = CASE WHEN $3 <> 'pending' THEN $5::timestamptz END
WHERE id = $1 AND state = 'pending' AND (attempts = $2 OR $3 = 'sent')"""

# The last attempt was claimed by a sender that died.
EXHAUSTED = f"""
UPDATE ticket_notice_sends SET state = 'failed', leased_until = NULL, settled_at = $1
WHERE state = 'pending' AND attempts >= {ATTEMPTS} AND leased_until <= $1 RETURNING id"""  # noqa: S608

FORGET = """
WITH old AS (SELECT id FROM ticket_notices n WHERE state <> 'new' AND at < $1 AND NOT EXISTS (
        SELECT FROM ticket_notice_sends s WHERE s.notice_id = n.id AND s.state = 'pending') ORDER BY id LIMIT 1000),
    sends AS (DELETE FROM ticket_notice_sends s USING old WHERE s.notice_id = old.id)
DELETE FROM ticket_notices n USING old WHERE n.id = old.id RETURNING n.id"""


@dataclass(frozen=True)
class Copy:
    """A claimed notice for one channel. `target`: fingerprint of the channel; `attempt`: from 1."""

    id: int
    target: str
    attempt: int
    event: Literal["opened", "escalated"]
    level: int
    ticket_id: str
    severity: Severity
    system: str
    step: str
    order_no: str | None
    child_no: str | None
    owner: str | None
    opened_at: datetime


class NoticeStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def address(self, targets: Callable[[int], Sequence[str]], now: datetime, limit: int = 100) -> int:
        """Give new notices to the channels of their level (`targets`). Returns how many copies are to be sent."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(NEW, limit)
            needed = [row for row in rows if row["needed"]]
            copies = [(row["id"], target) for row in needed for target in targets(row["level"])]
            if copies:
                columns = ([notice for notice, _ in copies], [target for _, target in copies])
                await connection.execute(ADDRESS, *columns, now)
            await connection.execute(NOTED, [row["id"] for row in needed], "addressed")
            await connection.execute(NOTED, [row["id"] for row in rows if not row["needed"]], "needless")
            return len(copies)

    async def claim(self, now: datetime, lease_s: float, limit: int) -> list[Copy]:
        rows = await self._pool.fetch(CLAIM, now, now + timedelta(seconds=lease_s), limit)
        return [Copy(**row) for row in sorted(rows, key=lambda row: row["id"])]

    async def sent(self, copy: Copy, at: datetime) -> None:
        await self._pool.execute(SETTLE, copy.id, copy.attempt, "sent", None, at)

    async def failed(self, copy: Copy, next_try_at: datetime | None, at: datetime) -> None:
        """None: that was the last try."""
        state = "failed" if next_try_at is None else "pending"
        await self._pool.execute(SETTLE, copy.id, copy.attempt, state, next_try_at, at)

    async def bury(self, now: datetime) -> int:
        """Copies whose last sender died. Returns how many."""
        return len(await self._pool.fetch(EXHAUSTED, now))

    async def forget(self, before: datetime) -> int:
        """Notices older than that which are settled, at most 1000 at once. Returns how many."""
        return len(await self._pool.fetch(FORGET, before))
