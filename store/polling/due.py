"""Whose turn it is: read from the head of a queue, and looked at before anybody is asked.

A row that is due says that there was something to ask about once. Whether there still is, and whether there has been
news meanwhile, the books say then: it is asked about, waits on, or leaves the queue.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from store.pool import Connection, Row

Kind = Literal["payment", "refund", "outbound", "parcel"]

MOST_LOOKS = 20
"""Of one tick, at twice as many rows as may be asked about; who is not reached comes first in the next."""

# The head of the queue, of some scopes or of all but some. The scopes are few and are found one by one in the index.
DUE = """
WITH RECURSIVE scopes AS (
    (SELECT scope FROM pull_queue WHERE kind = $1 ORDER BY scope LIMIT 1)
    UNION ALL
    SELECT (SELECT q.scope FROM pull_queue q WHERE q.kind = $1 AND q.scope > s.scope ORDER BY q.scope LIMIT 1)
    FROM scopes s WHERE s.scope IS NOT NULL)
SELECT d.* FROM scopes s CROSS JOIN LATERAL (
    SELECT q.kind, q.scope, q.number, q.child_no, q.due_at FROM pull_queue q
    WHERE q.kind = $1 AND q.scope = s.scope AND q.due_at <= $2 ORDER BY q.due_at, q.number LIMIT $3) d
WHERE ($4::text[] IS NULL OR s.scope = ANY ($4)) AND ($5::text[] IS NULL OR s.scope <> ALL ($5))
ORDER BY d.due_at, d.number LIMIT $3"""

# What of the due rows can still change, when it may be asked about at the earliest, and how much less often than usual.
STILL = """
SELECT u.scope, u.number, u.child_no AS of, {columns}, p.pulled_at, {patience} AS patience,
    greatest({quiet}, p.pulled_at + ({patience}) * $3::interval) AS ask_at
FROM unnest($4::text[], $5::text[], $6::text[]) AS u (scope, number, child_no) {truth}
LEFT JOIN pulls p ON p.connector = $1 AND p.kind = $2 AND p.number = u.number"""

NOBODYS = "NULL AS child_no, NULL AS warehouse, NULL AS carrier, NULL AS phone"

# A closed order, and a refund that a person has in hand, are asked about twenty times less often: money that comes late
# may come back late.
PAYMENT = STILL.format(
    columns=f"o.order_no, {NOBODYS}", patience="CASE o.status WHEN 'CLOSED' THEN 20 ELSE 1 END",
    quiet="NULL::timestamptz",
    truth="""JOIN orders o ON o.order_no = u.number AND o.ended_at IS NULL
    AND o.status IN ('PENDING_PAYMENT', 'CLOSED') AND o.payable_minor > 0 AND o.paid_minor = 0""",
)  # fmt: skip
REFUND = STILL.format(
    columns=f"r.order_no, {NOBODYS}", patience="CASE r.status WHEN 'ACCEPTED' THEN 1 ELSE 20 END",
    quiet="NULL::timestamptz",
    truth="""JOIN refunds r ON r.refund_no = u.number AND r.status IN ('ACCEPTED', 'ABNORMAL')
JOIN orders o ON o.order_no = r.order_no AND (o.ended_at IS NULL OR EXISTS (
    SELECT FROM return_cases k WHERE k.return_no = r.return_no AND k.ended_at IS NULL))""",
)  # fmt: skip

# Children at the warehouse without news; and, less often, those of which a courier has told that they left, but not
# the warehouse itself: only it knows what is in them.
OUTBOUND = STILL.format(
    columns="c.order_no, c.child_no, c.warehouse, c.carrier, NULL AS phone",
    patience="CASE WHEN c.status IN ('RELEASED', 'PICKING', 'PACKED', 'INTERCEPTING') THEN 1 ELSE 20 END",
    quiet="c.updated_at + $3::interval",
    truth="""JOIN child_orders c ON c.child_no = u.number
    AND (c.status IN ('RELEASED', 'PICKING', 'PACKED', 'INTERCEPTING')
        OR c.status IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION') AND NOT EXISTS (
            SELECT FROM order_events e
            WHERE e.order_no = c.order_no AND e.key = $1 || ':' || c.child_no || ':WAYBILL_RETURNED'))
JOIN orders o ON o.order_no = c.order_no AND o.ended_at IS NULL""",
)  # fmt: skip

# Parcels on the road without news. A child may travel in several packages.
PARCEL = STILL.format(
    columns="c.order_no, c.child_no, c.warehouse, u.scope AS carrier, "
    "coalesce(c.address ->> 'phone', o.start #>> '{address,phone}') AS phone",
    patience="1", quiet="c.updated_at + $3::interval",
    truth="""JOIN child_orders c ON c.child_no = u.child_no
    AND c.status IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION')
    AND ((c.waybill_no, c.carrier) = (u.number, u.scope) OR EXISTS (
        SELECT FROM parcels k
        WHERE (k.waybill_no, k.carrier, k.child_no) = (u.number, u.scope, c.child_no) AND k.carried))
