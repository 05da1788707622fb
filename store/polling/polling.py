"""Who is to be asked about next, and how the asking goes: the cursor of every connector lies in these rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from domain.records import TicketRecord, TicketResolution
from store.polling.due import Kind, Round, Subject, back_in_line, take_turns
from store.pool import Connection, Pool, clean
from store.tickets.tickets import open_ticket, resolve_ticket

# They are being asked about now. Two carriers may have given the same number.
MARK = """
INSERT INTO pulls (connector, kind, number, pulled_at) SELECT DISTINCT $1, u.kind, u.number, $4::timestamptz
FROM unnest($2::text[], $3::text[]) AS u (kind, number)
ON CONFLICT (connector, kind, number) DO UPDATE SET pulled_at = excluded.pulled_at"""

# They were not asked about after all: each gets its place back.
UNMARK = """
MERGE INTO pulls p USING (
    SELECT DISTINCT * FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS u (kind, number, was)) u
ON p.connector = $1 AND p.kind = u.kind AND p.number = u.number
WHEN MATCHED AND u.was IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET pulled_at = u.was"""

# A person asks out of turn; the provider's limit holds for people too.
ASK_NOW = """
INSERT INTO pulls AS p (connector, kind, number, pulled_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (connector, kind, number) DO UPDATE SET pulled_at = excluded.pulled_at
    WHERE p.pulled_at <= excluded.pulled_at - $5::interval RETURNING number"""

# Nobody asks about these any more.
PRUNE = "DELETE FROM pulls WHERE pulled_at < $1"

LAST = "SELECT pulled_at FROM pulls WHERE connector = $1 AND kind = $2 AND number = $3"

# One tick more. `outages` counts up in the tick in which a person is to be told.
NOTE = """
INSERT INTO pull_connectors AS c (connector, ticked_at, answered_at, failed_ticks, outages, error, asked, found)
VALUES ($1, $2::timestamptz, CASE WHEN $3::boolean THEN NULL ELSE $2::timestamptz END, $3::integer,
    ($3 AND $7::integer = 1)::integer, $4, $5, $6)
ON CONFLICT (connector) DO UPDATE SET ticked_at = $2, error = $4, asked = c.asked + $5, found = c.found + $6,
    answered_at = CASE WHEN $3 THEN c.answered_at ELSE $2 END,
    failed_ticks = CASE WHEN $3 THEN c.failed_ticks + 1 ELSE 0 END,
    outages = c.outages + ($3 AND c.failed_ticks + 1 = $7)::integer
RETURNING failed_ticks, outages"""


@dataclass(frozen=True)
class Scope:
    """What one connector may be asked about. `carriers`: only these; `without`: all but these (parcels only)."""

    connector: str
    reads: Literal["money", "outbounds", "parcels"]
    carriers: tuple[str, ...] | None = None
    without: tuple[str, ...] | None = None

    def turn(self, spacing: timedelta, now: datetime) -> Round:
        if self.reads == "money":
            return Round(self.connector, ("payment", "refund"), spacing, now, scopes=(self.connector,))
        if self.reads == "outbounds":
            return Round(self.connector, ("outbound",), spacing, now)
        return Round(self.connector, ("parcel",), spacing, now, self.carriers, self.without)

    def takes(self, channel: str, subject: Subject) -> bool:
        """`channel`: through which its order is paid."""
        if subject.kind in ("payment", "refund"):
            return self.reads == "money" and self.connector == channel
        if subject.kind == "outbound":
            return self.reads == "outbounds"
        listed = self.carriers is None or subject.carrier in self.carriers
        return self.reads == "parcels" and listed and subject.carrier not in (self.without or ())


@dataclass(frozen=True)
class Tick:
    """What one round of asking came to. `error`: why nothing was answered; empty when something was."""

    asked: int
    found: int
    error: str = ""


class PullStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, scope: Scope, limit: int, spacing: timedelta, now: datetime) -> tuple[Subject, ...]:
        """The next ones to ask about, longest unasked first, marked as asked at `now`; none asked within `spacing`."""
        async with self._pool.acquire() as connection, connection.transaction():
            subjects = await take_turns(connection, scope.turn(spacing, now), limit)
            await _mark(connection, scope.connector, subjects, now)
        return subjects

    async def give_back(self, connector_name: str, subjects: Sequence[Subject]) -> None:
        """Claimed, but not asked about."""
        if subjects:
            args = ([s.kind for s in subjects], [s.number for s in subjects], [s.pulled_at for s in subjects])
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(UNMARK, connector_name, *args)
                await back_in_line(connection, subjects)

    async def may_ask(
        self, connector_name: str, kind: Kind, number: str, spacing: timedelta, now: datetime
    ) -> datetime | None:
        """None: go ahead, it is marked. Else when it was asked last, less than `spacing` ago."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(ASK_NOW, connector_name, kind, number, now, spacing) is not None:
                return None
            last: datetime = await connection.fetchval(LAST, connector_name, kind, number)
            return last

    async def prune(self, before: datetime) -> None:
        """Forget about whom nobody has asked since `before`."""
        await self._pool.execute(PRUNE, before)

    async def note(self, connector_name: str, tick: Tick, now: datetime, ticket_after: int) -> int:
        """Returns the failed ticks in a row. After `ticket_after` of them a person is told, once; the ticket closes by
        itself when the provider answers again."""
        async with self._pool.acquire() as connection, connection.transaction():
            args = (connector_name, now, bool(tick.error), clean(tick.error), tick.asked, tick.found, ticket_after)
            row = await connection.fetchrow(NOTE, *args)
            assert row is not None
            ticket_id = f"T-pull-{connector_name}-{row['outages']}"
            if row["failed_ticks"] == ticket_after:
                await open_ticket(connection, _outage(ticket_id, connector_name, tick.error), None, now, outside=True)
            elif not tick.error:
                answered = TicketResolution(
                    ticket_id=ticket_id, action="evidence", remark="it answers again", resolved_by="system"
                )
                await resolve_ticket(connection, answered, now, outside=True)
            failed: int = row["failed_ticks"]
            return failed


async def _mark(connection: Connection, connector_name: str, subjects: Sequence[Subject], now: datetime) -> None:
    if subjects:
        await connection.execute(MARK, connector_name, [s.kind for s in subjects], [s.number for s in subjects], now)


def _outage(ticket_id: str, connector_name: str, error: str) -> TicketRecord:
    return TicketRecord(
        ticket_id=ticket_id,
        system=connector_name,
        step="pull",
        error=f"it answers no question about our orders: {error}"[:500],
        severity="urgent",
        actions=("give_up",),
        give_up_means="asking goes on; until it answers, only its own messages bring news",
    )
