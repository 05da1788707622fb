"""Many messages into the inbox in one statement: 47 times one by one (docs/performance.md, PostgreSQL)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

import structlog

from domain.facts import Fact
from domain.trust.card_numbers import masked, masked_bytes
from store.inbox.courier_scans import ScanRead, add_traces
from store.pool import Connection, clean, to_json

# Numbers are given in order of arrival, keys are taken in sorted order, so that two relays cannot block each other.
ADD = """
WITH given AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('inbox', 'id')) AS id, u.*
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::text[],
        $8::timestamptz[], $9::text[], $10::text[])
        WITH ORDINALITY AS u (source, event_id, via, kind, digest, body, facts, received_at, traceparent, state, pos)
    ORDER BY u.pos
)
INSERT INTO inbox (id, source, event_id, via, kind, digest, body, facts, received_at, next_try_at, traceparent,
    state)
SELECT id, source, event_id, via, kind, digest, body, facts::jsonb, received_at, received_at, traceparent, state
FROM given ORDER BY source, event_id, pos
ON CONFLICT (source, event_id) DO NOTHING
RETURNING source, event_id"""

# What is known under these event ids.
KNOWN = """
SELECT i.source, i.event_id, i.id, i.digest FROM inbox i
JOIN unnest($1::text[], $2::text[]) AS u (source, event_id) USING (source, event_id)"""

NUMBERS = {"order_no", "child_no", "waybill_no", "refund_no", "chargeback_no", "transaction_id", "merchant_id"}

REPEATED = """
INSERT INTO inbox_repeats (inbox_id, at, via) SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[])"""


log = structlog.get_logger("store")


class Added(StrEnum):
    """What became of a message. `CONFLICT`: its source used the event id before, for something else; put aside."""

    NEW = "new"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Incoming:
    """A verified message. `digest`: SHA-256 of what it says; `via` query: we asked, nobody called.

    `trace`: courier scans, kept with it in the same transaction.
    """

    source: str
    event_id: str
    kind: str
    digest: bytes
    body: bytes = field(repr=False)
    facts: tuple[Fact, ...] = field(repr=False)
    received_at: datetime
    traceparent: str | None = None
    via: Literal["callback", "query"] = "callback"
    trace: tuple[ScanRead, ...] = field(default=(), repr=False)

    @property
    def key(self) -> tuple[str, str]:
        return self.source, clean(self.event_id)


async def take_in(connection: Connection, messages: Sequence[Incoming]) -> list[Added]:
    """Committed when this returns. News without scans is one statement; what else there is to say, of messages that are
    known already, hangs on nothing: where it breaks off the sender is not thanked, and tells again."""
    if any(m.trace for m in messages):
        async with connection.transaction():
            return await add_many(connection, messages)
    return await add_many(connection, messages)


async def add_many(connection: Connection, messages: Sequence[Incoming]) -> list[Added]:
    """One answer a message, in order; of two with one key in the batch, the first is the new."""
    if not messages:
        return []
    messages = [_without_cards(m) for m in messages]
    new = await _insert(connection, messages)
    known = await _known(connection, messages) if len(new) < len(messages) else {}
    answers: list[Added] = []
    repeats: list[tuple[int, datetime, str]] = []
    for m in messages:
        if m.key in new:
            new.discard(m.key)
            answers.append(Added.NEW)
        elif known[m.key][1] == m.digest:
            answers.append(Added.DUPLICATE)
            repeats.append((known[m.key][0], m.received_at, m.via))
        else:
            answers.append(Added.CONFLICT)
    if repeats:
        await connection.execute(REPEATED, *(list(column) for column in zip(*repeats, strict=True)))
    await _keep_conflicting(connection, [m for m, a in zip(messages, answers, strict=True) if a is Added.CONFLICT])
    believed = [m for m, answer in zip(messages, answers, strict=True) if answer is not Added.CONFLICT]
    await add_traces(connection, [(m.source, scan) for m in believed for scan in m.trace])
    return answers


def _without_cards(m: Incoming) -> Incoming:
    """What nobody may keep is gone before anything is stored. `digest` stays that of what was said."""
    named = (f.model_dump(include=NUMBERS, exclude_none=True).values() for f in m.facts)
    ours = {str(number) for numbers in named for number in numbers} | {scan.waybill_no for scan in m.trace}
    body = masked_bytes(m.body, ours)
    notes = [masked(fact.note, ours) for fact in m.facts]
    if body == m.body and notes == [fact.note for fact in m.facts]:
        return m
    facts = tuple(f.model_copy(update={"note": note}) for f, note in zip(m.facts, notes, strict=True))
    log.warning("a card number was masked", source=m.source, event_id=m.event_id)
    return replace(m, body=body, facts=facts)


async def _keep_conflicting(connection: Connection, messages: Sequence[Incoming]) -> None:
    """The second content of an event id: not delivered, but kept for the person who has to say which one is true."""
    told = [m for m in messages if m.via == "callback" and m.facts]
    if told:
        named = [replace(m, event_id=f"{m.event_id}~{m.digest.hex()[:12]}") for m in told]
        await _insert(connection, named, via="conflict", state="conflicting")


async def _insert(
    connection: Connection, messages: Sequence[Incoming], *, via: str | None = None, state: str | None = None
) -> set[tuple[str, str]]:
    rows = await connection.fetch(
        ADD,
        [m.source for m in messages],
        [clean(m.event_id) for m in messages],
        [via or m.via for m in messages],
        [clean(m.kind) for m in messages],
        [m.digest for m in messages],
        [m.body for m in messages],
        [to_json([fact.model_dump(mode="json", exclude_none=True) for fact in m.facts]) for m in messages],
        [m.received_at for m in messages],
        [m.traceparent for m in messages],
        [state or ("received" if m.facts else "kept") for m in messages],
    )
    return {(row["source"], row["event_id"]) for row in rows}


async def _known(connection: Connection, messages: Sequence[Incoming]) -> dict[tuple[str, str], tuple[int, bytes]]:
    keys = {m.key for m in messages}
    rows = await connection.fetch(KNOWN, [source for source, _ in keys], [event_id for _, event_id in keys])
    return {(row["source"], row["event_id"]): (row["id"], row["digest"]) for row in rows}
