"""What came in and what went out, for the callback pages: delays, single messages, connectors, subscriptions."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.console.sessions import PersonScope
from store.polling.measures import CONNECTORS, ConnectorRow
from store.pool import Pool

# A message of no order, or of one that the reader sees.
_SEEN = """(i.order_no IS NULL OR (($1::text[] IS NULL AND $2::text[] IS NULL) OR EXISTS (
    SELECT FROM orders o WHERE o.order_no = i.order_no AND ($1::text[] IS NULL OR o.channel = ANY ($1))
        AND ($2::text[] IS NULL OR EXISTS (
            SELECT FROM child_orders w WHERE w.order_no = o.order_no AND w.warehouse = ANY ($2))))))"""

_COLUMNS = """i.id, i.source, i.event_id, i.via, i.kind, i.received_at, i.state, i.order_no, i.attempts, i.delivered_at,
    i.note"""

MESSAGES = f"""
SELECT {_COLUMNS} FROM inbox i WHERE {_SEEN} AND ($3::text IS NULL OR i.state = $3)
    AND ($4::text IS NULL OR i.source = $4) AND ($5::text IS NULL OR i.order_no = $5)
    AND ($6::bigint IS NULL OR i.id < $6) ORDER BY i.id DESC LIMIT $7"""  # noqa: S608 - our own words

MESSAGE = f"SELECT {_COLUMNS} FROM inbox i WHERE {_SEEN} AND i.id = $3"  # noqa: S608

# Messages by source in equal parts of the time between, numbered from 0, and (part NULL) in all of it: how many were
# accepted, and how long it took from the moment a message was here to that at which its order had it; of callbacks, not
# of what we asked for. A week's messages are read once for all of it, and seconds are plain floats: `extract` gives
# numerics, which take three times as long to add up. $4, $5: $1, $2 in seconds, said once and not worked out a row.
_PART = """greatest(0, least($3::int,
        width_bucket(date_part('epoch', {at}), $4::float8, $5::float8, $3::int)) - 1)"""
ACCEPTED = f"""
SELECT source, part, count(*) AS accepted, count(s) AS n, coalesce(round(avg(s) * 1000), 0)::int AS mean_ms,
    CASE WHEN part IS NULL THEN round(percentile_cont(0.95) WITHIN GROUP (ORDER BY s) * 1000)::int END AS slow_ms
FROM (
    SELECT source COLLATE "C" AS source, date_part('epoch', delivered_at - received_at) AS s,
        {_PART.format(at="received_at")} AS part
    FROM inbox WHERE received_at >= $1 AND received_at < $2 AND via = 'callback'
) m GROUP BY GROUPING SETS ((source), (source, part))"""  # noqa: S608 - our own words

# The rest of what was called, by part: copies of what is known count as accepted (reason ''), a flood is one row.
CALLED = f"""
SELECT source, part, reason, sum(n)::int AS n FROM (
    SELECT i.source, '' AS reason, 1 AS n, {_PART.format(at="r.at")} AS part
    FROM inbox_repeats r JOIN inbox i ON i.id = r.inbox_id WHERE r.via = 'callback' AND r.at >= $1 AND r.at < $2
    UNION ALL
    SELECT f.source, f.reason, f.calls, {_PART.format(at="f.at")} FROM inbox_refusals f WHERE f.at >= $1 AND f.at < $2
) c GROUP BY source, part, reason"""  # noqa: S608 - our own words

# What waits for somebody, by source; partial states have few rows.
WAITING = """
SELECT source, state, count(*) AS n, min(received_at) AS since FROM inbox
WHERE state IN ('parked', 'dead', 'conflicting') GROUP BY source, state ORDER BY source, state"""

OUTCOMES = """
SELECT kind, key, occurred_at, recorded_at, outcome, from_status, to_status, child_no FROM order_events
WHERE order_no = $2 AND inbox_id = $1 ORDER BY id LIMIT 200"""

SORTED_IN = "SET LOCAL work_mem = '32MB'"
"""A week's messages are sorted in memory and not on disk."""

SUBSCRIPTIONS = """
SELECT s.subscription_id, s.role, s.state, s.why, s.failing_since, s.ticket_id,
    (SELECT count(*) FROM deliveries d WHERE d.subscription_id = s.subscription_id AND d.state = 'pending') AS waiting,
    (SELECT count(*) FROM deliveries d WHERE d.subscription_id = s.subscription_id AND d.state = 'failed') AS failed
FROM subscriptions s WHERE s.state <> 'removed' ORDER BY s.subscription_id"""

