"""What asking has found goes into the inbox like a message: one dedupe, one audit (docs/architecture.md)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from domain.facts import Fact
from store.inbox.courier_scans import ScanRead, add_traces
from store.inbox.intake import Added, Incoming, add_many
from store.pool import Connection, Pool

# Facts that nobody has written down yet, and that no earlier asking has put into the inbox.
NEWS = """
SELECT u.pos FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[])
    AS u (pos, order_no, key, source, event_id)
WHERE NOT EXISTS (SELECT FROM order_events e WHERE e.order_no = u.order_no AND e.key = u.key)
    AND ($6 OR NOT EXISTS (SELECT FROM inbox i WHERE i.source = u.source AND i.event_id = u.event_id))"""

# The workflow takes them by itself: the relay need not deliver what has just been put in.
TAKEN = """
UPDATE inbox SET state = 'delivered', delivered_at = now(), leased_until = NULL
WHERE state = 'received' AND (source, event_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"""

ROWS = """
SELECT source, event_id, id FROM inbox
WHERE (source, event_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"""


class FindingStore:
    """Every fact is a row of its own, keyed by the fact's key, whoever asked and however often."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def put(self, found: Sequence[tuple[str, Fact]], scans: Sequence[tuple[str, ScanRead]], now: datetime) -> int:
        """`found`: order number and fact; `scans`: source and courier scan, all of them kept. Returns how many facts
        were news; they are in the inbox now, for the relay to deliver."""
        async with self._pool.acquire() as connection, connection.transaction():
            news = [message(fact, now) for _, fact in await _news(connection, found, again=False)]
            added = await add_many(connection, news)
            await add_traces(connection, scans)
        return added.count(Added.NEW)

    async def hand_over(self, order_no: str, facts: Sequence[Fact], now: datetime) -> tuple[Fact, ...]:
        """Puts them in for a workflow that asked by itself and takes them at once: those that are news to the books,
        each with the number of its row. Asked again with the same facts, the same rows."""
        async with self._pool.acquire() as connection, connection.transaction():
            news = [fact for _, fact in await _news(connection, [(order_no, f) for f in facts], again=True)]
            if not news:
                return ()
            names = [fact.source for fact in news], [event_id(fact) for fact in news]
            known = {(row["source"], row["event_id"]) for row in await connection.fetch(ROWS, *names)}
            fresh = [fact for fact in news if (fact.source, event_id(fact)) not in known]
            await add_many(connection, [message(fact, now) for fact in fresh])
            await connection.execute(TAKEN, *names)
            ids = {(row["source"], row["event_id"]): row["id"] for row in await connection.fetch(ROWS, *names)}
        return tuple(f.model_copy(update={"inbox_id": ids[f.source, event_id(f)]}) for f in news)


def event_id(fact: Fact) -> str:
    """Of a fact that was asked for; no source's own message ids look like this."""
    return f"query:{fact.key}"


def message(fact: Fact, now: datetime) -> Incoming:
    body = fact.model_dump_json(exclude_none=True).encode()
    digest = hashlib.sha256(body).digest()
    return Incoming(fact.source, event_id(fact), fact.kind, digest, body, (fact,), now, via="query")


async def _news(connection: Connection, found: Sequence[tuple[str, Fact]], *, again: bool) -> list[tuple[str, Fact]]:
    """`again`: those that are in the inbox already count too."""
    rows = await connection.fetch(
        NEWS,
        list(range(len(found))),
        [order_no for order_no, _ in found],
        [fact.key for _, fact in found],
        [fact.source for _, fact in found],
        [event_id(fact) for _, fact in found],
        again,
    )
    return [found[pos] for pos in sorted(row["pos"] for row in rows)]
