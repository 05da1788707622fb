"""The ownership check over pages of orders, and what is kept of its findings: one ticket a violation."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from domain.ownership import OwnerFault, OwnershipViolation
from domain.records import TicketRecord, TicketResolution
from store.ownership.money import MONEY
from store.ownership.units import OWNERS, UNITS
from store.pool import Pool, clean
from store.tickets.tickets import open_ticket, resolve_ticket

# Who owns what is worked out once, and both are found in it.
VIOLATIONS = f"""{OWNERS}{UNITS}{MONEY}
SELECT order_no, 1 AS part, pos, line_id, sku, child_no, holder, found, first_unit, units, 0::int8 AS amount_minor
FROM unit_violation
UNION ALL
SELECT order_no, 2, 0, '', '', '', holder, found, 0, 0, amount_minor FROM money_violation
ORDER BY order_no, part, pos, first_unit, found, holder"""  # noqa: S608 - our own text

PAGE = 500
STILL = timedelta(minutes=2)
"""What has written within this time may be half way between two writes, and is looked at next time."""

OPEN = "SELECT order_no FROM orders WHERE ended_at IS NULL AND order_no > $1 ORDER BY order_no LIMIT $2"

# Whose books have changed: of an order that has ended, only then can something be found that was not there before.
CHANGED = """
SELECT order_no FROM (
    SELECT order_no FROM orders WHERE updated_at > $1
    UNION SELECT order_no FROM return_cases WHERE updated_at > $1
    UNION SELECT order_no FROM refunds WHERE updated_at > $1
    UNION SELECT order_no FROM tickets WHERE opened_at > $1 OR resolved_at > $1
    UNION SELECT order_no FROM chargebacks WHERE opened_at > $1 OR decided_at > $1) changed
