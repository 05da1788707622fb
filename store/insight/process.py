"""How orders really went in a month: each step's share and how long it took; the orders that took longest (R70)."""

from dataclasses import dataclass

from domain.insight.periods import Span
from store.pool import Connection, Pool

LONGEST_S = 30
LONGEST_LIST = 100

# Every move of the month, with how long the order or the parcel had stood where it left. Unknown since when: no hours.
_MOVES = """
WITH moves AS (
    SELECT order_no, child_no IS NOT NULL AS of_child, from_status, to_status,
        CASE WHEN lag(to_status) OVER w = from_status
            THEN extract(epoch FROM occurred_at - lag(occurred_at) OVER w) / 3600 END AS hours
    FROM order_events
    WHERE outcome = 'APPLIED' AND from_status <> to_status AND occurred_at >= $1 AND occurred_at < $2
    WINDOW w AS (PARTITION BY order_no, child_no ORDER BY occurred_at, id)
)"""
STEPS = f"""{_MOVES}
SELECT of_child, from_status, to_status, count(*)::integer AS times, count(hours)::integer AS timed,
    count(DISTINCT order_no)::integer AS orders,
    round(percentile_disc(0.5) WITHIN GROUP (ORDER BY hours), 1)::float AS median_h,
    round(percentile_disc(0.9) WITHIN GROUP (ORDER BY hours), 1)::float AS p90_h
FROM moves GROUP BY of_child, from_status, to_status"""  # noqa: S608 - our own words
BEHIND = f"""{_MOVES}
SELECT order_no, round(max(hours), 1)::float AS hours FROM moves
WHERE of_child = $3 AND from_status = $4 AND to_status = $5
GROUP BY order_no ORDER BY max(hours) DESC NULLS LAST, order_no LIMIT $6"""  # noqa: S608


@dataclass(frozen=True)
class ProcessStep:
    """`times`: moves; of `timed` ones it is known since when the order stood there. `share_bp`: of all that left the
    same status, this part went on so. Hours are None where none is timed."""

    of_child: bool
    from_status: str
    to_status: str
    times: int
    timed: int
    orders: int
    median_h: float | None
    p90_h: float | None
    share_bp: int = 0


@dataclass(frozen=True)
class SlowOrder:
    order_no: str
    hours: float | None


class ProcessReader:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def steps(self, month: Span) -> tuple[ProcessStep, ...]:
        """Of the orders themselves first, then of parcels; what was gone most often first."""
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            await _patient(connection)
            rows = await connection.fetch(STEPS, month.since, month.until, timeout=LONGEST_S)
        left: dict[tuple[bool, str], int] = {}
        for row in rows:
            key = (row["of_child"], row["from_status"])
            left[key] = left.get(key, 0) + row["times"]
        found = [
            ProcessStep(**row, share_bp=round(10_000 * row["times"] / left[row["of_child"], row["from_status"]]))
            for row in rows
        ]
        return tuple(sorted(found, key=lambda s: (s.of_child, -s.times, s.from_status, s.to_status)))

    async def behind(self, month: Span, of_child: bool, from_status: str, to_status: str) -> tuple[SlowOrder, ...]:
        """The orders that stood longest before this step."""
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            await _patient(connection)
            rows = await connection.fetch(
                BEHIND, month.since, month.until, of_child, from_status, to_status, LONGEST_LIST, timeout=LONGEST_S
            )
        return tuple(SlowOrder(**row) for row in rows)


async def _patient(connection: Connection) -> None:
    await connection.execute(f"SET LOCAL statement_timeout = '{LONGEST_S}s'; SET LOCAL work_mem = '64MB'")