JOIN orders o ON o.order_no = c.order_no AND o.ended_at IS NULL""",
)  # fmt: skip

TRUTH: dict[Kind, str] = {"payment": PAYMENT, "refund": REFUND, "outbound": OUTBOUND, "parcel": PARCEL}

OVER = """
DELETE FROM pull_queue q USING unnest($2::text[], $3::text[], $4::text[]) AS u (scope, number, child_no)
WHERE q.kind = $1 AND (q.scope, q.number, q.child_no) = (u.scope, u.number, u.child_no)"""

LATER = """
UPDATE pull_queue q SET due_at = u.due_at
FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS u (scope, number, child_no, due_at)
WHERE q.kind = $1 AND (q.scope, q.number, q.child_no) = (u.scope, u.number, u.child_no)"""

Key = tuple[str, str, str]
"""Scope, number, and the child whose turn it is; '' of money."""


@dataclass(frozen=True)
class Subject:
    """One thing to ask about. `number`: order, refund, child or waybill number. `pulled_at`: when it was asked last;
    `scope`, `due_at`: its place in the queue, where it came from there."""

    kind: Kind
    number: str
    order_no: str
    child_no: str | None = None
    warehouse: str | None = None
    carrier: str | None = None
    phone: str | None = field(default=None, repr=False)
    pulled_at: datetime | None = None
    scope: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True)
class Round:
    """One tick of a connector. `scopes`: only these; `without`: all but these."""

    connector: str
    kinds: Sequence[Kind]
    spacing: timedelta
    now: datetime
    scopes: Sequence[str] | None = None
    without: Sequence[str] | None = None


async def take_turns(connection: Connection, turn: Round, limit: int) -> tuple[Subject, ...]:
    """Inside a transaction: at most `limit` to ask about, longest due first; when they are due again is written."""
    found: dict[tuple[Kind, str, str], Subject] = {}  # a package is asked about once, whoever travels in it
    for _ in range(MOST_LOOKS):
        rows = await _head(connection, turn, 2 * limit)
        for kind in turn.kinds:
            for subject in await _looked_at(connection, turn, kind, [row for row in rows if row["kind"] == kind]):
                found.setdefault((kind, subject.scope, subject.number), subject)
        if len(rows) < 2 * limit or len(found) >= limit:
            break
    in_turn = sorted(found.values(), key=lambda subject: (subject.due_at, subject.number))
    await back_in_line(connection, in_turn[limit:])
    return tuple(in_turn[:limit])


async def back_in_line(connection: Connection, subjects: Iterable[Subject]) -> None:
    """They were not asked about after all: each gets its place back."""
    by_kind: dict[Kind, list[tuple[str, str, str, datetime | None]]] = {}
    for s in subjects:
        by_kind.setdefault(s.kind, []).append((s.scope, s.number, s.child_no or "", s.due_at))
    for kind, rows in by_kind.items():
        await connection.execute(LATER, kind, *_columns(rows, 4))


async def _head(connection: Connection, turn: Round, most: int) -> list[Row]:
    rows: list[Row] = []
    for kind in turn.kinds:
        rows += await connection.fetch(DUE, kind, turn.now, most, turn.scopes, turn.without)
    return sorted(rows, key=lambda row: (row["due_at"], row["number"]))[:most]


async def _looked_at(connection: Connection, turn: Round, kind: Kind, rows: Sequence[Row]) -> list[Subject]:
    if not rows:
        return []
    keys = [_key(row, row["child_no"]) for row in rows]
    truth = await connection.fetch(TRUTH[kind], turn.connector, kind, turn.spacing, *_columns(keys, 3))
    still = {_key(row, row["of"]): row for row in truth}
    asked: list[Subject] = []
    later: list[tuple[str, str, str, datetime]] = []
    for row, key in zip(rows, keys, strict=True):
        if (known := still.get(key)) is None:
            continue
        wait = known["ask_at"]
        if wait is None or wait <= turn.now:
            wait = turn.now + known["patience"] * turn.spacing
            asked.append(_subject(kind, row["due_at"], known))
        later.append((*key, wait))
    await connection.execute(OVER, kind, *_columns([key for key in keys if key not in still], 3))
    await connection.execute(LATER, kind, *_columns(later, 4))
    return asked


def _key(row: Row, child_no: str) -> Key:
    return row["scope"], row["number"], child_no


def _subject(kind: Kind, due_at: datetime, known: Row) -> Subject:
    more = {name: value for name, value in known.items() if name not in ("of", "patience", "ask_at")}
    return Subject(kind=kind, due_at=due_at, **more)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[n] for row in rows] for n in range(width)]
