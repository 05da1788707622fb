"""The other direction of a channel's bill: what our books have of a day and no bill has (R48, O2).

Days are Shanghai's. A payment stands in the bill of the day on which it was paid, a refund in that of the day on which
the channel took it, which lies between our asking and its success; at midnight either may stand a day later. So nothing
is judged before every bill of those days and of the day after has been read.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from domain.polling.bills import KEPT_FOR, NAMED, first_few
from domain.polling.reconciling import SHANGHAI
from domain.records import TicketRecord, TicketResolution
from domain.refunds.outside import yuan
from store.pool import Connection, clean
from store.tickets.tickets import open_ticket, resolve_ticket

AT_ONCE = 5_000
KEEP = """
INSERT INTO bill_lines (channel, kind, number, day, amount_minor)
SELECT $1, u.kind, u.number, $2, u.amount_minor FROM unnest($3::text[], $4::text[], $5::bigint[]) AS u (kind, number,
    amount_minor) ON CONFLICT DO NOTHING"""

HEAL = """
UPDATE bill_gaps g SET healed_at = $2 WHERE channel = $1 AND healed_at IS NULL AND EXISTS (SELECT FROM bill_lines l
    WHERE l.channel = g.channel AND l.kind = g.kind AND l.number = g.number) RETURNING ticket_id"""

STILL_OPEN = "SELECT ticket_id FROM bill_gaps WHERE ticket_id = ANY($1::text[]) AND healed_at IS NULL"

# Of what was booked since $2. A refund that was made by hand is there because the channel told it, under a number of
# its own.
MISSING = """
WITH money AS (
    SELECT 'payment' AS kind, p.transaction_id AS number, p.order_no, p.amount_minor, s.day AS earliest, s.day
    FROM payments p CROSS JOIN LATERAL (SELECT (p.paid_at AT TIME ZONE 'Asia/Shanghai')::date AS day) s
    WHERE p.channel = $1 AND p.booked_at >= $2 AND p.amount_minor > 0 AND p.currency = 'CNY'
    UNION ALL
    SELECT 'refund', r.refund_no, r.order_no, r.amount_minor, (r.requested_at AT TIME ZONE 'Asia/Shanghai')::date,
        (r.updated_at AT TIME ZONE 'Asia/Shanghai')::date
    FROM refunds r
    WHERE r.status = 'SUCCEEDED' AND r.updated_at >= $2 AND r.amount_minor > 0
        AND EXISTS (SELECT FROM refund_parts b JOIN payments p ON p.key = b.payment_key
            WHERE b.refund_no = r.refund_no AND p.channel = $1 AND p.currency = 'CNY')
        AND NOT EXISTS (SELECT FROM outside_bookings z WHERE z.refund_no = r.refund_no AND z.book_as = 'book_refund')
)
SELECT m.kind, m.number, m.order_no, m.amount_minor, m.day FROM money m
WHERE NOT EXISTS (SELECT FROM bill_lines l WHERE l.channel = $1 AND l.kind = m.kind AND l.number = m.number)
    AND NOT EXISTS (SELECT FROM bill_gaps g WHERE g.channel = $1 AND g.kind = m.kind AND g.number = m.number)
    AND m.day - m.earliest + 2 = (SELECT count(*) FROM trade_bills b
        WHERE b.channel = $1 AND b.own IS NOT NULL AND b.day BETWEEN m.earliest AND m.day + 1)
ORDER BY m.day, m.kind, m.number"""

OF_DAY = """
SELECT (SELECT own FROM trade_bills WHERE channel = $1 AND day = $2) AS own,
    count(*)::int AS known, (count(*) FILTER (WHERE healed_at IS NULL))::int AS missing
