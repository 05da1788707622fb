"""How well the books keep up with the world, by day: for `oms report reconcile` (R19, R65)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from store.pool import Pool, Row

RECONCILED = "SELECT looked_at, asked, unanswered, finished_at FROM reconciliations WHERE day = $1"

# A day in Shanghai, from its first moment to the next day's.
_BEGINS, _ENDS = (
    "($1::date::timestamp AT TIME ZONE 'Asia/Shanghai')",
    "(($1::date + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')",
)
_KNOWN = "outcome IN ('APPLIED', 'HELD', 'STALE') AND source <> 'stock'"

# One day of the views sync_accuracy and payment_delays, which read all days to find one. What an order was told of a
# happening is looked for on the day first, and then with everything that it was told of the same.
ACCURACY = f"""
WITH told AS (
    SELECT min(e.source) AS source, min(e.occurred_at) AS at, min(e.recorded_at) AS known_at
    FROM (SELECT DISTINCT order_no, key FROM order_events
        WHERE occurred_at >= {_BEGINS} AND occurred_at < {_ENDS} AND {_KNOWN}) that_day
    CROSS JOIN LATERAL (SELECT x.source, x.occurred_at, x.recorded_at FROM order_events x
        WHERE x.order_no = that_day.order_no AND x.key = that_day.key AND {_KNOWN}) e
    GROUP BY that_day.order_no, that_day.key
), transitions AS (
    SELECT source, known_at - at <= interval '300 seconds' AS in_step FROM told WHERE at >= {_BEGINS}
    UNION ALL
    SELECT CASE WHEN kind IN ('payment', 'refund', 'outbound', 'parcel') THEN split_part(expected, ':', 1) END, false
    FROM drifts WHERE day = $1::date AND healed_at IS NULL AND kind NOT IN ('view', 'workflow')
)
SELECT source, count(*)::integer AS transitions, count(*) FILTER (WHERE in_step)::integer AS in_step,
    round(10000.0 * count(*) FILTER (WHERE in_step) / count(*))::integer AS accuracy_bp
FROM transitions GROUP BY source ORDER BY source"""  # noqa: S608 - our own words

DELAYS = f"""
SELECT channel, count(*)::integer AS paid,
    count(*) FILTER (WHERE booked_at - paid_at > interval '300 seconds')::integer AS delayed,
    round(1000000.0 * count(*) FILTER (WHERE booked_at - paid_at > interval '300 seconds') / count(*))::integer
        AS delayed_ppm,
    greatest(0, ceil(extract(epoch FROM max(booked_at - paid_at))))::integer AS worst_s
FROM payments WHERE paid_at >= {_BEGINS} AND paid_at < {_ENDS} GROUP BY channel ORDER BY channel"""  # noqa: S608

# As measured when the day's comparison was over.
KEPT = "SELECT kind, source, n, in_time, rate, worst_s FROM measured_days WHERE day = $1 ORDER BY kind, source"

ASKED = "SELECT count(*) FROM audit WHERE split_part(action, '.', 1) = 'reconcile' AND at >= $1"

DRIFTS = """
SELECT id, order_no, kind, number, expected, found, found_at, healed_at FROM drifts WHERE day = $1 ORDER BY id"""

CONNECTORS = """
SELECT connector, ticked_at, answered_at, failed_ticks, error, asked, found FROM pull_connectors ORDER BY connector"""


@dataclass(frozen=True)
class Reconciled:
    looked_at: int
    asked: int
    unanswered: int
    finished_at: datetime


@dataclass(frozen=True)
class Accuracy:
    """`accuracy_bp`: of 10,000; the target is 9,950."""

    source: str
    transitions: int
    in_step: int
    accuracy_bp: int


@dataclass(frozen=True)
class Delay:
    """`delayed`: known more than 300 s after the buyer paid; `delayed_ppm` may be 2,000 at most."""

    channel: str
    paid: int
    delayed: int
    delayed_ppm: int
    worst_s: int


@dataclass(frozen=True)
class DriftRow:
    id: int
    order_no: str
    kind: str
    number: str
    expected: str
    found: str
    found_at: datetime
    healed_at: datetime | None


@dataclass(frozen=True)
class ConnectorRow:
    """How a connector is doing now. `asked`, `found`: ever."""

    connector: str
    ticked_at: datetime
    answered_at: datetime | None
    failed_ticks: int
    error: str
    asked: int
    found: int


@dataclass(frozen=True)
class DayReport:
    """`reconciled` None: the day has not been compared."""

    day: date
    reconciled: Reconciled | None
    accuracy: tuple[Accuracy, ...]
    delays: tuple[Delay, ...]
    drifts: tuple[DriftRow, ...]
    connectors: tuple[ConnectorRow, ...]


class MeasureStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def asked_since(self, at: datetime) -> int:
        """How often people have had a comparison begin."""
        found: int = await self._pool.fetchval(ASKED, at)
        return found

    async def day(self, day: date, *, anew: bool = True) -> DayReport:
        """One day in Shanghai; `connectors` are as they are now. One snapshot. `anew`: worked out from all that is
        known now, which takes seconds over full books; else as it was kept when the day's comparison was over, and
        nothing of a day that has not been compared."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            reconciled = await connection.fetchrow(RECONCILED, day)
            if anew:
                accuracy = tuple(Accuracy(**row) for row in await connection.fetch(ACCURACY, day))
                delays = tuple(Delay(**row) for row in await connection.fetch(DELAYS, day))
            else:
                accuracy, delays = _kept(await connection.fetch(KEPT, day))
            return DayReport(
                day=day,
                reconciled=None if reconciled is None else Reconciled(**reconciled),
                accuracy=accuracy,
                delays=delays,
                drifts=tuple(DriftRow(**row) for row in await connection.fetch(DRIFTS, day)),
                connectors=tuple(ConnectorRow(**row) for row in await connection.fetch(CONNECTORS)),
            )


def _kept(rows: Sequence[Row]) -> tuple[tuple[Accuracy, ...], tuple[Delay, ...]]:
    told = (row for row in rows if row["kind"] == "told")
    paid = (row for row in rows if row["kind"] == "paid")
    return (
        tuple(Accuracy(row["source"], row["n"], row["in_time"], row["rate"]) for row in told),
        tuple(Delay(row["source"], row["n"], row["n"] - row["in_time"], row["rate"], row["worst_s"]) for row in paid),
    )
