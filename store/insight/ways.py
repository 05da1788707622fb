"""How orders went lately, and how some of them went: for the ranking's second and third part (R72)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from domain.insight.paths import USUAL_OVER, Habits, Move, Standing
from store.pool import Connection

LONGEST_S = 60

# Once through the moves of four weeks. A stay counts where it ended in them and both of its ends are known.
HABITS = """
WITH moves AS (
    SELECT child_no IS NOT NULL AS of_child, from_status, to_status, occurred_at,
        lag(to_status) OVER w AS before, lag(occurred_at) OVER w AS since
    FROM order_events
    WHERE outcome = 'APPLIED' AND from_status <> to_status AND occurred_at >= $1 AND occurred_at < $2
    WINDOW w AS (PARTITION BY order_no, child_no ORDER BY occurred_at, id)
)
SELECT of_child, from_status, to_status, count(*)::integer AS times,
    percentile_disc(0.95) WITHIN GROUP (ORDER BY occurred_at - since) FILTER (WHERE before = from_status) AS p95
FROM moves GROUP BY GROUPING SETS ((of_child, from_status, to_status), (of_child, from_status))"""

MOVES = """
SELECT order_no, child_no, from_status, to_status, occurred_at AS at FROM order_events
WHERE order_no = ANY ($1) AND outcome = 'APPLIED' AND from_status <> to_status AND occurred_at < $2
ORDER BY order_no, occurred_at, id"""


async def read_habits(connection: Connection, until: datetime) -> Habits:
    rows = await connection.fetch(HABITS, until - USUAL_OVER, until, timeout=LONGEST_S)
    steps, p95 = {}, {}
    for row in rows:
        since = Standing(row["of_child"], row["from_status"])
        if row["to_status"] is not None:
            steps[since, row["to_status"]] = row["times"]
        elif row["p95"] is not None:
            p95[since] = row["p95"]
    return Habits(steps, p95)


async def read_moves(connection: Connection, orders: Collection[str], until: datetime) -> Mapping[str, list[Move]]:
    """By order, by time; of none that nothing has moved."""
    found: defaultdict[str, list[Move]] = defaultdict(list)
    for row in await connection.fetch(MOVES, list(orders), until, timeout=LONGEST_S):
        found[row["order_no"]].append(Move(row["child_no"], row["from_status"], row["to_status"], row["at"]))
    return found
