"""Money for the pages of finance: payments, refunds, chargebacks, money from outside, and the bills of channels."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from store.console.sessions import PersonScope
from store.cursors import from_cursor, to_cursor
from store.pool import Pool

SHANGHAI = ZoneInfo("Asia/Shanghai")

# By kind: moment, number, channel, amount, state and what else is told, each under the same name.
_KINDS: Mapping[str, str] = {
    "payments": """SELECT m.booked_at AS at, m.key AS number, m.order_no, m.channel, m.amount_minor, m.currency,
        'PAID' AS state, m.transaction_id AS detail FROM payments m""",
    "refunds": """SELECT m.requested_at AS at, m.refund_no AS number, m.order_no,
        coalesce(o.start #>> '{payment,channel}', 'wechat') AS channel, m.amount_minor, o.currency, m.status AS state,
        m.reason AS detail FROM refunds m""",
    "chargebacks": """SELECT m.opened_at AS at, m.chargeback_id AS number, m.order_no, p.channel, m.amount_minor,
        p.currency, m.state, m.payment_key AS detail FROM chargebacks m JOIN payments p ON p.key = m.payment_key""",
    "outside": """SELECT m.found_at AS at, m.money_no::text AS number, m.order_no, m.source AS channel,
        coalesce(m.amount_minor, 0) AS amount_minor, coalesce(m.currency, o.currency) AS currency,
        coalesce(b.book_as, 'waits') AS state, m.kind || ' ' || m.number || ' ' || m.why AS detail
        FROM outside_money m LEFT JOIN outside_bookings b USING (money_no)""",
}
_AT = {"payments": "booked_at", "refunds": "requested_at", "chargebacks": "opened_at", "outside": "found_at"}
_KEY = {"payments": "key", "refunds": "refund_no", "chargebacks": "chargeback_id", "outside": "money_no"}
_WAITS = {
    "payments": "false",
    "refunds": "m.status IN ('REQUESTED', 'ACCEPTED', 'ABNORMAL')",
    "chargebacks": "m.state = 'open'",
    "outside": "b.money_no IS NULL",
}
_SEEN = """($1::text[] IS NULL OR o.channel = ANY ($1)) AND ($2::text[] IS NULL OR EXISTS (
    SELECT FROM child_orders w WHERE w.order_no = o.order_no AND w.warehouse = ANY ($2)))"""
# The same of money that says of itself what is told: whoever sees all shops looks up no order for it.
_SEEN_ALONE = f"""(($1::text[] IS NULL AND $2::text[] IS NULL) OR EXISTS (
    SELECT FROM orders o WHERE o.order_no = m.order_no AND {_SEEN}))"""
_ALONE = frozenset({"payments", "chargebacks"})
KINDS = tuple(_KINDS)

# What a channel moved on a day, as our books have it; `unmatched`: found that day, and not decided yet.
TOTALS = f"""
SELECT m.channel, 'payments' AS kind, m.currency, count(*) AS n, sum(m.amount_minor)::bigint AS amount_minor
FROM payments m WHERE m.booked_at >= $3 AND m.booked_at < $4 AND {_SEEN_ALONE}
GROUP BY m.channel, m.currency
UNION ALL
SELECT coalesce(o.start #>> '{{payment,channel}}', 'wechat'), 'refunds', o.currency, count(*),
    sum(m.amount_minor)::bigint
FROM refunds m JOIN orders o USING (order_no)
WHERE m.status = 'SUCCEEDED' AND m.updated_at >= $3 AND m.updated_at < $4 AND {_SEEN} GROUP BY 1, o.currency
UNION ALL
SELECT m.source, 'unmatched', coalesce(m.currency, o.currency), count(*), coalesce(sum(m.amount_minor), 0)::bigint
FROM outside_money m JOIN orders o USING (order_no) LEFT JOIN outside_bookings b USING (money_no)
WHERE b.money_no IS NULL AND m.found_at >= $3 AND m.found_at < $4 AND {_SEEN} GROUP BY 1, 3
ORDER BY 1, 2"""  # noqa: S608 - our own words

# Bills of the last days, with what they lack of our books.
BILLS = """
SELECT b.channel, b.day, b.lines, b.found, b.strange, b.read_at,
    (SELECT count(*) FROM bill_gaps g WHERE g.channel = b.channel AND g.day = b.day AND g.healed_at IS NULL) AS lacking
FROM trade_bills b WHERE b.day >= $1 ORDER BY b.day DESC, b.channel"""


@dataclass(frozen=True)
class MoneyRow:
    """`detail`: the transaction, the reason, or what the source says."""

    at: datetime
    number: str
    order_no: str
    channel: str
    amount_minor: int
    currency: str
    state: str
    detail: str


@dataclass(frozen=True)
class MoneyPage:
    rows: tuple[MoneyRow, ...]
    next: str | None


@dataclass(frozen=True)
class MoneyFilter:
    """`waits`: what is not at its end. `day`: of Shanghai."""

    kind: str
    waits: bool = False
    day: date | None = None
    order_no: str | None = None


@dataclass(frozen=True)
class ChannelTotal:
    channel: str
    kind: str
    currency: str
    n: int
    amount_minor: int


@dataclass(frozen=True)
class BillDay:
    """`lines`: of the bill; `found`: of them unknown to our books; `lacking`: ours that it does not have."""

    channel: str
    day: date
    lines: int
    found: int
    strange: int
    read_at: datetime
    lacking: int


class MoneyPages:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, scope: PersonScope, wanted: MoneyFilter, limit: int, cursor: str | None = None) -> MoneyPage:
        """Newest first. Raises `ValueError`."""
        sql, args = money_query(scope, wanted, limit, cursor)
        rows = tuple(MoneyRow(**row) for row in await self._pool.fetch(sql, *args))
        last = rows[limit - 1] if len(rows) > limit else None
        return MoneyPage(rows[:limit], to_cursor(last.at, last.number) if last else None)

    async def totals(self, scope: PersonScope, day: date) -> tuple[ChannelTotal, ...]:
        return tuple(
            ChannelTotal(**row) for row in await self._pool.fetch(TOTALS, *_seen(scope), *_day(day))
        )  # fmt: skip

    async def bills(self, since: date) -> tuple[BillDay, ...]:
        return tuple(BillDay(**row) for row in await self._pool.fetch(BILLS, since))


def money_query(scope: PersonScope, wanted: MoneyFilter, limit: int, cursor: str | None) -> tuple[str, list[Any]]:
    """One row more than asked for tells of more pages."""
    kind = wanted.kind
    at, key = f"m.{_AT[kind]}", f"m.{_KEY[kind]}"
    args: list[Any] = [*_seen(scope), limit + 1]
    alone = kind in _ALONE
    conditions = [_SEEN_ALONE if alone else _SEEN]
    if wanted.waits:
        conditions.append(_WAITS[kind])
    if wanted.day is not None:
        args += _day(wanted.day)
        conditions.append(f"{at} >= ${len(args) - 1} AND {at} < ${len(args)}")
    if wanted.order_no is not None:
        args.append(wanted.order_no)
        conditions.append(f"m.order_no = ${len(args)}")
    if cursor is not None:
        when, number = from_cursor(cursor, datetime, str)
        args += [when, int(number) if kind == "outside" else number]
        conditions.append(f"({at}, {key}) < (${len(args) - 1}, ${len(args)})")
    # Only texts of this file go into the statement; every value is a parameter.
    return (
        f"{_KINDS[kind]}{'' if alone else ' JOIN orders o ON o.order_no = m.order_no'} "
        f"WHERE {' AND '.join(conditions)} "
        f"ORDER BY {at} DESC, {key} DESC LIMIT $3",
        args,
    )


def _seen(scope: PersonScope) -> list[list[str] | None]:
    return [None if names is None else sorted(names) for names in (scope.channels, scope.warehouses)]


def _day(day: date) -> list[datetime]:
    begin = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    return [begin, begin + timedelta(days=1)]