WHERE order_no > $2 ORDER BY order_no LIMIT $3"""
NUMBERS = 10_000
"""Order numbers that are read at once."""

# Orders with something that was found and has not healed.
FOUND = """
SELECT DISTINCT order_no FROM ownership_findings WHERE healed_at IS NULL AND order_no > $1 ORDER BY order_no LIMIT $2"""

COUNT = "SELECT count(*) FROM orders WHERE ended_at IS NULL"
ALL = "SELECT order_no FROM orders WHERE order_no > $1 ORDER BY order_no LIMIT $2"
COUNT_ALL = "SELECT count(*) FROM orders"

# Of these, the ones of which nothing has been written lately.
AT_REST = """
SELECT o.order_no FROM orders o WHERE o.order_no = ANY($1::text[]) AND o.updated_at <= $2
    AND NOT EXISTS (SELECT FROM return_cases c WHERE c.order_no = o.order_no AND c.updated_at > $2)"""

KNOWN = """
SELECT id, order_no, key FROM ownership_findings WHERE healed_at IS NULL AND order_no = ANY($1::text[]) ORDER BY id"""

# Two that look at once write it once.
KEEP = """
INSERT INTO ownership_findings (order_no, key, text, found_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (order_no, key) WHERE healed_at IS NULL DO NOTHING RETURNING id"""

HEAL = "UPDATE ownership_findings SET healed_at = $2 WHERE id = ANY($1::bigint[])"

# The statement builds its rows step by step, and PostgreSQL cannot know how many come out of a step: it expects a few,
# and loops. Of an order with thousands of lines that is time squared. What is looked up by a key still is.
# Without bitmaps it leaves the GiST indexes alone, which it takes for cheaper than they are; their place is the guard.
JOINED = """
SET LOCAL enable_nestloop = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off;
SET LOCAL plan_cache_mode = force_custom_plan"""

# In a database of a few small orders planning takes longer than anything else: once a connection is enough there.
PLANNED_ONCE = "SET LOCAL jit = off; SET LOCAL plan_cache_mode = force_generic_plan"

FINISHED = "SELECT max(at) FROM nightly_care WHERE task = $1 AND note <> ''"


class OwnershipStore:
    """`still`: how long nothing must have been written of an order, so that it is looked at. `small`: the database has
    a few small orders, as in a test, and is asked thousands of times."""

    def __init__(self, pool: Pool, *, still: timedelta = STILL, small: bool = False) -> None:
        self._pool = pool
        self._still = still
        self._plans = PLANNED_ONCE if small else JOINED

    async def violations(self, order_nos: Sequence[str], now: datetime) -> tuple[OwnershipViolation, ...]:
        """In the order of numbers, lines and units; money after units."""
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute(self._plans)
            rows = await connection.fetch(VIOLATIONS, list(order_nos), now - self._still)
        return tuple(_violation(dict(row)) for row in rows)

    async def at_rest(self, order_nos: Sequence[str], now: datetime) -> tuple[str, ...]:
        """Those that are looked at: nothing was written of them lately."""
        return tuple(r["order_no"] for r in await self._pool.fetch(AT_REST, list(order_nos), now - self._still))

    async def count(self, *, ended_too: bool = False) -> int:
        return int(await self._pool.fetchval(COUNT_ALL if ended_too else COUNT))

    async def open_orders(self, *, ended_too: bool = False) -> AsyncIterator[tuple[str, ...]]:
        """Page by page."""
        async for page in self._by_number(ALL if ended_too else OPEN):
            yield page

    async def to_look_at(self, since: datetime) -> AsyncIterator[tuple[str, ...]]:
        """Open orders, those whose books have changed since, and those with something found; some of them twice."""
        async for page in self._by_number(OPEN):
            yield page
        after = ""
        while rows := await self._pool.fetch(CHANGED, since, after, NUMBERS):
            for start in range(0, len(rows), PAGE):
                yield tuple(row["order_no"] for row in rows[start : start + PAGE])
            after = rows[-1]["order_no"]
        async for page in self._by_number(FOUND):
            yield page

    async def last_run(self, task: str) -> datetime | None:
        """When the last night's work that was finished began."""
        at: datetime | None = await self._pool.fetchval(FINISHED, task)
        return at

    async def settle(
        self, order_nos: Sequence[str], found: Sequence[OwnershipViolation], now: datetime
    ) -> tuple[int, int]:
        """A ticket for what is new; what was found before and is gone closes its ticket. Returns how many of each.

        Orders that are still moving keep what was found of them.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            rest = {r["order_no"] for r in await connection.fetch(AT_REST, list(order_nos), now - self._still)}
            stands = {(v.order_no, v.key) for v in found}
            known = await connection.fetch(KNOWN, sorted(rest))
            healed = [row["id"] for row in known if (row["order_no"], row["key"]) not in stands]
            await connection.execute(HEAL, healed, now)
            for number in healed:
                await resolve_ticket(connection, _gone(number), now, outside=True)
            opened = 0
            for violation in found:
                args = (violation.order_no, violation.key, clean(violation.text), now)
                number = await connection.fetchval(KEEP, *args)
                if number is not None:
                    opened += 1
                    await open_ticket(connection, _ticket(number, violation), violation.order_no, now, outside=True)
        return opened, len(healed)

    async def _by_number(self, sql: str) -> AsyncIterator[tuple[str, ...]]:
        after = ""
        while rows := await self._pool.fetch(sql, after, PAGE):
            yield tuple(row["order_no"] for row in rows)
            after = rows[-1]["order_no"]


def _violation(row: dict[str, Any]) -> OwnershipViolation:
    del row["part"], row["pos"]
    return OwnershipViolation(**row | {"found": OwnerFault(row["found"])})


def _ticket(number: int, violation: OwnershipViolation) -> TicketRecord:
    return TicketRecord(
        ticket_id=f"T-own-{number}",
        system="ownership",
        step="one owner",
        error=violation.text[:500],
        severity="urgent",
        child_no=violation.child_no or None,
        actions=("give_up",),
        give_up_means="a person has settled it; the next nightly check looks again",
    )


def _gone(number: int) -> TicketResolution:
    return TicketResolution(
        ticket_id=f"T-own-{number}", action="evidence", remark="it has one owner again", resolved_by="system"
    )
