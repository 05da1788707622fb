"""What waits for people this moment: how many of each kind, and since when the oldest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from store.console.scopes import SEEN, seen_by
from store.console.sessions import PersonScope
from store.pool import Pool

SOON = timedelta(hours=6)
"""Promised to leave within that: may still be done in time."""
REFUSALS_OF = timedelta(hours=24)

COUNTS = f"""
SELECT 'tickets' AS kind, severity AS part, count(*) AS n, min(opened_at) AS since
FROM tickets t LEFT JOIN orders o USING (order_no) WHERE t.state = 'open' AND {SEEN} GROUP BY severity
UNION ALL SELECT 'approvals', role, count(*), min(opened_at)
FROM approvals a LEFT JOIN orders o USING (order_no) WHERE a.state = 'open' AND {SEEN} GROUP BY role
UNION ALL SELECT CASE WHEN o.dispatch_by < $3 THEN 'late' ELSE 'due' END, '', count(*), min(o.dispatch_by)
FROM orders o WHERE o.status IN ('AWAITING_SHIPMENT', 'PARTIALLY_SHIPPED') AND o.dispatch_by < $4 AND {SEEN}
GROUP BY o.dispatch_by < $3
UNION ALL SELECT 'children', c.status, count(*), min(c.updated_at)
FROM child_orders c JOIN orders o USING (order_no)
WHERE c.status IN ('BACKORDER', 'EXCEPTION') AND o.ended_at IS NULL
    AND ($1::text[] IS NULL OR o.channel = ANY ($1)) AND ($2::text[] IS NULL OR c.warehouse = ANY ($2))
GROUP BY c.status
UNION ALL SELECT 'holds', h.kind, count(*), min(h.placed_at)
FROM order_holds h JOIN orders o USING (order_no) WHERE h.ended_at IS NULL AND {SEEN} GROUP BY h.kind
UNION ALL SELECT 'returns', r.sla_owner, count(*), min(r.applied_at)
FROM return_cases r JOIN orders o USING (order_no) WHERE r.ended_at IS NULL AND {SEEN} GROUP BY r.sla_owner
UNION ALL SELECT 'refusals', source, count(*), min(at) FROM inbox_refusals WHERE at >= $5 GROUP BY source
"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class WaitingCount:
    """`since`: of the oldest; None when there is none."""

    n: int = 0
    since: datetime | None = None

    def __add__(self, other: "WaitingCount") -> "WaitingCount":
        known = [at for at in (self.since, other.since) if at is not None]
        return WaitingCount(self.n + other.n, min(known, default=None))


@dataclass(frozen=True)
class TodayCounts:
    """By kind and part: tickets by severity, approvals by role, children by state, holds by
    what they are about, returns by whose turn it is,
    refusals of callbacks by source; `late` and `due` have one part, ''."""

    parts: Mapping[tuple[str, str], WaitingCount]

    def of(self, kind: str, *parts: str) -> WaitingCount:
        """All of a kind, or these parts together."""
        found = (w for (k, part), w in self.parts.items() if k == kind and (not parts or part in parts))
        return sum(found, WaitingCount())

    def by_part(self, kind: str) -> dict[str, WaitingCount]:
        return {part: w for (k, part), w in self.parts.items() if k == kind and w.n}


async def count_today(pool: Pool, scope: PersonScope, now: datetime) -> TodayCounts:
    rows = await pool.fetch(COUNTS, *seen_by(scope), now, now + SOON, now - REFUSALS_OF)
    return TodayCounts({(row["kind"], row["part"]): WaitingCount(row["n"], row["since"]) for row in rows})
