"""The callback board (R18): what each source sent and what of it was accepted, and an alert once a run of bad spans."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.inbox.callback_rates import BadRun, Bucket, follow
from domain.records import TicketRecord
from store.pool import Connection, Pool, Row
from store.tickets.tickets import open_ticket

BUCKET = timedelta(minutes=5)
GRACE = timedelta(seconds=15)
"""A span is judged this long after its end: its last messages may still be on their way into the database."""
FIRST_LOOK = timedelta(hours=1)
LONGEST_LOOK = timedelta(days=1)

# Calls of every source in spans of five minutes, oldest first.
BUCKETS = """
SELECT source, bucket, received, accepted, refused, rate_bp FROM callback_buckets($1, $2)
WHERE $3::text IS NULL OR source = $3 ORDER BY bucket, source"""

# One relay at a time judges; the others have nothing to do then. Ends with the transaction.
ONLY_ONE = "SELECT hold_if_free('callback board')"

WATCHED = "SELECT source, evaluated_until, bad_buckets, alerted FROM callback_watch"

KEEP = """
INSERT INTO callback_watch (source, evaluated_until, bad_buckets, alerted)
SELECT u.source, $2, u.bad, u.alerted FROM unnest($1::text[], $3::integer[], $4::boolean[]) AS u (source, bad, alerted)
ON CONFLICT (source) DO UPDATE SET
    evaluated_until = EXCLUDED.evaluated_until, bad_buckets = EXCLUDED.bad_buckets, alerted = EXCLUDED.alerted"""

ALERT = """
INSERT INTO callback_alerts (source, bucket, bad_buckets, received, accepted, below_bp, ticket_id, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""


@dataclass(frozen=True)
class SourceBucket:
    """Calls of one source in the five minutes from `bucket` on. `refused`: how many by reason."""

    source: str
    bucket: datetime
    received: int
    accepted: int
    refused: Mapping[str, int]
    rate_bp: int


@dataclass(frozen=True)
class Alert:
    """`worst`: the span that completed a run of `bad_buckets`."""

    worst: SourceBucket
    bad_buckets: int
    below_bp: int

    @property
    def ticket_id(self) -> str:
        return f"T-callbacks-{self.worst.source}-{self.worst.bucket.astimezone(UTC):%Y%m%dT%H%MZ}"


class BoardStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def buckets(self, since: datetime, until: datetime, source: str | None = None) -> tuple[SourceBucket, ...]:
        """Oldest first; spans without a call are left out. `since` and `until` cut the spans they fall into."""
        return _buckets(await self._pool.fetch(BUCKETS, since, until, source))

    async def judge(self, now: datetime, *, below_bp: int, after: int) -> tuple[Alert, ...]:
        """Judge the spans that have ended since the last time, and alert with a ticket for each run they complete.

        Any number of relays may call this as often as they like: each span is judged once.
        """
        until = bucket_start(now - GRACE)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(ONLY_ONE):
                return ()
            watched = await connection.fetch(WATCHED)
            since = max((row["evaluated_until"] for row in watched), default=until - FIRST_LOOK)
            if since >= until:
                return ()
            runs = {row["source"]: BadRun(row["bad_buckets"], row["alerted"]) for row in watched}
            rows = await connection.fetch(BUCKETS, max(since, until - LONGEST_LOOK), until, None)
            alerts = _followed(runs, _buckets(rows), below_bp, after)
            bad, alerted = [r.bad for r in runs.values()], [r.alerted for r in runs.values()]
            await connection.execute(KEEP, list(runs), until, bad, alerted)
            for alert in alerts:
                await _keep(connection, alert, now)
            return alerts

    async def alerted(self) -> dict[str, bool]:
        """By source: is its present run of bad spans one that was alerted?"""
        return {row["source"]: row["alerted"] for row in await self._pool.fetch(WATCHED)}


def bucket_start(at: datetime) -> datetime:
    """The start of the five minutes that `at` falls into."""
    return at - (at - datetime(1970, 1, 1, tzinfo=UTC)) % BUCKET


def _followed(runs: dict[str, BadRun], buckets: Iterable[SourceBucket], below_bp: int, after: int) -> tuple[Alert, ...]:
    """Brings `runs` up to date."""
    alerts = []
    for b in buckets:
        run, alert = follow(
            runs.get(b.source, BadRun()), Bucket(b.bucket, b.received, b.accepted), below_bp=below_bp, after=after
        )
        runs[b.source] = run
        if alert:
            alerts.append(Alert(b, run.bad, below_bp))
    return tuple(alerts)


async def _keep(connection: Connection, alert: Alert, now: datetime) -> None:
    worst = alert.worst
    await open_ticket(connection, _ticket(alert), None, now, outside=True)
    await connection.execute(
        ALERT, worst.source, worst.bucket, alert.bad_buckets, worst.received, worst.accepted, alert.below_bp,
        alert.ticket_id, now,
    )  # fmt: skip


def _ticket(alert: Alert) -> TicketRecord:
    worst = alert.worst
    reasons = ", ".join(f"{reason} {n}" for reason, n in sorted(worst.refused.items(), key=lambda r: (-r[1], r[0])))
    return TicketRecord(
        ticket_id=alert.ticket_id,
        system=worst.source,
        step="callback rate",
        error=f"below {_percent(alert.below_bp)} in {alert.bad_buckets} spans of 5 min: of the last one's "
        f"{worst.received} calls {worst.accepted} were accepted ({_percent(worst.rate_bp)}; refused: {reasons}). "
        f"Look with `oms event stats --source {worst.source}`",
        actions=("give_up",),
        give_up_means="you have seen it; the source sends again what it was not thanked for, as long as it does",
    )


def _percent(bp: int) -> str:
    return f"{bp // 100}.{bp % 100:02} %"


def _buckets(rows: Iterable[Row]) -> tuple[SourceBucket, ...]:
    return tuple(SourceBucket(**row) for row in rows)
