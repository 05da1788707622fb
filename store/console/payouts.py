"""Money that is to go back and has not: asked for, sent, or in a person's hands, since when, and whose turn it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from store.console.scopes import SEEN, seen_by
from store.console.sessions import PersonScope
from store.cursors import from_cursor, to_cursor
from store.pool import Pool

Turn = Literal["decides", "bank", "person", "channel", "system"]
ASKING = ("refund_application", "refund_payout", "refund_lowered", "cancel_paid")
"""Questions whose yes sends money back."""

# What nobody has decided yet comes before there is a refund; of a refund the bank's dispute stands above all, then what
# a person has in hand. Both parts read only what is open.
WAITING = f"""
WITH waiting AS (
    SELECT a.opened_at AS since, a.approval_id AS number, a.order_no, a.kind AS what, a.role AS who,
        'decides' AS turn, coalesce((a.content ->> 'amount_minor')::bigint, 0) AS amount_minor, NULL AS return_no
    FROM approvals a WHERE a.state = 'open' AND a.kind = ANY ($3)
    UNION ALL
    SELECT r.requested_at, r.refund_no, r.order_no, r.status, coalesce(o.start #>> '{{payment,channel}}', 'wechat'),
        CASE WHEN EXISTS (SELECT FROM chargebacks c WHERE c.order_no = r.order_no AND c.state = 'open') THEN 'bank'
            WHEN r.status = 'ABNORMAL' OR EXISTS (SELECT FROM tickets t WHERE t.order_no = r.order_no
                AND t.state = 'open' AND t.severity <> 'info' AND t.step LIKE '%refund%') THEN 'person'
            WHEN r.status = 'ACCEPTED' THEN 'channel' ELSE 'system' END,
        r.amount_minor, r.return_no
    FROM refunds r JOIN orders o USING (order_no) WHERE r.status NOT IN ('SUCCEEDED', 'CLOSED')
)
SELECT p.*, coalesce(o.currency, 'CNY') AS currency FROM waiting p LEFT JOIN orders o USING (order_no)
WHERE {SEEN} AND ($4::text IS NULL OR p.turn = $4)"""  # noqa: S608 - our own words

PAGE = f"""{WAITING} AND ($5::timestamptz IS NULL OR (p.since, p.number) > ($5, $6))
ORDER BY p.since, p.number LIMIT $7"""

SUMS = f"""
SELECT turn, currency, count(*) AS n, sum(amount_minor)::bigint AS amount_minor, min(since) AS since
FROM ({WAITING}) w GROUP BY turn, currency ORDER BY min(since)"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class WaitingPayout:
    """`what`: a refund's state, or the kind of the question; `who`: the role that decides, or the channel."""

    since: datetime
    number: str
    order_no: str | None
    what: str
    who: str
    turn: Turn
    amount_minor: int
    return_no: str | None
    currency: str


@dataclass(frozen=True)
class TurnSum:
    """`since`: of the oldest."""

    turn: Turn
    currency: str
    n: int
    amount_minor: int
    since: datetime


@dataclass(frozen=True)
class PayoutPage:
    rows: tuple[WaitingPayout, ...]
    next: str | None


class PayoutPages:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, scope: PersonScope, turn: str | None, limit: int, cursor: str | None = None) -> PayoutPage:
        """Longest waiting first. Raises `ValueError`."""
        when, number = from_cursor(cursor, datetime, str) if cursor else (None, None)
        args = (*seen_by(scope), list(ASKING), turn, when, number, limit + 1)
        rows = [WaitingPayout(**row) for row in await self._pool.fetch(PAGE, *args)]
        last = rows[limit - 1] if len(rows) > limit else None
        return PayoutPage(tuple(rows[:limit]), to_cursor(last.since, last.number) if last else None)

    async def sums(self, scope: PersonScope) -> Sequence[TurnSum]:
        """The one that waits longest first."""
        return [TurnSum(**row) for row in await self._pool.fetch(SUMS, *seen_by(scope), list(ASKING), None)]
