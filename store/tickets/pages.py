"""Pages of the ticket queue for people who look at it, narrowed down by filters; and tickets that are alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.access.teams import FINANCE_SYSTEMS, FINANCE_WORDS, SERVICE_SYSTEMS, TECH_STEPS, WAREHOUSE_SYSTEMS, Team
from store.cursors import from_cursor, to_cursor
from store.pool import Pool
from store.tickets.tickets import COLUMNS, TicketRow, read_ticket


def _words(words: frozenset[str]) -> str:
    return ", ".join("'" + word.replace("'", "''") + "'" for word in sorted(words))


_MONEY = " OR ".join("strpos(t.step, '{}') > 0".format(word.replace("'", "''")) for word in FINANCE_WORDS)
TEAM = f"""CASE WHEN t.step IN ({_words(TECH_STEPS)}) THEN '{Team.TECH}'
    WHEN t.system IN ({_words(FINANCE_SYSTEMS)}) OR {_MONEY} THEN '{Team.FINANCE}'
    WHEN t.system IN ({_words(WAREHOUSE_SYSTEMS)}) THEN '{Team.WAREHOUSE}'
    WHEN t.system IN ({_words(SERVICE_SYSTEMS)}) THEN '{Team.SERVICE}' ELSE '{Team.TECH}' END"""
"""As `team_of` says it."""
LOUDEST = "array_position(ARRAY['urgent', 'normal', 'info'], t.severity)"


@dataclass(frozen=True)
class TicketFilter:
    """What is None does not narrow. `number`: of a ticket, an order or a parcel. `channels`, `warehouses`: what the
    reader sees; a ticket of no order is everybody's."""

    is_open: bool = True
    team: Team | None = None
    severity: str | None = None
    system: str | None = None
    step: str | None = None
    owner: str | None = None
    unowned: bool | None = None
    opened_before: datetime | None = None
    number: str | None = None
    action: str | None = None
    channels: frozenset[str] | None = None
    warehouses: frozenset[str] | None = None


@dataclass(frozen=True)
class TicketPage:
    """`next`: cursor of the following page; None on the last one."""

    tickets: tuple[TicketRow, ...]
    next: str | None


@dataclass(frozen=True)
class AlikeTickets:
    """Open tickets that ask the same of the same system."""

    system: str
    step: str
    n: int
    since: datetime


_CONDITIONS = {
    "team": f"{TEAM} = {{}}",
    "severity": "t.severity = {}",
    "system": "t.system = {}",
    "step": "t.step = {}",
    "owner": "t.owner = {}",
    "opened_before": "t.opened_at <= {}",
    "number": "(t.ticket_id = {0} OR t.order_no = {0} OR t.child_no = {0})",
    "action": "{} = ANY (t.actions)",
    "channels": """(t.order_no IS NULL OR EXISTS (
        SELECT FROM orders o WHERE o.order_no = t.order_no AND o.channel = ANY ({})))""",
    "warehouses": """(t.order_no IS NULL OR EXISTS (
        SELECT FROM child_orders w WHERE w.order_no = t.order_no AND w.warehouse = ANY ({})))""",
}


class TicketPages:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, wanted: TicketFilter, limit: int, cursor: str | None = None) -> TicketPage:
        """Open ones: the loudest first, of these the oldest. Answered ones: the newest first. Raises `ValueError`."""
        sql, args = page_query(wanted, limit, cursor)
        found = tuple(read_ticket(row) for row in await self._pool.fetch(sql, *args))
        if len(found) <= limit:
            return TicketPage(found, None)
        last = found[limit - 1]
        loud = ("urgent", "normal", "info").index(last.severity) + 1
        keys = (loud, last.opened_at, last.ticket_id) if wanted.is_open else (last.opened_at, last.ticket_id)
        return TicketPage(found[:limit], to_cursor(*keys))

    async def sees(self, ticket_id: str, wanted: TicketFilter) -> bool:
        """Whether it is there, for a reader who sees that much."""
        where, args = _where(wanted)
        args.append(ticket_id)
        sql = f"SELECT EXISTS (SELECT FROM tickets t WHERE t.ticket_id = ${len(args)} {where})"  # noqa: S608
        seen: bool = await self._pool.fetchval(sql, *args)
        return seen

    async def by_team(self, wanted: TicketFilter) -> dict[str, int]:
        where, args = _where(wanted)
        sql = f"SELECT {TEAM} AS team, count(*) AS n FROM tickets t WHERE t.state = 'open' {where} GROUP BY 1"  # noqa: S608
        return {row["team"]: row["n"] for row in await self._pool.fetch(sql, *args)}

    async def alike(self, wanted: TicketFilter, limit: int = 5) -> tuple[AlikeTickets, ...]:
        """Questions that at least two open tickets ask, the most frequent first."""
        where, args = _where(wanted)
        args.append(limit)
        sql = f"""SELECT t.system, t.step, count(*) AS n, min(t.opened_at) AS since FROM tickets t
            WHERE t.state = 'open' {where} GROUP BY t.system, t.step HAVING count(*) > 1
            ORDER BY n DESC, t.system, t.step LIMIT ${len(args)}"""  # noqa: S608 - our own words
        return tuple(AlikeTickets(**row) for row in await self._pool.fetch(sql, *args))


def page_query(wanted: TicketFilter, limit: int, cursor: str | None) -> tuple[str, list[Any]]:
    """One row more than asked for tells of more pages."""
    where, args = _where(wanted)
    args.append(limit + 1)
    limited = f"LIMIT ${len(args)}"
    if wanted.is_open:
        keys, order = f"({LOUDEST}, t.opened_at, t.ticket_id) > ", f"{LOUDEST}, t.opened_at, t.ticket_id"
        kinds: tuple[type, ...] = (int, datetime, str)
    else:
        keys, order = "(t.opened_at, t.ticket_id) < ", "t.opened_at DESC, t.ticket_id DESC"
        kinds = (datetime, str)
    if cursor is not None:
        begin = len(args) + 1
        args += from_cursor(cursor, *kinds)
        places = [f"${begin + i}" + ("::int" if kind is int else "") for i, kind in enumerate(kinds)]
        where += f" AND {keys}({', '.join(places)})"
    state = "t.state = 'open'" if wanted.is_open else "t.state <> 'open'"
    # Only texts of this file go into the statement; every value is a parameter.
    return f"SELECT {COLUMNS} FROM tickets t WHERE {state} {where} ORDER BY {order} {limited}", args  # noqa: S608


def _where(wanted: TicketFilter) -> tuple[str, list[Any]]:
    args: list[Any] = []
    conditions = [] if wanted.unowned is None else [f"(t.owner IS NULL) = {wanted.unowned}"]
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if value is not None:
            args.append(sorted(value) if isinstance(value, frozenset) else value)
            conditions.append(condition.format(f"${len(args)}"))
    return "".join(f" AND {condition}" for condition in conditions), args
