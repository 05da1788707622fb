"""Decisions that wait: the queue of a person, and one question with everything that helps to decide it."""

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.returns.models import ReturnView
from store.approvals.approvals import COLUMNS, GET, Approval, read_row
from store.console.scopes import SEEN, seen_by
from store.console.sessions import PersonScope
from store.pool import Connection, Pool, clean
from store.returns import reading
from store.returns.evidence import LIST as PICTURES
from store.returns.evidence import EvidenceRow

_COLUMNS = ", ".join(f"a.{name.strip()}" for name in COLUMNS.split(","))

# Of goods that are no order's: of a warehouse that the reader sees.
GOODS_SEEN = "($2::text[] IS NULL OR a.kind <> 'correct_stock' OR a.content #>> '{change,warehouse}' = ANY ($2))"

# What waits for one of these roles, or was asked by this person; who waits longest comes first.
QUEUE = f"""
SELECT {_COLUMNS}, r.due_at FROM approvals a LEFT JOIN orders o USING (order_no)
LEFT JOIN return_cases r ON r.return_no = a.subject
WHERE a.state = 'open' AND (a.role = ANY ($3) OR a.requested_by = $4) AND ($5::text[] IS NULL OR a.kind = ANY ($5))
    AND ($6::timestamptz IS NULL OR (a.opened_at, a.approval_id) > ($6, $7)) AND {SEEN} AND {GOODS_SEEN}
ORDER BY a.opened_at, a.approval_id LIMIT $8"""  # noqa: S608 - our own words

SOME = f"SELECT {_COLUMNS} FROM approvals a WHERE a.approval_id = ANY ($1)"  # noqa: S608

SEEN_OF = f"""
SELECT a.approval_id FROM approvals a LEFT JOIN orders o USING (order_no)
WHERE a.approval_id = ANY ($3) AND {SEEN} AND {GOODS_SEEN}"""  # noqa: S608

# What was asked about the same thing before.
EARLIER = f"""
SELECT {_COLUMNS} FROM approvals a WHERE a.subject = $1 AND a.approval_id <> $2 ORDER BY a.opened_at LIMIT 30"""  # noqa: S608

# Of all orders of this buyer that the reader sees.
HISTORY = f"""
SELECT r.return_no, r.order_no, r.type, r.status, r.reason, r.refunded_minor, o.currency, r.applied_at,
    count(*) OVER () AS cases, sum(r.refunded_minor) OVER (PARTITION BY o.currency)::bigint AS refunded_in_all
FROM orders o JOIN return_cases r USING (order_no)
WHERE o.buyer_id = (SELECT buyer_id FROM orders WHERE order_no = $3) AND r.return_no <> $4 AND {SEEN}
ORDER BY r.applied_at DESC, r.return_no DESC LIMIT 10"""  # noqa: S608

LINES = "SELECT line_id, sku, name, qty FROM order_lines WHERE order_no = $1 ORDER BY pos"


@dataclass(frozen=True)
class WaitingApproval:
    """`due_at`: as its case says; None: nothing of its own says when."""

    approval: Approval
    due_at: datetime | None


@dataclass(frozen=True)
class ApprovalQueuePage:
    """`next`: cursor of the following page; None on the last one."""

    approvals: tuple[WaitingApproval, ...]
    next: str | None


@dataclass(frozen=True)
class ApprovalContext:
    """`case` None: it is about no return. `seen`: its order is of a shop and a warehouse of the reader's."""

    approval: Approval
    seen: bool
    case: ReturnView | None
    lines: Mapping[str, Mapping[str, Any]]
    pictures: tuple[EvidenceRow, ...]
    earlier: tuple[Approval, ...]
    history: tuple[Mapping[str, Any], ...]


class ApprovalPages:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def queue(
        self, roles: Collection[str], person: str, kinds: Collection[str] | None, scope: PersonScope, *,
        limit: int, after: str | None,
    ) -> ApprovalQueuePage:  # fmt: skip
        """Raises `ValueError` for a cursor that is none of ours."""
        since, number = _from_cursor(after) if after else (None, None)
        wanted = None if kinds is None else sorted(kinds)
        rows = await self._pool.fetch(QUEUE, *seen_by(scope), sorted(roles), person, wanted, since, number, limit + 1)
        found = tuple(_waiting(dict(row)) for row in rows)
        last = found[limit - 1].approval if len(found) > limit else None
        return ApprovalQueuePage(found[:limit], _to_cursor(last) if last else None)

    async def some(self, numbers: Collection[str]) -> dict[str, Approval]:
        """By number; what is not there is left out."""
        rows = await self._pool.fetch(SOME, [clean(n) for n in numbers])
        return {row["approval_id"]: read_row(row) for row in rows}

    async def seen(self, numbers: Collection[str], scope: PersonScope) -> frozenset[str]:
        """Those of these questions whose shop and warehouse the reader sees."""
        rows = await self._pool.fetch(SEEN_OF, *seen_by(scope), [clean(n) for n in numbers])
        return frozenset(row["approval_id"] for row in rows)

    async def context(self, number: str, scope: PersonScope) -> ApprovalContext | None:
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            row = await connection.fetchrow(GET, clean(number))
            return None if row is None else await _context(connection, read_row(row), scope)


async def _context(connection: Connection, approval: Approval, scope: PersonScope) -> ApprovalContext:
    request, seen = approval.request, seen_by(scope)
    order_no = request.order_no
    case = await reading.view(connection, str(request.content.get("return_no", "")))
    lines = await connection.fetch(LINES, order_no)
    pictures = await connection.fetch(PICTURES, case.return_no) if case else []
    history = await connection.fetch(HISTORY, *seen, order_no, case.return_no if case else "") if order_no else []
    return ApprovalContext(
        approval=approval,
        seen=await connection.fetchval(SEEN_OF, *seen, [request.approval_id]) is not None,
        case=case,
        lines={line["line_id"]: dict(line) for line in lines},
        pictures=tuple(EvidenceRow(**picture) for picture in pictures),
        earlier=tuple(read_row(row) for row in await connection.fetch(EARLIER, request.subject, request.approval_id)),
        history=tuple(dict(row) for row in history),
    )


def _waiting(row: dict[str, Any]) -> WaitingApproval:
    due_at = row.pop("due_at")
    return WaitingApproval(read_row(row), due_at)


def _to_cursor(last: Approval) -> str:
    told = json.dumps([last.opened_at.isoformat(), last.request.approval_id])
    return base64.urlsafe_b64encode(told.encode()).decode()


def _from_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        at, number = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return datetime.fromisoformat(at), str(number)
    except (ValueError, TypeError):
        raise ValueError("this is not a page cursor of ours; start again from the first page") from None
