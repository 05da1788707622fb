"""Trying, publishing and stopping automations, and looking at what they did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.access.loosening_books import stopped_with
from domain.automation.conditions import fault_of, holds
from domain.automation.model import TIMED, Automation, AutomationBook
from domain.records import AuditEntry, TicketRecord
from store.audit.audit import append_entry
from store.automation.acting import fact_key
from store.automation.books import PublishedBook, newest_book, publish_book
from store.automation.happenings import facts_of, happened
from store.errors import AutomationRefused
from store.pool import Connection, Pool
from store.tickets.tickets import open_ticket

TRIED_WITHIN = timedelta(days=7)
MOST_LOOKED_AT = 20_000
MOST_SHOWN = 500

KEEP_TRIAL = """
INSERT INTO automation_trials (content_hash, automation, days, looked_at, would_do, tried_by, tried_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""
TRIED = "SELECT EXISTS (SELECT FROM automation_trials WHERE content_hash = $1 AND tried_at > $2)"
SWITCH = "SELECT running, changed_by, changed_at, why FROM automation_switch"
TURN = "UPDATE automation_switch SET running = $1, changed_by = $2, changed_at = $3, why = $4 WHERE running <> $1"
RUNS = """
SELECT r.automation_id, r.order_no, r.version, r.trigger, r.child_no, r.ref, r.happened_at, r.condition, r.facts,
    r.action, r.state, r.said, r.at, r.finished_at, e.outcome AS order_outcome, e.note AS order_said
FROM automation_runs r JOIN orders o USING (order_no)
LEFT JOIN LATERAL (SELECT outcome, note FROM order_events e WHERE e.order_no = r.order_no
    AND e.key = $6 || r.automation_id || ':' || r.order_no ORDER BY e.id LIMIT 1) e ON true
WHERE ($1::text IS NULL OR r.automation_id = $1) AND ($2::text IS NULL OR r.order_no = $2)
    AND ($3::text[] IS NULL OR o.channel = ANY ($3)) AND ($4::text[] IS NULL OR EXISTS (
        SELECT FROM child_orders c WHERE c.order_no = r.order_no AND c.warehouse = ANY ($4)))
ORDER BY r.at DESC, r.order_no LIMIT $5"""


@dataclass(frozen=True)
class Trial:
    """`would_do`: order, what it is about and when, each order once, the oldest first; `more`: beyond those shown."""

    looked_at: int
    would_do: tuple[Mapping[str, Any], ...]
    more: int

    @property
    def orders(self) -> int:
        return len(self.would_do) + self.more


@dataclass(frozen=True)
class Switch:
    running: bool
    changed_by: str
    changed_at: datetime
    why: str


@dataclass(frozen=True)
class RunRow:
    """`facts`: what the condition has read. `order_outcome`, `order_said`: what the order made of it, where it had to
    do something and has heard of it."""

    automation_id: str
    order_no: str
    version: int
    trigger: str
    child_no: str | None
    ref: str
    happened_at: datetime
    condition: str
    facts: Mapping[str, Any]
    action: Mapping[str, Any]
    state: str
    said: str
    at: datetime
    finished_at: datetime | None
    order_outcome: str | None
    order_said: str | None


class AutomationDesk:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def book(self) -> AutomationBook:
        """What counts now."""
        async with self._pool.acquire() as connection:
            return _read(await newest_book(connection, "automations"))

    async def switch(self) -> Switch:
        row = await self._pool.fetchrow(SWITCH)
        assert row is not None
        return Switch(**row)

    async def runs(
        self, *, automation_id: str | None = None, order_no: str | None = None, channels: list[str] | None = None,
        warehouses: list[str] | None = None, limit: int = 100,
    ) -> tuple[RunRow, ...]:  # fmt: skip
        """Newest first; of these shops and warehouses alone."""
        rows = await self._pool.fetch(RUNS, automation_id, order_no, channels, warehouses, limit, fact_key("", "")[:-1])
        return tuple(RunRow(**row) for row in rows)

    async def try_on_past(self, one: Automation, days: int, by: str, at: datetime) -> Trial:
        """What it would have done in the last days; kept, so that it may be published. Raises `AutomationRefused`."""
        if why := fault_of(one):
            raise AutomationRefused(why)
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            found = await trial(connection, one, at - timedelta(days=days), at)
            plain = one.model_dump(mode="json")
            shown = [dict(row) for row in found.would_do]
            args = (one.content_hash, plain, days, found.looked_at, shown, by, at)
            await connection.execute(KEEP_TRIAL, *args)
        return found

    async def stop(self, why: str, by: str, at: datetime) -> bool:
        """All of them, at once: when this returns nothing more is done by any. False: they were stopped already."""
        async with self._pool.acquire() as connection, connection.transaction():
            if (await connection.execute(TURN, False, by, at, why)) == "UPDATE 0":
                return False
            await connection.execute("DELETE FROM automation_listens")
            await connection.execute("DELETE FROM automation_events")
            entry = AuditEntry(actor=by, action="automations.stop", detail={"why": why})
            await append_entry(connection, entry, at)
            await _tell_what_is_not_kept(connection, by, why, at)
            return True


async def _tell_what_is_not_kept(connection: Connection, by: str, why: str, at: datetime) -> None:
    """Orders that were held, or asked about, go on unseen: one person is enough to stop, and all others hear of it."""
    lines = stopped_with(_read(await newest_book(connection, "automations")))
    if not lines:
        return
    ticket = TicketRecord(
        ticket_id=f"T-automations-{at:%Y%m%d%H%M%S}", system="orders", step="automations stopped", severity="urgent",
        error=f"{by} has stopped all automations ({why}): {'; '.join(lines)}"[:500], actions=("give_up",),
        give_up_means="orders go on without them until they are published again",
    )  # fmt: skip
    await open_ticket(connection, ticket, None, at, outside=True)


async def trial(connection: Connection, one: Automation, since: datetime, until: datetime) -> Trial:
    """An order is done something to once: by the first that fits."""
    some = await happened(connection, one.on, since, until, MOST_LOOKED_AT)
    would: dict[str, dict[str, Any]] = {}
    for first in range(0, len(some), 1_000):
        part = some[first : first + 1_000]
        for what, facts in zip(part, await facts_of(connection, one.on.trigger, part), strict=True):
            if facts is not None and what.order_no not in would and holds(one, facts):
                would[what.order_no] = {"order_no": what.order_no, "ref": what.ref, "at": what.at.isoformat()}
    rows = tuple(would.values())
    return Trial(len(some), rows[:MOST_SHOWN], max(len(rows) - MOST_SHOWN, 0))


async def insist_tried(connection: Connection, wanted: AutomationBook, at: datetime) -> None:
    """Raises `AutomationRefused` for what cannot be kept, or moves goods or money and was not tried as it is."""
    now = _read(await newest_book(connection, "automations"))
    for one in wanted.automations:
        if why := fault_of(one):
            raise AutomationRefused(why)
        known = now.find(one.id)
        same = known is not None and known.content_hash == one.content_hash and known.enabled
        needs_trial = one.enabled and one.moves and not same
        if needs_trial and not await connection.fetchval(TRIED, one.content_hash, at - TRIED_WITHIN):
            raise AutomationRefused(
                f"{one.id} moves goods or money and was not tried on past orders as it is: `oms automation try`"
            )


async def publish_automations(
    connection: Connection, wanted: AutomationBook, *, based_on: int, by: str, approval_id: str, at: datetime
) -> int:
    """Inside a transaction. What is as it was counts on since then; all begin anew when they had been stopped."""
    await insist_tried(connection, wanted, at)
    last = await newest_book(connection, "automations")
    stopped = (await connection.execute(TURN, True, by, at, "")) != "UPDATE 0"
    before = _read(last)
    since = {
        one.id: at.isoformat() if stopped or last is None or before.find(one.id) != one else last.since[one.id]
        for one in wanted.automations
    }
    content = wanted.model_dump(mode="json", exclude={"version"})
    version = await publish_book(
        connection, "automations", content, since, based_on=based_on, by=by, approval_id=approval_id, at=at
    )
    told = sorted({o.on.trigger.value for o in wanted.automations if o.enabled and o.on.trigger not in TIMED})
    await connection.execute("DELETE FROM automation_listens")
    await connection.execute("INSERT INTO automation_listens SELECT unnest($1::text[])", told)
    return version


def _read(book: PublishedBook | None) -> AutomationBook:
    return AutomationBook() if book is None else book.read(AutomationBook)
