"""Which waybills nobody follows yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.records import TicketRecord, TicketResolution
from store.pool import Connection, Pool
from store.tickets.tickets import open_ticket, resolve_ticket

# Waybills without a follower, on the way out and on the way back (of these `return/{return_no}` stands for the child);
# the phone is the receiver's, which some couriers ask for.
TO_SUBSCRIBE = """
SELECT p.child_no, c.order_no, p.waybill_no, p.carrier,
    coalesce(c.address ->> 'phone', o.start #>> '{address,phone}') AS phone
FROM parcels p JOIN child_orders c USING (child_no) JOIN orders o USING (order_no)
WHERE p.tracking_subscribed_at IS NULL AND p.tracking_next_try_at <= now() AND p.carrier <> ''
    AND (p.waybill_no = c.waybill_no OR p.carried) AND c.status NOT IN ('CANCELLED', 'SIGNED')
    AND (o.ended_at IS NULL OR EXISTS (
        SELECT FROM return_cases k WHERE k.return_no = c.return_no AND k.ended_at IS NULL))
UNION ALL
SELECT 'return/' || b.return_no, k.order_no, b.waybill_no, b.carrier, o.start #>> '{address,phone}'
FROM return_parcels b JOIN return_cases k USING (return_no) JOIN orders o USING (order_no)
WHERE b.tracking_subscribed_at IS NULL AND b.tracking_next_try_at <= now() AND k.ended_at IS NULL
LIMIT $1"""

# All waybills of these children ($1), or this one ($2), and of these cases ($3) are followed now. Tells of the tickets
# that are over with that: theirs ($4), and the one of a courier that did not answer ($5).
SUBSCRIBED = """
WITH out AS (
    UPDATE parcels SET tracking_subscribed_at = now()
    WHERE child_no = ANY($1::text[]) AND ($2::text IS NULL OR waybill_no = $2) AND tracking_subscribed_at IS NULL
), back AS (
    UPDATE return_parcels SET tracking_subscribed_at = now()
    WHERE return_no = ANY($3::text[]) AND tracking_subscribed_at IS NULL
)
SELECT ticket_id FROM tickets WHERE ticket_id = ANY($4::text[]) AND state = 'open'
UNION ALL SELECT ticket_id FROM tickets WHERE step = $5 AND state = 'open'"""

BACK_LATER = """
UPDATE return_parcels SET tracking_next_try_at = now() + interval '30 minutes'
WHERE return_no = substr($1, 8) AND starts_with($1, 'return/') AND tracking_subscribed_at IS NULL"""

# Try again later.
LATER = """
UPDATE parcels SET tracking_next_try_at = now() + interval '30 minutes'
WHERE child_no = $1 AND tracking_subscribed_at IS NULL"""

NOW = "SELECT now()"

UNREACHABLE = "courier unreachable"
RETURN = "return/"
"""Before a case's number, where a child's would stand."""

# One question a span, however many waybills meet it at once.
ONE_AT_A_TIME = "SELECT hold('courier unreachable')"
# The step stands in the text: so it has a key of its own (migration 0470).
OUTAGES = f"""
SELECT count(*) AS n, max(ticket_id) FILTER (WHERE state = 'open') AS open_one
FROM tickets WHERE step = '{UNREACHABLE}'"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class Waybill:
    child_no: str
    order_no: str
    waybill_no: str
    carrier: str
    phone: str


class TrackingStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def to_subscribe(self, limit: int) -> tuple[Waybill, ...]:
        """Waybills with a known courier that nobody follows, oldest first. Read only: asking again is harmless."""
        return tuple(Waybill(**row) for row in await self._pool.fetch(TO_SUBSCRIBE, limit))

    async def subscribed(self, child_nos: Sequence[str], waybill_no: str | None = None) -> None:
        """The waybills of these children are followed, or this one; tickets about them close by themselves."""
        children = [child_no for child_no in child_nos if not child_no.startswith(RETURN)]
        cases = [child_no.removeprefix(RETURN) for child_no in child_nos if child_no.startswith(RETURN)]
        own = [_ticket_id(child_no) for child_no in child_nos]
        for row in await self._pool.fetch(SUBSCRIBED, children, waybill_no, cases, own, UNREACHABLE):
            what = "the courier follows the parcel now" if row["ticket_id"] in own else "the courier answers again"
            await self._over(row["ticket_id"], what)

    async def _outages(self, connection: Connection) -> tuple[int, str | None]:
        """How many there were, and the ticket of the one that lasts."""
        row = await connection.fetchrow(OUTAGES)
        assert row is not None, "an aggregate has a row"
        return row["n"], row["open_one"]

    async def _over(self, ticket_id: str, what: str) -> None:
        """What has been done stands without it: an attempt that dies here is made again."""
        over = TicketResolution(ticket_id=ticket_id, action="evidence", remark=what, resolved_by="system")
        async with self._pool.acquire() as connection, connection.transaction():
            await resolve_ticket(connection, over, await connection.fetchval(NOW), outside=True)

    async def unreachable(self, child_no: str, error: str) -> None:
        """The courier did not answer: another try in half an hour, and one ticket for all waybills of the outage."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LATER, child_no)
            await connection.execute(BACK_LATER, child_no)
            await connection.execute(ONE_AT_A_TIME)
            before, open_one = await self._outages(connection)
            if open_one is None:
                ticket = TicketRecord(
                    ticket_id=f"T-kuaidi100-unreachable-{before + 1}",
                    system="kuaidi100",
                    step=UNREACHABLE,
                    error=error,
                    severity="urgent",
                    actions=("give_up",),
                    give_up_means="new waybills are tried again every half hour; until then scans come late",
                )
                await open_ticket(connection, ticket, None, await connection.fetchval(NOW), outside=True)

    async def not_subscribed(self, child_no: str, order_no: str, error: str) -> None:
        """The courier did not take it: a ticket, once per child, and another try in half an hour."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LATER, child_no)
            await connection.execute(BACK_LATER, child_no)
            ticket = TicketRecord(
                ticket_id=_ticket_id(child_no),
                system="kuaidi100",
                step="follow parcel",
                error=error,
                child_no=child_no,
                actions=("give_up",),
                give_up_means="the system tries again every half hour; until then scans have to be looked up by hand",
            )
            await open_ticket(connection, ticket, order_no, await connection.fetchval(NOW), outside=True)


def _ticket_id(child_no: str) -> str:
    return f"T-{child_no}-follow"