FROM bill_gaps WHERE channel = $1 AND day = $2"""

NOTE = """
INSERT INTO bill_gaps (channel, kind, number, day, order_no, amount_minor, ticket_id, found_at)
SELECT $1, u.kind, u.number, $2, u.order_no, u.amount_minor, u.ticket_id, $3
FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[])
    AS u (kind, number, order_no, amount_minor, ticket_id)"""


class OwnLine(NamedTuple):
    """A payment or refund of an order of ours, as the bill has it."""

    kind: str
    number: str
    amount_minor: int


class Gap(NamedTuple):
    kind: str
    number: str
    order_no: str
    amount_minor: int
    day: date


async def keep_lines(connection: Connection, channel: str, day: date, lines: Sequence[OwnLine], now: datetime) -> None:
    """Inside a transaction. What a gap was for and is there now closes its ticket."""
    for start in range(0, len(lines), AT_ONCE):
        some = lines[start : start + AT_ONCE]
        kinds, numbers = [line.kind for line in some], [clean(line.number) for line in some]
        await connection.execute(KEEP, channel, day, kinds, numbers, [line.amount_minor for line in some])
    healed = {row["ticket_id"] for row in await connection.fetch(HEAL, channel, now)}
    left = {row["ticket_id"] for row in await connection.fetch(STILL_OPEN, sorted(healed))}
    for ticket_id in sorted(healed - left):
        answer = TicketResolution(
            ticket_id=ticket_id, action="evidence", remark=f"the bill of {day} has it", resolved_by="system"
        )
        await resolve_ticket(connection, answer, now, outside=True)


async def ask_about_gaps(connection: Connection, channel: str, day: date, now: datetime) -> None:
    """Inside a transaction, once the bill of `day` counts as read."""
    since = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) - KEPT_FOR
    missing = [Gap(**row) for row in await connection.fetch(MISSING, channel, since)]
    for of, found in groupby(missing, key=lambda gap: gap.day):
        await _ask(connection, channel, of, list(found), now)


async def _ask(connection: Connection, channel: str, day: date, gaps: Sequence[Gap], now: datetime) -> None:
    """A ticket each; where the bill itself seems to be at fault, one for the bill."""
    standing = await connection.fetchrow(OF_DAY, channel, day)
    assert standing is not None
    together = standing["missing"] + len(gaps)
    if together > NAMED or (not standing["own"] and together > 1):
        bill = _of_the_bill(channel, day, gaps, standing["known"])
        tickets = [bill] * len(gaps)
        await open_ticket(connection, bill, None, now, outside=True)
    else:
        tickets = [_of_one(channel, gap) for gap in gaps]
        for gap, ticket in zip(gaps, tickets, strict=True):
            await open_ticket(connection, ticket, gap.order_no, now, outside=True)
    columns = ([gap.kind for gap in gaps], [gap.number for gap in gaps], [gap.order_no for gap in gaps])
    amounts, names = [gap.amount_minor for gap in gaps], [ticket.ticket_id for ticket in tickets]
    await connection.execute(NOTE, channel, day, now, *columns, amounts, names)


def _of_one(channel: str, gap: Gap) -> TicketRecord:
    amount, after = yuan(gap.amount_minor, "CNY"), gap.day + timedelta(days=1)
    return TicketRecord(
        ticket_id=f"T-bill-{channel}-{gap.kind}-{gap.number}", system=channel, step="not in the channel's bill",
        error=f"our books have {gap.kind} {gap.number} of order {gap.order_no}, {amount} on {gap.day}, and no bill of "
        f"{channel} up to {after} has it: look there whether the money moved",
        severity="urgent", actions=("give_up",),
        give_up_means="a person has found it there, or has put the books right",
    )  # fmt: skip


def _of_the_bill(channel: str, day: date, gaps: Sequence[Gap], known: int) -> TicketRecord:
    """`known`: gaps of the day that have tickets already, so that each ticket has a name of its own."""
    total = yuan(sum(gap.amount_minor for gap in gaps), "CNY")
    named = first_few([f"{gap.order_no} ({gap.number})" for gap in gaps], len(gaps))
    return TicketRecord(
        ticket_id=f"T-bill-{channel}-{day}-lacks-{known}", system=channel, step="trade bill lacks",
        error=f"the bill of {day} at {channel} lacks {len(gaps)} payments or refunds, {total} in all, that our books "
        f"have: {named}. It may have been empty or cut off: every night reads it again for a week"[:1000],
        severity="urgent", actions=("give_up",),
        give_up_means="a person has compared the day with the channel's own books",
    )  # fmt: skip
