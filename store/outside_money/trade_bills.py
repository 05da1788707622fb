"""The channels' bills: which days are to be read, what of a bill our books do not have, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.facts import Fact, Kind
from domain.polling.bills import KEPT_FOR, BillFindings, days_to_read
from domain.polling.reconciling import SHANGHAI
from domain.records import TicketRecord, TicketResolution
from store.outside_money.bill_gaps import OwnLine, ask_about_gaps, keep_lines
from store.pool import Pool
from store.tickets.tickets import open_ticket, resolve_ticket

# When the first order came, unless that was before $1: then $1.
FIRST = """
SELECT coalesce((SELECT $1::timestamptz WHERE EXISTS (SELECT FROM orders WHERE registered_at < $1)),
    (SELECT min(registered_at) FROM orders WHERE registered_at >= $1))"""

# Where a gap of the day, or of one beside it, still asks somebody, the bill is read again: it may have been cut off.
READ = """
SELECT channel, day FROM trade_bills b WHERE day >= $1 AND NOT EXISTS (
    SELECT FROM bill_gaps g JOIN tickets t USING (ticket_id)
    WHERE g.channel = b.channel AND g.day BETWEEN b.day - 1 AND b.day + 1 AND g.healed_at IS NULL
        AND t.state = 'open')"""

# Lines of a bill, and what our books have of each. `known`: told before, whatever became of it. An order that a
# marketplace took the money for stands there under a number of the marketplace's: it is found by the payment that one
# of us has told of, its refunds by our own numbers of them.
COMPARE = """
SELECT u.pos, o.order_no IS NOT NULL AS ours, coalesce(p.amount_minor, r.amount_minor,
        (SELECT m.amount_minor FROM outside_money m WHERE m.order_no = o.order_no AND m.kind = 'payment'
            AND u.kind = 'payment' AND m.number = u.number AND m.told_by IS NOT NULL)) AS booked_minor,
    p.key IS NOT NULL OR r.status = 'SUCCEEDED' AS booked, r.refund_no IS NOT NULL AS asked_for,
    EXISTS (SELECT FROM outside_money m WHERE m.order_no = o.order_no AND m.kind = u.kind AND m.number = u.number)
        OR EXISTS (SELECT FROM order_events e WHERE e.order_no = o.order_no AND e.key = u.key) AS known
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS u (pos, order_no, kind, key, number, channel)
LEFT JOIN orders own ON own.order_no = u.order_no
LEFT JOIN orders o ON o.order_no = coalesce(own.order_no, CASE u.kind
    WHEN 'payment' THEN (SELECT m.order_no FROM outside_money m WHERE m.kind = 'payment' AND m.source = u.channel
        AND m.number = u.number AND m.told_by IS NOT NULL ORDER BY m.money_no DESC LIMIT 1)
    ELSE (SELECT f.order_no FROM refunds f WHERE f.refund_no = u.number) END)
LEFT JOIN payments p ON u.kind = 'payment' AND p.key = u.key AND p.order_no = o.order_no
LEFT JOIN refunds r ON u.kind = 'refund' AND r.refund_no = u.number AND r.order_no = o.order_no
ORDER BY u.pos"""

DONE = """
INSERT INTO trade_bills (channel, day, lines, found, strange, own, read_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (channel, day) DO UPDATE SET lines = excluded.lines, found = excluded.found, strange = excluded.strange,
    own = excluded.own, read_at = excluded.read_at"""

# Two nights' work on one channel's bills, one after the other.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('bills of ' || $1, 3))"


@dataclass(frozen=True)
class LineInBooks:
    """What our books say of one line. `booked_minor` None: nothing; `asked_for`: it is a refund of ours, however it
    stands."""

    ours: bool
    booked: bool
    booked_minor: int | None
    asked_for: bool
    known: bool


class TradeBillStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def due(self, channels: Sequence[str], now: datetime) -> tuple[tuple[str, date], ...]:
        """Channel and day of the bills that are there and have not been read, oldest first."""
        first = await self._pool.fetchval(FIRST, now - KEPT_FOR - timedelta(days=1))
        days = days_to_read(now.astimezone(SHANGHAI).date(), first.astimezone(SHANGHAI).date() if first else None)
        if not days:
            return ()
        read = {(row["channel"], row["day"]) for row in await self._pool.fetch(READ, days[0])}
        return tuple((channel, day) for day in days for channel in channels if (channel, day) not in read)

    async def compare(self, facts: Sequence[Fact]) -> tuple[LineInBooks, ...]:
        """In the same order."""
        rows = await self._pool.fetch(
            COMPARE,
            list(range(len(facts))),
            [fact.order_no for fact in facts],
            ["payment" if fact.kind is Kind.PAYMENT_SUCCEEDED else "refund" for fact in facts],
            [fact.key for fact in facts],
            [fact.refund_no or fact.transaction_id for fact in facts],
            [fact.source for fact in facts],
        )
        return tuple(
            LineInBooks(row["ours"], bool(row["booked"]), row["booked_minor"], row["asked_for"], row["known"])
            for row in rows
        )

    async def done(self, channel: str, day: date, found: BillFindings, own: Sequence[OwnLine], now: datetime) -> None:
        """Read and compared in both directions: it is not read again unless something seems to be missing in it. What
        no order can be told of is a ticket."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LOCK, channel)
            counts = (found.lines, found.news, found.strange_count, len(own))
            await connection.execute(DONE, channel, day, *counts, now)
            await keep_lines(connection, channel, day, own, now)
            await ask_about_gaps(connection, channel, day, now)
            read = TicketResolution(
                ticket_id=_unread(channel, day), action="evidence", remark="the bill has been read",
                resolved_by="system",
            )  # fmt: skip
            await resolve_ticket(connection, read, now, outside=True)
            if text := found.text():
                await open_ticket(connection, _differs(channel, day, text), None, now, outside=True)

    async def unread(self, channel: str, day: date, why: str, now: datetime) -> None:
        """It could not be read: a ticket, which closes by itself when a later night can."""
        async with self._pool.acquire() as connection:
            await open_ticket(connection, _not_read(channel, day, why), None, now, outside=True)


def _unread(channel: str, day: date) -> str:
    return f"T-bill-{channel}-{day}-unread"


def _not_read(channel: str, day: date, why: str) -> TicketRecord:
    return TicketRecord(
        ticket_id=_unread(channel, day), system=channel, step="trade bill not read",
        error=f"the bill of {day} at {channel}: {why}"[:500], actions=("give_up",),
        give_up_means="a person has compared the day by hand; until a week after it is over every night tries again",
    )  # fmt: skip


def _differs(channel: str, day: date, text: str) -> TicketRecord:
    return TicketRecord(
        ticket_id=f"T-bill-{channel}-{day}", system=channel, step="trade bill differs",
        error=f"the bill of {day} at {channel}: {text}"[:1000], severity="urgent", actions=("give_up",),
        give_up_means="a person has compared it with the channel's own books: the money is another system's, or has "
        "been settled by hand",
    )  # fmt: skip
