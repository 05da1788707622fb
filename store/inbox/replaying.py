"""Delivering inbox rows once more: which ones, what that would do, and doing it (R06)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from domain.facts import Fact
from domain.inbox.event_routing import Target
from domain.inbox.replaying import Effect, Forecast, ReplayPreview, forecast
from domain.records import AuditEntry
from domain.states import Outcome, RefundStatus
from domain.strict import of
from store.audit.audit import append_entry
from store.errors import StoreError
from store.inbox.targets import orders_of
from store.pool import Connection, Pool, Row, clean

WAITING = ("parked", "dead", "conflicting")
"""What waits for somebody to replay it."""

# Oldest first. An order is found by the number on the row, or by those in its facts.
SELECT = """
SELECT id FROM inbox i
WHERE state = ANY($1::text[]) AND state <> 'kept' AND ($2::bigint[] IS NULL OR id = ANY($2))
    AND ($3::text IS NULL OR source = $3) AND ($4::text IS NULL OR position(lower($4) IN lower(note)) > 0)
    AND ($5::timestamptz IS NULL OR received_at >= $5) AND ($6::timestamptz IS NULL OR received_at < $6)
    AND ($7::text IS NULL OR order_no = $7 OR EXISTS (
        SELECT FROM jsonb_to_recordset(i.facts) AS f (order_no text, child_no text, waybill_no text, refund_no text)
        WHERE f.order_no = $7
            OR f.child_no IN (SELECT c.child_no FROM child_orders c WHERE c.order_no = $7)
            OR f.refund_no IN (SELECT r.refund_no FROM refunds r WHERE r.order_no = $7)
            OR f.waybill_no IN (SELECT p.waybill_no FROM parcels p JOIN child_orders c USING (child_no)
                WHERE c.order_no = $7)))
ORDER BY id LIMIT $8"""

ROWS = """
SELECT id, source, event_id, kind, state, note, received_at, facts FROM inbox
WHERE id = ANY($1::bigint[]) ORDER BY id"""

# What the books say about the orders and refunds of facts, and what was made of the facts before.
BOOKS = """
SELECT u.pos, o.payable_minor, o.currency, coalesce(o.start #>> '{payment,channel}', 'wechat') AS pay_channel,
    r.amount_minor AS refund_minor, r.status AS refund_status,
    (SELECT e.outcome FROM order_events e WHERE e.order_no = u.order_no AND e.key = u.key
        ORDER BY e.outcome = 'APPLIED' DESC, e.id DESC LIMIT 1) AS known
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[]) AS u (pos, order_no, key, refund_no)
JOIN orders o ON o.order_no = u.order_no LEFT JOIN refunds r ON r.refund_no = u.refund_no"""

REPLAY = """
UPDATE inbox SET state = 'received', attempts = 0, next_try_at = now(), leased_until = NULL, note = $2
WHERE id = ANY($1::bigint[]) AND state <> 'kept' RETURNING id"""

ERASED = """
SELECT o.order_no, o.erased_at FROM inbox i JOIN orders o USING (order_no)
WHERE i.id = ANY($1::bigint[]) AND o.erased_at IS NOT NULL ORDER BY i.id LIMIT 1"""

LOCK = "SELECT id FROM inbox WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE"


class OrderErased(StoreError):
    def __init__(self, order_no: str, at: datetime) -> None:
        super().__init__(
            f"the buyer of order {order_no} was forgotten at {at:%Y-%m-%d %H:%M} UTC: its messages have no contents "
            "and its workflow no history any more, so nothing of it is delivered again; leave it out of the selection"
        )


@dataclass(frozen=True)
class Selection:
    """`reason`: words of the row's note. `states`: WAITING unless others are meant. Rows without facts never."""

    ids: tuple[int, ...] | None = None
    states: tuple[str, ...] = WAITING
    source: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    order_no: str | None = None


@dataclass(frozen=True)
class Preview:
    """One row as it is, and what delivering it again would do, fact by fact."""

    id: int
    source: str
    event_id: str
    kind: str
    state: str
    note: str
    received_at: datetime
    facts: tuple[Forecast, ...]
    unreadable: str = ""


