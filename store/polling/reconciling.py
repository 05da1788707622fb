"""The daily comparison: which orders, what our tables say of them, and what was found to differ."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime

from domain.polling.reconciling import BooksSnapshot, Drift
from domain.records import TicketRecord, TicketResolution
from domain.states import ChildStatus, RefundStatus
from store.polling.due import Subject
from store.polling.measures import ACCURACY, DELAYS
from store.pool import Pool, Row, clean
from store.tickets.tickets import open_ticket, resolve_ticket

# Orders of which something was written since `since`, by number. Those are found by their time first (OFFSET 0 holds
# the planner to it): walked by number, all orders are read to find the few that have changed.
CHANGED = """
SELECT order_no FROM (SELECT order_no FROM orders WHERE updated_at >= $1 OFFSET 0) changed
WHERE order_no > $2 ORDER BY order_no LIMIT $3"""

# Orders with a difference that nobody has seen heal.
DRIFTING = """
SELECT DISTINCT order_no FROM drifts WHERE healed_at IS NULL AND order_no > $1 ORDER BY order_no LIMIT $2"""

# What the order itself has been paid and given back: its cases are workflows of their own, and so are their
# replacements; of money from outside the channel, asked about the order, knows nothing.
STANDING = """
SELECT o.order_no, o.status, o.payment_status, o.paid_minor - (SELECT coalesce(sum(p.amount_minor), 0)
        FROM outside_bookings z JOIN payments p ON p.key = z.payment_key
        WHERE z.order_no = o.order_no AND z.book_as = 'book_refund')::int8 AS paid_minor,
    o.ended_at IS NOT NULL AS ended,
    o.refunded_minor - (SELECT coalesce(sum(k.refunded_minor), 0) FROM return_cases k
        WHERE k.order_no = o.order_no)::int8 - (SELECT coalesce(sum(z.amount_minor), 0) FROM outside_bookings z
        WHERE z.order_no = o.order_no AND z.book_as = 'book_refund' AND z.payment_key IS NULL)::int8 AS refunded_minor,
    o.payable_minor, coalesce(o.start #>> '{payment,channel}', 'wechat') AS channel,
    coalesce((SELECT jsonb_object_agg(p.key, p.amount_minor) FROM payments p WHERE p.order_no = o.order_no
        AND NOT EXISTS (SELECT FROM outside_bookings z WHERE z.payment_key = p.key)), '{}') AS payments,
    coalesce((SELECT jsonb_object_agg(r.refund_no, r.status) FROM refunds r WHERE r.order_no = o.order_no
        AND NOT EXISTS (SELECT FROM outside_bookings z WHERE z.refund_no = r.refund_no)), '{}') AS refunds,
    ARRAY(SELECT e.key FROM order_events e WHERE e.order_no = o.order_no
        UNION SELECT m.key FROM outside_money m WHERE m.order_no = o.order_no) AS known
FROM orders o WHERE o.order_no = ANY($1::text[]) ORDER BY o.order_no"""

# `further`: number and carrier of each of its packages but the first, where it goes in several.
# `phone`: of whom the parcel goes to, which may have been another one before the order's address was changed.
CHILDREN = """
SELECT c.order_no, c.child_no, c.status, c.warehouse, c.carrier, c.waybill_no,
    coalesce(c.address ->> 'phone', o.start #>> '{address,phone}') AS phone,
    ARRAY(SELECT k.waybill_no || ' ' || k.carrier FROM parcels k
        WHERE k.child_no = c.child_no AND k.carried AND k.carrier <> '' AND k.waybill_no <> c.waybill_no
        ORDER BY 1) AS further
FROM child_orders c JOIN orders o USING (order_no)
WHERE c.order_no = ANY($1::text[]) AND c.return_no IS NULL ORDER BY c.child_no"""

# A difference, once a day; seen again it is open again.
NOTE = """
INSERT INTO drifts (day, order_no, kind, number, expected, found, found_at)
SELECT $1, u.*, $2 FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) AS u
ON CONFLICT (day, order_no, kind, number, expected) DO UPDATE SET healed_at = NULL"""

UNHEALED = """
SELECT id, order_no, kind, number, expected, found FROM drifts
WHERE healed_at IS NULL AND order_no = ANY($1::text[]) ORDER BY id"""

HEAL = "UPDATE drifts SET healed_at = $2 WHERE id = ANY($1::bigint[])"

DONE = """
INSERT INTO reconciliations (day, looked_at, asked, unanswered, finished_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (day) DO UPDATE SET looked_at = excluded.looked_at, asked = excluded.asked,
    unanswered = excluded.unanswered, finished_at = excluded.finished_at"""

MEASURED_BEFORE = "DELETE FROM measured_days WHERE day = $1"
MEASURE = f"""
INSERT INTO measured_days (day, kind, source, n, in_time, rate, worst_s)
SELECT $1::date, 'told', source, transitions, in_step, accuracy_bp, 0 FROM ({ACCURACY}) a
UNION ALL
SELECT $1::date, 'paid', channel, paid, paid - delayed, delayed_ppm, worst_s FROM ({DELAYS}) d"""  # noqa: S608 - our own words

ON_THE_ROAD = (
    ChildStatus.SHIPPED, ChildStatus.IN_TRANSIT, ChildStatus.OUT_FOR_DELIVERY, ChildStatus.EXCEPTION,
)  # fmt: skip
HELD = (ChildStatus.CREATED, ChildStatus.RISK_HOLD, ChildStatus.BACKORDER, ChildStatus.CUSTOMS_HOLD)


@dataclass(frozen=True)
class Compared:
    """One order to compare. `subjects`: what its sources can be asked about; `channel`: its payment channel."""

    books: BooksSnapshot
    channel: str
    subjects: tuple[Subject, ...]


class ReconcileStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def changed(self, since: datetime, after: str, limit: int) -> list[str]:
        """Order numbers after `after`."""
        return [row["order_no"] for row in await self._pool.fetch(CHANGED, since, after, limit)]

    async def drifting(self, after: str, limit: int) -> list[str]:
        return [row["order_no"] for row in await self._pool.fetch(DRIFTING, after, limit)]

    async def standing(self, order_nos: Sequence[str]) -> tuple[Compared, ...]:
        """What the tables say, in one snapshot."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            orders = await connection.fetch(STANDING, list(order_nos))
            children = await connection.fetch(CHILDREN, list(order_nos))
        return tuple(_compared(o, [c for c in children if c["order_no"] == o["order_no"]]) for o in orders)

    async def note(self, day: date, drifts: Sequence[Drift], now: datetime) -> None:
        if drifts:
            await self._pool.execute(
                NOTE,
                *(day, now),
                [d.order_no for d in drifts],
                [d.kind for d in drifts],
                [clean(d.number) for d in drifts],
                [clean(d.expected) for d in drifts],
                [clean(d.found) for d in drifts],
            )

    async def settle(
        self, orders: Sequence[BooksSnapshot], still: Sequence[Drift], unclear: Set[tuple[str, str]], now: datetime
    ) -> tuple[int, int]:
        """`still`: what differs now; `unclear`: (kind, number) whose source was not asked or did not answer. What
        differs no more has healed, and its ticket closes; the rest is a ticket each. Returns how many healed and how
        many did not."""
        left = {(d.order_no, d.kind, d.number, d.expected) for d in still}
        known = {(books.order_no, key) for books in orders for key in books.known}
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(UNHEALED, [books.order_no for books in orders])
            differs = [
                row
                for row in rows
                if (row["order_no"], row["kind"], row["number"], row["expected"]) in left
                or ((row["kind"], row["number"]) in unclear and (row["order_no"], row["expected"]) not in known)
            ]
            healed = [row["id"] for row in rows if row not in differs]
            await connection.execute(HEAL, healed, now)
            for number in healed:
                await resolve_ticket(connection, _agrees(number), now, outside=True)
            for row in differs:
                await open_ticket(connection, _ticket(row), row["order_no"], now, outside=True)
        return len(healed), len(differs)

    async def done(self, day: date, looked_at: int, asked: int, unanswered: int, now: datetime) -> None:
        """How well the day went is measured with it, and kept."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(DONE, day, looked_at, asked, unanswered, now)
            await connection.execute(MEASURED_BEFORE, day)
            await connection.execute(MEASURE, day)


def _compared(order: Row, children: Sequence[Row]) -> Compared:
    books = BooksSnapshot(
        order_no=order["order_no"],
        status=order["status"],
        payment_status=order["payment_status"],
        paid_minor=order["paid_minor"],
        refunded_minor=order["refunded_minor"],
        ended=order["ended"],
        children={c["child_no"]: ChildStatus(c["status"]) for c in children},
        payments=order["payments"],
        refunds={no: RefundStatus(status) for no, status in order["refunds"].items()},
        known=frozenset(order["known"]),
    )
    return Compared(books, order["channel"], tuple(_subjects(order, books, children)))


def _subjects(order: Row, books: BooksSnapshot, children: Sequence[Row]) -> Iterator[Subject]:
    """Everything that a source knows of. Parcels only while they are on the road: couriers charge by the question."""
    no = books.order_no
    if order["payable_minor"] > 0:
        yield Subject("payment", no, no)
    for refund_no, refunded in books.refunds.items():
        if refunded in (RefundStatus.ACCEPTED, RefundStatus.ABNORMAL, RefundStatus.SUCCEEDED):
            yield Subject("refund", refund_no, no)
    for c in children:
        status = books.children[c["child_no"]]
        if status not in HELD and status is not ChildStatus.CANCELLED:
            yield Subject("outbound", c["child_no"], no, c["child_no"], c["warehouse"])
        if status in ON_THE_ROAD and c["waybill_no"] and c["carrier"]:
            for number, carrier in ((c["waybill_no"], c["carrier"]), *(tuple(k.rsplit(" ", 1)) for k in c["further"])):
                yield Subject("parcel", number, no, c["child_no"], None, carrier, c["phone"])


def _ticket(row: Row) -> TicketRecord:
    return TicketRecord(
        ticket_id=f"T-drift-{row['id']}",
        system=str(row["kind"]),
        step="reconcile",
        error=f"{row['number']}: {row['expected']} there, {row['found']} in our books"[:500],
        severity="urgent" if row["kind"] in ("payment", "refund", "workflow") else "normal",
        actions=("give_up",),
        give_up_means="the difference stays; it is looked at again every day until it is gone",
    )


def _agrees(number: int) -> TicketResolution:
    return TicketResolution(
        ticket_id=f"T-drift-{number}", action="evidence", remark="both sides agree", resolved_by="system"
    )
