"""What became of every fact: a row in the order's timeline, and the outcome on the inbox row that carried it."""

from collections.abc import Sequence
from datetime import datetime

from domain.records import EventRecord, OrderWrite
from store.pool import Connection, clean

# Events of one write, once each. A second APPLIED of one key is kept as what it is: a duplicate.
_RECORD = """
INSERT INTO order_events (order_no, key, kind, source, occurred_at, recorded_at, outcome, child_no, from_status,
    to_status, note, inbox_id, write_seq, write_pos)
SELECT $1, u.key, u.kind, u.source, u.occurred_at, $2,
    CASE WHEN u.outcome = 'APPLIED' AND (u.repeated OR EXISTS (
        SELECT FROM order_events e WHERE e.order_no = $1 AND e.key = u.key AND e.outcome = 'APPLIED'
            AND (e.write_seq, e.write_pos) IS DISTINCT FROM ($3::int, u.pos)))
        THEN 'DUPLICATE' ELSE u.outcome END,
    u.child_no, u.from_status, u.to_status, u.note, u.inbox_id, $3::int, CASE WHEN $3::int IS NOT NULL THEN u.pos END
FROM {given} ORDER BY u.pos
ON CONFLICT DO NOTHING"""
RECORD = _RECORD.format(
    given="""unnest($4::int[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::text[], $10::text[],
    $11::text[], $12::text[], $13::text[], $14::bigint[], $15::bool[])
    AS u (pos, key, kind, source, occurred_at, outcome, child_no, from_status, to_status, note, inbox_id, repeated)"""
)
# Most writes tell of one event, and most events of one row: without an array they are planned once a connection.
RECORD_ONE = _RECORD.format(
    given="""(SELECT $4::int AS pos, $5::text AS key, $6::text AS kind, $7::text AS source,
    $8::timestamptz AS occurred_at, $9::text AS outcome, $10::text AS child_no, $11::text AS from_status,
    $12::text AS to_status, $13::text AS note, $14::bigint AS inbox_id, $15::bool AS repeated) AS u"""
)

# The best that any order made of a row counts for it; 'held' is over as soon as something else is said. A row that an
# order or a case has heard ($16) was delivered. Rows are locked in one order before they are changed: a row may carry
# facts of two orders.
RECORD_ALL_AND_SETTLE = f"""
WITH recorded AS ({RECORD}), told AS (
    SELECT u.id, max(array_position(ARRAY['held', 'duplicate', 'stale', 'mismatch', 'applied'], lower(u.state))) AS rank
    FROM unnest($14::bigint[], $9::text[]) AS u (id, state) WHERE u.id IS NOT NULL GROUP BY u.id
), locked AS MATERIALIZED (
    SELECT i.id FROM inbox i WHERE i.id = ANY ($14::bigint[]) ORDER BY i.id FOR NO KEY UPDATE
)
UPDATE inbox i SET leased_until = NULL, order_no = coalesce(i.order_no, $1),
    delivered_at = CASE WHEN $16::bool THEN coalesce(i.delivered_at, now()) ELSE i.delivered_at END,
    state = (ARRAY['held', 'duplicate', 'stale', 'mismatch', 'applied'])[greatest(t.rank,
        array_position(ARRAY['held', 'duplicate', 'stale', 'mismatch', 'applied'], i.state))]
FROM told t JOIN locked USING (id) WHERE i.id = t.id"""  # noqa: S608 - our own words
# The usual case in one round trip: one event, of one inbox row ($14).
RECORD_AND_SETTLE = f"""
WITH recorded AS ({RECORD_ONE})
UPDATE inbox i SET leased_until = NULL, order_no = coalesce(i.order_no, $1),
    delivered_at = CASE WHEN $16::bool THEN coalesce(i.delivered_at, now()) ELSE i.delivered_at END,
    state = (ARRAY['held', 'duplicate', 'stale', 'mismatch', 'applied'])[greatest(
        array_position(ARRAY['held', 'duplicate', 'stale', 'mismatch', 'applied'], lower($9::text)),
        array_position(ARRAY['held', 'duplicate', 'stale', 'mismatch', 'applied'], i.state))]
WHERE i.id = $14::bigint"""  # noqa: S608 - our own words


async def record_events(connection: Connection, write: OrderWrite) -> None:
    """Inside the transaction of an order's write."""
    await _record(connection, write.order_no, write.seq, write.at, write.events, heard=True)


async def record_after_end(
    connection: Connection, order_no: str, at: datetime, events: Sequence[EventRecord], *, heard: bool
) -> None:
    """Facts that came when no workflow listened any more, or that a case has `heard`; once per inbox row and key."""
    await _record(connection, order_no, None, at, events, heard=heard)


async def _record(
    connection: Connection, order_no: str, seq: int | None, at: datetime, events: Sequence[EventRecord], *, heard: bool
) -> None:
    if not events:
        return
    applied: set[str] = set()
    repeated = []
    for e in events:
        repeated.append(e.key in applied)
        applied.update({e.key} if e.outcome == "APPLIED" else ())
    columns = (
        list(range(len(events))),
        [clean(e.key) for e in events],
        [e.kind for e in events],
        [e.source for e in events],
        [e.occurred_at for e in events],
        [e.outcome for e in events],
        [e.child_no for e in events],
        [e.from_status for e in events],
        [e.to_status for e in events],
        [clean(e.note) for e in events],
        [e.inbox_id for e in events],
        repeated,
    )
    if len(events) == 1:
        one = (order_no, at, seq, *(column[0] for column in columns))
        if events[0].inbox_id is not None:  # one row is locked by its change
            await connection.execute(RECORD_AND_SETTLE, *one, heard)
        else:
            await connection.execute(RECORD_ONE, *one)
        return
    if any(e.inbox_id is not None for e in events):
        await connection.execute(RECORD_ALL_AND_SETTLE, order_no, at, seq, *columns, heard)
    else:
        await connection.execute(RECORD, order_no, at, seq, *columns)
