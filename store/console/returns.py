"""Returns as pages show them: the list, one case whole, and what of an order can still be sent back."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.returns.models import ReturnView
from store.approvals.approvals import COLUMNS, Approval, read_row
from store.console.scopes import ORDER_IS_SEEN, SEEN, seen_by
from store.console.sessions import PersonScope
from store.forms.judging import SLIP
from store.pool import Pool, clean
from store.returns import reading
from store.returns.codes import ISSUED
from store.returns.evidence import LIST as PICTURES
from store.returns.evidence import EvidenceRow
from store.tickets.tickets import COLUMNS as TICKET_COLUMNS
from store.tickets.tickets import TicketRow, read_ticket

_LIST = f"""
SELECT r.return_no, r.order_no, r.type, r.status, r.reason, r.sla_owner, r.due_at, r.waiting_for, r.needs_attention,
    r.applied_at, r.ended_at, r.refunded_minor, (r.admitted #>> '{{quote,total_minor}}')::bigint AS amount_minor,
    o.currency, o.channel, o.buyer_id
FROM return_cases r JOIN orders o USING (order_no) WHERE {SEEN}"""  # noqa: S608 - our own words

# Only conditions that are asked for are written, so that each finds its index.
_CONDITIONS = {
    "turn": "r.sla_owner = {} AND r.ended_at IS NULL",
    "status": "r.status = {}",
    "type": "r.type = {}",
    "search": """r.return_no IN (
        SELECT return_no FROM return_cases WHERE return_no = {0} OR order_no = {0}
        UNION ALL SELECT return_no FROM return_parcels WHERE waybill_no = {0}
        UNION ALL SELECT c.return_no FROM return_cases c JOIN orders b USING (order_no) WHERE b.buyer_id = {0})""",
}
_OPEN = "r.ended_at IS NULL"

APPROVALS = f"SELECT {COLUMNS} FROM approvals WHERE subject = $1 ORDER BY opened_at LIMIT 50"  # noqa: S608

# Its own, and none of a case whose number begins alike.
TICKETS = f"""
SELECT {TICKET_COLUMNS} FROM tickets
WHERE order_no = $2 AND regexp_replace(ticket_id, '-[^-]+$', '') = 'T-' || $1
ORDER BY opened_at DESC LIMIT 50"""  # noqa: S608

ORDER = "SELECT order_no, channel, buyer_id, currency, status, payment_status FROM orders WHERE order_no = $1"

# What is left of each line for a case, and how much of it has left the warehouse.
LINES = """
SELECT line_id, sku, name, qty, shipped_units, qty - refunded_units - returning_units AS free
FROM order_lines WHERE order_no = $1 ORDER BY pos"""


@dataclass(frozen=True)
class ReturnFilter:
    """What is None does not narrow. `turn`: the role whose turn it is; `search`: a return's, an order's or a waybill's
    number, or a buyer."""

    turn: str | None = None
    status: str | None = None
    type: str | None = None
    search: str | None = None
    open_only: bool = False


@dataclass(frozen=True)
class ReturnPage:
    """Rows as plain mappings, keys as the columns are named in this file. `next`: cursor of the following page."""

    rows: tuple[Mapping[str, Any], ...]
    next: str | None


@dataclass(frozen=True)
class ReturnContext:
    """`seen`: its order is of a shop and a warehouse of the reader's."""

    case: ReturnView
    seen: bool
    order: Mapping[str, Any]
    lines: Mapping[str, Mapping[str, Any]]
    pictures: tuple[EvidenceRow, ...]
    approvals: tuple[Approval, ...]
    tickets: tuple[TicketRow, ...]


@dataclass(frozen=True)
class ReturnableOrder:
    order: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class CaseWithCode:
    """What stands on its slip."""

    case: ReturnView
    code: str
    lines: Mapping[str, Mapping[str, Any]]
    slip_no: str | None = None


class ReturnPages:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, wanted: ReturnFilter, scope: PersonScope, limit: int, after: str | None) -> ReturnPage:
        """Newest first. Raises `ValueError` for a cursor that is none of ours."""
        args: list[Any] = [*seen_by(scope)]
        conditions = [_OPEN] if wanted.open_only else []
        for name, condition in _CONDITIONS.items():
            value = getattr(wanted, name)
            if value is not None:
                args.append(value)
                conditions.append(condition.format(f"${len(args)}"))
        if after is not None:
            args.extend(_from_cursor(after))
            conditions.append(f"(r.applied_at, r.return_no) < (${len(args) - 1}, ${len(args)})")
        args.append(limit + 1)
        # Only texts of this file go into the statement; every value is a parameter.
        sql = " AND ".join([_LIST, *conditions]) + f" ORDER BY r.applied_at DESC, r.return_no DESC LIMIT ${len(args)}"
        rows = tuple(dict(row) for row in await self._pool.fetch(sql, *args))
        last = rows[limit - 1] if len(rows) > limit else None
        return ReturnPage(rows[:limit], _to_cursor(last) if last else None)

    async def context(self, return_no: str, scope: PersonScope) -> ReturnContext | None:
        number = clean(return_no)
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            case = await reading.view(connection, number)
            if case is None:
                return None
            order = await connection.fetchrow(ORDER, case.order_no)
            tickets = await connection.fetch(TICKETS, number, case.order_no)
            return ReturnContext(
                case=case,
                seen=bool(await connection.fetchval(ORDER_IS_SEEN, *seen_by(scope), case.order_no)),
                order=dict(order) if order else {},
                lines={line["line_id"]: dict(line) for line in await connection.fetch(LINES, case.order_no)},
                pictures=tuple(EvidenceRow(**row) for row in await connection.fetch(PICTURES, number)),
                approvals=tuple(read_row(row) for row in await connection.fetch(APPROVALS, number)),
                tickets=tuple(read_ticket(row) for row in tickets),
            )

    async def with_code(self, return_no: str) -> CaseWithCode | None:
        """None: there is no such case, or it has no code (yet)."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            case = await reading.view(connection, return_no)
            code = await connection.fetchval(ISSUED, return_no)
            if case is None or code is None:
                return None
            lines = await connection.fetch(LINES, case.order_no)
            slip_no = await connection.fetchval(SLIP, return_no)
        return CaseWithCode(case, code, {line["line_id"]: dict(line) for line in lines}, slip_no)

    async def returnable(self, order_no: str) -> ReturnableOrder | None:
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            order = await connection.fetchrow(ORDER, clean(order_no))
            if order is None:
                return None
            lines = await connection.fetch(LINES, order["order_no"])
            return ReturnableOrder(dict(order), tuple(dict(line) for line in lines))


def _to_cursor(last: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([last["applied_at"].isoformat(), last["return_no"]]).encode()).decode()


def _from_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        at, number = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return datetime.fromisoformat(at), str(number)
    except (ValueError, TypeError):
        raise ValueError("this is not a page cursor of ours; start again from the first page") from None
