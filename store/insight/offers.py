"""Offers in the books: which units come into question, who was offered what, and what became of it (R62)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.insight.facts import OfferedUnits
from domain.insight.periods import Span
from domain.outbound.published import EventType, OfferMade
from domain.returns.offers import Ends, OfferedUnit, OfferTerms, offer_at
from domain.returns.windows import SHOP_TIME
from store.errors import NobodyListens
from store.outbox import is_heard, publish_offer
from store.pool import Connection, Pool, Row

AT_ONCE = 500
LONGEST_S = 60

# A return that the unit of a row `q` is, or was, in: its claims stay when it has ended.
_CASES = """SELECT FROM unit_claims k JOIN return_cases c ON c.return_no = k.holder WHERE k.order_no = q.order_no
    AND k.line_id = q.line_id AND q.unit >= k.first_unit AND q.unit < k.first_unit + k.units"""
_AS_NOTHING = "('REJECTED', 'CANCELLED_BY_BUYER', 'CLOSED_NOT_SENT')"

# Units under warranty, or with a shelf life, that have left, been signed for, and were not lost: with what ends first
# from a day on. `by`: the channel that their buyer has agreed to.
UNITS = """
SELECT o.order_no, o.buyer_id, o.start #>> '{buyer,offers_by}' AS by, l.line_id, u.unit, w.ends, w.expires
FROM orders o
CROSS JOIN LATERAL jsonb_array_elements(o.start -> 'lines') j
JOIN child_lines l ON l.order_no = o.order_no AND l.line_id = j ->> 'line_id'
JOIN child_orders c ON c.child_no = l.child_no AND c.type = 'SHIPMENT' AND c.signed_at IS NOT NULL
CROSS JOIN LATERAL (SELECT e.ends, e.expires FROM (VALUES
        ('warranty', coalesce((j #>> '{after_sales,warranty_until}')::date,
            (c.signed_at AT TIME ZONE 'Asia/Shanghai')::date + (j #>> '{after_sales,warranty_days}')::integer)),
        ('shelf_life', (j #>> '{after_sales,shelf_life_until}')::date)) e (ends, expires)
    WHERE e.expires >= $1 AND e.expires <= $2 ORDER BY e.expires, e.ends LIMIT 1) w
CROSS JOIN LATERAL generate_series(l.first_unit, l.first_unit + l.qty - l.lost_units - 1) AS u (unit)
WHERE o.erased_at IS NULL
    AND jsonb_path_exists(o.start, '$.lines[*].after_sales ?
        (@.warranty_until != null || @.warranty_days != null || @.shelf_life_until != null)')"""
DUE = f"""
SELECT * FROM (SELECT q.*, EXISTS ({_CASES} AND c.ended_at IS NULL) AS open_case,
        EXISTS ({_CASES} AND c.status IN ('REFUNDED', 'EXCHANGED', 'REFUND_FAILED')) AS returned,
        EXISTS (SELECT FROM unit_claims k WHERE k.order_no = q.order_no AND k.line_id = q.line_id AND k.held
            AND q.unit >= k.first_unit AND q.unit < k.first_unit + k.units) AS refunded,
        EXISTS (SELECT FROM offers f WHERE f.order_no = q.order_no AND f.line_id = q.line_id AND f.unit = q.unit)
            AS offered
    FROM ({UNITS}) q WHERE q.by IS NOT NULL) d
WHERE NOT (open_case OR returned OR refunded OR offered)
ORDER BY order_no, line_id, unit LIMIT $3"""  # noqa: S608 - our own words
CLAIM = """
INSERT INTO offers (order_no, line_id, unit, ends, expires, by_channel, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING RETURNING unit"""

# Taken: a replacement under warranty was applied for since. One that ended as nothing is as if it had not been.
_TAKEN = f"""EXISTS ({_CASES} AND c.type = 'warranty_replacement' AND c.applied_at >= q.made_at
    AND c.status NOT IN {_AS_NOTHING})"""
_REFUNDED = f"EXISTS ({_CASES} AND c.status = 'REFUNDED' AND c.applied_at >= q.made_at)"
OF_ORDER = f"""
SELECT q.line_id, q.unit, q.ends, q.expires, q.made_at, q.refused_at, {_TAKEN} AS taken FROM offers q
WHERE q.order_no = $1 ORDER BY q.line_id, q.unit"""  # noqa: S608 - our own words
REFUSE = """
UPDATE offers SET refused_at = $2 WHERE order_no = $1 AND refused_at IS NULL AND expires >= $3"""


# What became of the offers of a month, and of units whose offer would have been made in it had their buyers agreed.
COUNTED = f"""
WITH made AS (
    SELECT q.order_no, {_TAKEN} AS taken, q.refused_at IS NOT NULL AS refused, q.expires < $3::date AS over,
        {_REFUNDED} AS refunded
    FROM offers q WHERE q.made_at >= $1 AND q.made_at < $2
)
SELECT count(*) FILTER (WHERE taken)::integer AS taken,
    count(*) FILTER (WHERE refused AND NOT taken)::integer AS refused,
    count(*) FILTER (WHERE over AND NOT refused AND NOT taken)::integer AS unanswered,
    count(*) FILTER (WHERE NOT over AND NOT refused AND NOT taken)::integer AS waiting,
    count(*) FILTER (WHERE refunded)::integer AS refunded, array_agg(DISTINCT order_no) AS orders
FROM made"""  # noqa: S608
UNASKED = f"""
SELECT count(*)::integer AS unasked, count(*) FILTER (WHERE {_REFUNDED})::integer AS refunded
FROM (SELECT *, (expires - $3::integer)::timestamp AT TIME ZONE 'Asia/Shanghai' AS made_at FROM ({UNITS}) u) q
WHERE by IS NULL AND NOT EXISTS ({_CASES} AND c.applied_at < q.made_at)"""  # noqa: S608


@dataclass(frozen=True)
class MadeOffer:
    """As its buyer sees it. `taken`: a replacement was applied for."""

    line_id: str
    unit: int
    ends: str
    expires: date
    made_at: datetime
    refused_at: datetime | None
    taken: bool

    def is_open(self, today: date) -> bool:
        return self.refused_at is None and not self.taken and self.expires >= today


class OfferStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def make(self, terms: OfferTerms, as_of: datetime) -> int:
        """Some of those that are due: each unit once, claimed and told of in one transaction. 0: none is due any more.
        Raises `NobodyListens`: nothing would tell the buyers, so nothing was offered."""
        today = as_of.astimezone(SHOP_TIME).date()
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(f"SET LOCAL statement_timeout = '{LONGEST_S}s'")
            last = today + timedelta(days=terms.notice_days)
            rows = await connection.fetch(DUE, today, last, AT_ONCE, timeout=LONGEST_S)
            due = [row for row in rows if _is_due(row, terms, as_of)]
            if due and not await is_heard(connection, EventType.OFFER_MADE):
                raise NobodyListens(f"{len(due)} offers are due, and nobody subscribes to {EventType.OFFER_MADE.value}")
            return await _claim(connection, due, as_of)

    async def of_order(self, order_no: str) -> tuple[MadeOffer, ...]:
        return tuple(MadeOffer(**row) for row in await self._pool.fetch(OF_ORDER, order_no))

    async def refuse(self, order_no: str, at: datetime) -> None:
        """All that are open of the order; saying so again changes nothing."""
        await self._pool.execute(REFUSE, order_no, at, at.astimezone(SHOP_TIME).date())


async def read_offers(
    connection: Connection, month: Span, as_of: datetime, terms: OfferTerms | None = None
) -> tuple[OfferedUnits, tuple[str, ...]]:
    """Of a month, and the orders that were offered something in it."""
    notice = (terms or OfferTerms()).notice_days
    made = await connection.fetchrow(COUNTED, month.since, month.until, as_of.astimezone(SHOP_TIME).date())
    days = [at.astimezone(SHOP_TIME).date() + timedelta(days=notice) for at in (month.since, month.until)]
    beside = await connection.fetchrow(UNASKED, days[0], days[1] - timedelta(days=1), notice, timeout=LONGEST_S)
    assert made is not None and beside is not None, "counting gives a row"
    counts = {name: made[name] for name in ("taken", "refused", "unanswered", "waiting", "refunded")}
    units = OfferedUnits(**counts, unasked=beside["unasked"], unasked_refunded=beside["refunded"])
    return units, tuple(made["orders"] or ())


def _is_due(row: Row, terms: OfferTerms, as_of: datetime) -> bool:
    unit = OfferedUnit(
        kind=Ends(row["ends"]), expires=row["expires"], open_case=row["open_case"], returned=row["returned"],
        refunded=row["refunded"], offered=row["offered"],
    )  # fmt: skip
    at = offer_at(unit, terms)
    return at is not None and at <= as_of


async def _claim(connection: Connection, due: list[Row], at: datetime) -> int:
    claimed: defaultdict[tuple[str, str, str, str, str, date], list[int]] = defaultdict(list)
    for row in due:
        key = (row["order_no"], row["line_id"], row["buyer_id"], row["by"], row["ends"], row["expires"])
        order_no, line_id, _, by, ends, expires = key
        unit = await connection.fetchval(CLAIM, order_no, line_id, row["unit"], ends, expires, by, at)
        if unit is not None:  # else somebody was quicker
            claimed[key].append(unit)
    for (order_no, line_id, buyer_id, by, ends, expires), units in claimed.items():
        offer = OfferMade(
            order_no=order_no, seq=0, buyer_id=buyer_id, by=by, line_id=line_id, units=tuple(units),
            ends=Ends(ends), expires=expires,
        )  # fmt: skip
        await publish_offer(connection, offer, at)
    return sum(map(len, claimed.values()))