class InboxReplays:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def select(self, s: Selection, limit: int) -> list[int]:
        """Numbers of rows, oldest first."""
        ids = None if s.ids is None else list(s.ids)
        args = (list(s.states), ids, s.source, s.reason, s.since, s.until, s.order_no, limit)
        return [row["id"] for row in await self._pool.fetch(SELECT, *args)]

    async def preview(self, ids: Sequence[int]) -> list[Preview]:
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            rows = await connection.fetch(ROWS, list(ids))
            read = [_facts(row) for row in rows]
            facts = [fact for found in read if not isinstance(found, str) for fact in found]
            standing = await _standing(connection, facts)
        return [_preview(row, found, standing) for row, found in zip(rows, read, strict=True)]

    async def replay(self, ids: Sequence[int], by: str, at: datetime) -> int:
        """Deliver them again, with their audit row. Harmless: an order applies each happening once. Raises
        `OrderErased`; nothing is delivered then."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LOCK, list(ids))
            erased = await connection.fetchrow(ERASED, list(ids))
            if erased is not None:
                raise OrderErased(erased["order_no"], erased["erased_at"])
            done = [row["id"] for row in await connection.fetch(REPLAY, list(ids), clean(f"replayed by {by}"))]
            if done:
                detail: dict[str, Any] = {"ids": sorted(done)}
                await append_entry(connection, AuditEntry(actor=by, action="event.replay", detail=detail), at)
            return len(done)


def _facts(row: Row) -> tuple[Fact, ...] | str:
    try:
        return tuple(of(Fact, {**fact, "inbox_id": row["id"]}) for fact in row["facts"])
    except ValidationError as error:
        return f"its facts cannot be read: {error.errors()[0]['msg']}"


async def _standing(connection: Connection, facts: Sequence[Fact]) -> Mapping[tuple[int | None, str], ReplayPreview]:
    """By inbox row and fact key: two rows may tell the same fact with different contents."""
    placed: list[tuple[Fact, Target]] = []
    for layer in _layers(facts):
        targets = await orders_of(connection, layer)
        # Of a package with several children the first stands for all.
        placed += [(fact, targets[fact.key][0]) for fact in layer if fact.key in targets]
    rows = await connection.fetch(
        BOOKS,
        list(range(len(placed))),
        [target.order_no for _, target in placed],
        [fact.key for fact, _ in placed],
        [fact.refund_no for fact, _ in placed],
    )
    found = {}
    for row in rows:
        fact, target = placed[row["pos"]]
        found[fact.inbox_id, fact.key] = ReplayPreview(
            target=target,
            payable_minor=row["payable_minor"],
            currency=row["currency"],
            pay_channel=row["pay_channel"],
            known=None if row["known"] is None else Outcome(row["known"]),
            refund_minor=row["refund_minor"],
            refund_status=None if row["refund_status"] is None else RefundStatus(row["refund_status"]),
        )
    return found


def _layers(facts: Sequence[Fact]) -> list[list[Fact]]:
    """In each, every key once: two contents of one event may name two orders."""
    layers: list[dict[str, Fact]] = []
    for fact in facts:
        free = next((layer for layer in layers if fact.key not in layer), None)
        if free is None:
            layers.append(free := {})
        free[fact.key] = fact
    return [list(layer.values()) for layer in layers]


def _preview(
    row: Row, found: tuple[Fact, ...] | str, standing: Mapping[tuple[int | None, str], ReplayPreview]
) -> Preview:
    fields = {name: row[name] for name in ("id", "source", "event_id", "kind", "state", "note", "received_at")}
    if isinstance(found, str):
        return Preview(**fields, facts=(), unreadable=found)
    return Preview(**fields, facts=tuple(forecast(fact, standing.get((row["id"], fact.key))) for fact in found))


def effects(preview: Preview) -> tuple[Effect, ...]:
    return (Effect.UNREADABLE,) if preview.unreadable else tuple(f.effect for f in preview.facts)