DELIVERIES = f"""
SELECT d.id, i.event_id, i.type, i.order_no, i.at, d.state, d.attempts, d.next_try_at, d.settled_at, a.outcome,
    a.status
FROM deliveries d JOIN outbox i ON i.id = d.outbox_id
LEFT JOIN delivery_attempts a ON a.delivery_id = d.id AND a.n = d.attempts
WHERE (i.order_no = '' OR {_SEEN}) AND d.subscription_id = $3 AND ($4::bigint IS NULL OR d.id < $4)
ORDER BY d.id DESC LIMIT $5"""  # noqa: S608


@dataclass(frozen=True)
class MessageRow:
    """One message of an outside system, without what it says."""

    id: int
    source: str
    event_id: str
    via: str
    kind: str
    received_at: datetime
    state: str
    order_no: str | None
    attempts: int
    delivered_at: datetime | None
    note: str


@dataclass(frozen=True)
class MessagePage:
    messages: tuple[MessageRow, ...]
    next: str | None


@dataclass(frozen=True)
class SourceDelay:
    """`slow_ms`: 95 of 100 took no longer."""

    source: str
    n: int
    mean_ms: int
    slow_ms: int


class SourceCalls:
    """Of one source: `accepted` and `refused` by part, `reasons` of refusals in all, `delay_ms` by part where anything
    was delivered; `delay` None: nothing was."""

    def __init__(self, parts: int) -> None:
        self.accepted, self.refused = [0] * parts, [0] * parts
        self.reasons: Counter[str] = Counter()
        self.delay: SourceDelay | None = None
        self.delay_ms: dict[int, int] = {}


@dataclass(frozen=True)
class WaitingMessages:
    source: str
    state: str
    n: int
    since: datetime


class CallbackPages:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def messages(
        self,
        scope: PersonScope,
        limit: int,
        *,
        state: str | None = None,
        source: str | None = None,
        order_no: str | None = None,
        before: int | None = None,
    ) -> MessagePage:
        """Newest first."""
        rows = await self._pool.fetch(MESSAGES, *_scope(scope), state, source, order_no, before, limit + 1)
        found = tuple(MessageRow(**row) for row in rows)
        return MessagePage(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)

    async def message(self, scope: PersonScope, row_id: int) -> MessageRow | None:
        row = await self._pool.fetchrow(MESSAGE, *_scope(scope), row_id)
        return None if row is None else MessageRow(**row)

    async def outcomes(self, message: MessageRow) -> tuple[Mapping[str, Any], ...]:
        """What its order made of its facts."""
        return tuple(dict(row) for row in await self._pool.fetch(OUTCOMES, message.id, message.order_no))

    async def called(self, since: datetime, until: datetime, parts: int) -> dict[str, SourceCalls]:
        """By source, in equal parts of the time between."""
        asked = (since, until, parts, since.timestamp(), until.timestamp())
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute(SORTED_IN)
            accepted, others = await connection.fetch(ACCEPTED, *asked), await connection.fetch(CALLED, *asked)
        found: dict[str, SourceCalls] = {}
        for row in accepted:
            calls = found.setdefault(row["source"], SourceCalls(parts))
            if row["part"] is None:
                if row["n"]:
                    calls.delay = SourceDelay(row["source"], row["n"], row["mean_ms"], row["slow_ms"])
                continue
            calls.accepted[row["part"]] += row["accepted"]
            if row["n"]:
                calls.delay_ms[row["part"]] = row["mean_ms"]
        for row in others:
            calls = found.setdefault(row["source"], SourceCalls(parts))
            if row["reason"]:
                calls.refused[row["part"]] += row["n"]
                calls.reasons[row["reason"]] += row["n"]
            else:
                calls.accepted[row["part"]] += row["n"]
        return found

    async def waiting(self) -> tuple[WaitingMessages, ...]:
        return tuple(WaitingMessages(**row) for row in await self._pool.fetch(WAITING))

    async def connectors(self) -> tuple[ConnectorRow, ...]:
        return tuple(ConnectorRow(**row) for row in await self._pool.fetch(CONNECTORS))

    async def subscriptions(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(dict(row) for row in await self._pool.fetch(SUBSCRIPTIONS))

    async def deliveries(
        self, scope: PersonScope, name: str, limit: int, before: int | None = None
    ) -> tuple[tuple[Mapping[str, Any], ...], str | None]:
        """Newest first, with the last attempt of each; and where the next page begins."""
        rows = tuple(dict(row) for row in await self._pool.fetch(DELIVERIES, *_scope(scope), name, before, limit + 1))
        return rows[:limit], str(rows[limit - 1]["id"]) if len(rows) > limit else None


def _scope(scope: PersonScope) -> list[list[str] | None]:
    return [None if names is None else sorted(names) for names in (scope.channels, scope.warehouses)]
