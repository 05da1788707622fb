"""Notices that a decision is asked for: to each person who may give it, once in each way, as long as it is asked.

A notice is claimed before it is sent: a sender that dies after sending and before writing that down sends once more
when its lease is over, none is lost.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from store.pool import Pool

Way = Literal["messenger", "mail"]
ATTEMPTS = 4
"""One try and three retries (R09)."""
AT_ONCE = 200

# Everybody whom this way reaches ($1 begins their id, $5 names them, NULL: all), who holds the role or stands in for
# somebody who does, and is neither who asked nor somebody who may not decide this. Old questions have been seen.
NEW = """
INSERT INTO approval_notices (approval_id, person_id, way, next_try_at)
SELECT a.approval_id, p.person_id, $4::text, $2 FROM approvals a CROSS JOIN LATERAL (
    SELECT r.person_id FROM person_roles r WHERE r.role = a.role
    UNION
    SELECT d.delegate FROM delegations d JOIN person_roles r ON r.person_id = d.delegator AND r.role = a.role
    JOIN people away ON away.person_id = d.delegator AND away.active
    WHERE d.starts_at <= $2 AND d.ends_at > $2 AND d.revoked_at IS NULL
        AND d.delegator <> a.requested_by AND NOT d.delegator = ANY (a.excluded)
) may JOIN people p ON p.person_id = may.person_id AND p.active
WHERE a.state = 'open' AND a.opened_at > $2::timestamptz - interval '7 days' AND starts_with(p.person_id, $1)
    AND ($5::text[] IS NULL OR p.person_id = ANY ($5))
    AND p.person_id <> a.requested_by AND NOT p.person_id = ANY (a.excluded)
    AND NOT EXISTS (SELECT FROM approval_notices n
        WHERE n.approval_id = a.approval_id AND n.person_id = p.person_id AND n.way = $4)
LIMIT $3 ON CONFLICT DO NOTHING"""

# What was decided meanwhile needs no notice.
NEEDLESS = """
UPDATE approval_notices n SET state = 'needless', leased_until = NULL, settled_at = $1
FROM approvals a WHERE n.state = 'pending' AND a.approval_id = n.approval_id AND a.state <> 'open'
    AND (n.leased_until IS NULL OR n.leased_until <= $1)"""

CLAIM = """
WITH due AS (
    SELECT approval_id, person_id, way FROM approval_notices
    WHERE way = $5 AND state = 'pending' AND next_try_at <= $1 AND attempts < $4
        AND (leased_until IS NULL OR leased_until <= $1)
    ORDER BY next_try_at, approval_id, person_id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE approval_notices n SET attempts = n.attempts + 1, leased_until = $2
FROM due JOIN approvals a USING (approval_id)
WHERE n.approval_id = due.approval_id AND n.person_id = due.person_id AND n.way = due.way
RETURNING n.approval_id, n.person_id, n.way, n.attempts AS attempt, a.kind, a.opened_at"""

SETTLE = """
UPDATE approval_notices SET state = $3, next_try_at = coalesce($4, next_try_at), leased_until = NULL,
    settled_at = CASE WHEN $3 <> 'pending' THEN $5::timestamptz END
WHERE approval_id = $1 AND person_id = $2 AND way = $6 AND state = 'pending'"""

# The last attempt was claimed by a sender that died.
BURY = """
UPDATE approval_notices SET state = 'failed', leased_until = NULL, settled_at = $1
WHERE state = 'pending' AND attempts >= $2 AND leased_until <= $1"""


@dataclass(frozen=True)
class DueNotice:
    """Claimed. `attempt`: from 1."""

    approval_id: str
    person_id: str
    way: Way
    attempt: int
    kind: str
    opened_at: datetime


class ApprovalNoticeStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def address(self, way: Way, prefix: str, only: tuple[str, ...] | None, now: datetime) -> None:
        """Write down whom to tell in this way; what is decided needs nobody any more. `prefix`: of the ids of people
        whom it reaches; `only`: which of them, None: all."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(NEEDLESS, now)
            await connection.execute(BURY, now, ATTEMPTS)
            await connection.execute(NEW, prefix, now, AT_ONCE, way, only)

    async def claim(self, way: Way, now: datetime, lease_s: float, limit: int) -> list[DueNotice]:
        rows = await self._pool.fetch(CLAIM, now, now + timedelta(seconds=lease_s), limit, ATTEMPTS, way)
        return [DueNotice(**row) for row in rows]

    async def sent(self, notice: DueNotice, at: datetime) -> None:
        await self._pool.execute(SETTLE, notice.approval_id, notice.person_id, "sent", None, at, notice.way)

    async def failed(self, notice: DueNotice, next_try_at: datetime | None, at: datetime) -> None:
        """None: no further try."""
        state = "failed" if next_try_at is None else "pending"
        await self._pool.execute(SETTLE, notice.approval_id, notice.person_id, state, next_try_at, at, notice.way)
