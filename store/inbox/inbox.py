"""The inbox: every verified message once, before it is acknowledged; then claimed, delivered, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import ValidationError

from domain.facts import Fact
from domain.inbox.event_routing import Target
from domain.records import EventRecord
from domain.strict import of
from store.inbox import intake
from store.inbox.fact_outcomes import record_after_end
from store.inbox.intake import Added, Incoming
from store.inbox.targets import orders_of, unpark_ready
from store.pool import Connection, Pool, Row, clean

__all__ = ["Added", "Claimed", "InboxStore", "Incoming", "RefusalFlood", "RefusedMessage"]

# Messages that were not believed.
REFUSE = """
INSERT INTO inbox_refusals (source, remote_ip, reason, text, body_sha256, at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[])"""

# Refusals that are one row a source, address, reason and minute.
REFUSE_FLOOD = """
INSERT INTO inbox_refusals AS r (source, remote_ip, reason, text, body_sha256, at, span, calls)
SELECT u.source, u.remote_ip, u.reason, 'a flood: counted, not looked at one by one', sha256(''), u.span, u.span,
    u.calls
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::int[])
    AS u (source, remote_ip, reason, span, calls) ORDER BY 1, 2, 3, 4
ON CONFLICT (source, remote_ip, reason, span) WHERE span IS NOT NULL DO UPDATE SET calls = r.calls + EXCLUDED.calls"""

# Rows to deliver, oldest first. Rows that another relay holds are passed over, not waited for.
CLAIM = """
UPDATE inbox SET leased_until = $3, attempts = attempts + 1
WHERE id IN (SELECT id FROM inbox WHERE state = 'received' AND next_try_at <= $1
        AND (leased_until IS NULL OR leased_until <= $1)
    ORDER BY id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, source, event_id, kind, facts, received_at, attempts, traceparent"""

# Several rows change under one lock order: the orders' writes do the same.
LOCK = "SELECT id FROM inbox WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE"
_LOCKED = f"WITH locked AS MATERIALIZED ({LOCK})"

# Signalled. What the order made of it may have been written already, and stays.
DELIVERED = f"""
{_LOCKED}
UPDATE inbox i SET delivered_at = now(), leased_until = NULL, state = 'delivered'
FROM locked l WHERE i.id = l.id AND i.state IN ('received', 'parked')"""  # noqa: S608 - our own words

# Put aside, unless an order has made something of it already.
PUT_ASIDE = f"""
{_LOCKED}
UPDATE inbox i SET state = $2, note = $3, leased_until = NULL
FROM locked l WHERE i.id = l.id AND i.state IN ('received', 'parked', 'delivered')"""  # noqa: S608

# To be delivered again, not before a time.
LATER = f"""
{_LOCKED}
UPDATE inbox i SET next_try_at = $2, note = $3, leased_until = NULL
FROM locked l WHERE i.id = l.id AND i.state = 'received'"""  # noqa: S608

# Parked for too long.
OVERDUE = """
SELECT id, source, event_id, kind, facts, received_at, attempts, traceparent FROM inbox
WHERE state = 'parked' AND received_at < $1 ORDER BY id LIMIT $2"""


@dataclass(frozen=True)
class RefusedMessage:
    """A message that was not believed. `reason`: one word, for counting. Its body is not kept."""

    source: str
    remote_ip: str
    reason: str
    text: str
    body_sha256: bytes
    at: datetime


@dataclass(frozen=True)
class RefusalFlood:
    """`calls` refusals in one minute, from one address or (`*`) from many."""

    source: str
    remote_ip: str
    reason: str
    span: datetime
    calls: int


@dataclass(frozen=True)
class Claimed:
    """A row to be delivered. Every fact carries the row's id as `inbox_id`. `attempts`: this claim included."""

    id: int
    source: str
    event_id: str
    kind: str
    facts: tuple[Fact, ...] = field(repr=False)
    received_at: datetime
    attempts: int
    traceparent: str | None


class InboxStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    # Intake

    async def add_many(self, messages: Sequence[Incoming]) -> list[Added]:
        """One answer each, in order: acknowledge after this returns.

        `CONFLICT`: the source used an event id for two different messages; the second is put aside as `conflicting` and
        not delivered. Who called it in knows the caller and notes the refusal.
        """
        async with self._pool.acquire() as connection:
            return await intake.take_in(connection, messages)

    async def refuse_many(self, refusals: Sequence[RefusedMessage]) -> list[None]:
        """Note messages that were not believed (R14, R15), one answer each, as a micro-batch wants it."""
        await self._pool.execute(
            REFUSE,
            [r.source for r in refusals],
            [r.remote_ip for r in refusals],
            [r.reason for r in refusals],
            [clean(r.text) for r in refusals],
            [r.body_sha256 for r in refusals],
            [r.at for r in refusals],
        )
        return [None] * len(refusals)

    async def refuse_floods(self, floods: Sequence[RefusalFlood]) -> None:
        """Numbers add up with what was told of the same minute before, here or by another relay."""
        columns = zip(*((f.source, f.remote_ip, f.reason, f.span, f.calls) for f in floods), strict=True)
        await self._pool.execute(REFUSE_FLOOD, *(list(column) for column in columns))

    # Delivery

    async def claim(self, limit: int, lease_s: float, now: datetime) -> list[Claimed]:
        """Rows for this relay alone until the lease ends, oldest first. Unreadable ones are put to the dead."""
        async with self._pool.acquire() as connection:  # one statement: nothing else hangs on its commit
            rows = await connection.fetch(CLAIM, now, limit, now + timedelta(seconds=lease_s))
            return await _readable(connection, sorted(rows, key=lambda row: row["id"]))

    async def mark_delivered(self, ids: Sequence[int]) -> None:
        await self._change(DELIVERED, ids)

    async def park(self, ids: Sequence[int], note: str) -> None:
        """Their order is not known (yet)."""
        await self._change(PUT_ASIDE, ids, "parked", clean(note))

    async def dead(self, ids: Sequence[int], note: str) -> None:
        """They cannot be delivered; a person may `replay` them."""
        await self._change(PUT_ASIDE, ids, "dead", clean(note))

    async def retry_later(self, ids: Sequence[int], at: datetime, note: str) -> None:
        await self._change(LATER, ids, at, clean(note))

    async def unpark_ready(self, limit: int = 500) -> int:
        """Parked rows whose orders all exist and live now are to be delivered again. Returns how many."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await unpark_ready(connection, limit)

    async def overdue_parked(self, older_than: datetime, limit: int = 100) -> list[Claimed]:
        """Parked rows received before `older_than`, oldest first: for tickets."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await _readable(connection, await connection.fetch(OVERDUE, older_than, limit))

    async def orders_of(self, facts: Sequence[Fact]) -> dict[str, tuple[Target, ...]]:
        """Where each fact belongs, by `fact.key`; unknown ones are left out."""
        async with self._pool.acquire() as connection:
            return await orders_of(connection, facts)

    async def finish_outside(self, told: Sequence[tuple[str, datetime, Sequence[EventRecord]]]) -> None:
        """Facts for orders (number, when, what) whose workflows are not to hear them: into their timelines, and the
        outcome onto their inbox rows. One transaction for all: after an outage there are thousands."""
        carried = {event.inbox_id for _, _, events in told for event in events if event.inbox_id is not None}
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LOCK, sorted(carried))
            for order_no, at, events in told:
                await record_after_end(connection, order_no, at, events, heard=False)

    async def _change(self, sql: str, ids: Sequence[int], *args: object) -> None:
        if ids:
            await self._pool.execute(sql, list(ids), *args)


async def _readable(connection: Connection, rows: Sequence[Row]) -> list[Claimed]:
    """Rows with their facts read strictly. One that an older version wrote and we cannot read blocks no other."""
    found: list[Claimed] = []
    for row in rows:
        try:
            facts = tuple(of(Fact, {**fact, "inbox_id": row["id"]}) for fact in row["facts"])
        except ValidationError as error:
            lost = f"its facts cannot be read: {error.errors()[0]['msg']}"
            await connection.execute(PUT_ASIDE, [row["id"]], "dead", lost)
        else:
            found.append(Claimed(**{**row, "facts": facts}))
    return found
