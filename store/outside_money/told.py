"""A payment that one of us has told of, with its evidence: kept, and finance asked at once (decision 0067)."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from domain.access.desk import TellPayment
from domain.approvals import ApprovalRequest
from domain.refunds.outside import BookAs, yuan
from domain.states import OrderStatus
from store.outside_money.booking import OutsideMoneyStore
from store.outside_money.effects import BookingRefused
from store.pool import Connection, Pool, Row, clean

AHEAD = timedelta(minutes=5)
"""Clocks differ by so much; nobody has paid later than that."""

# One word about a transaction after the other, whichever order it is told of.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 4))"

ORDER = """
SELECT o.status, o.currency, o.payable_minor, o.payment_status NOT IN ('NONE', 'CREATED') AS own,
    coalesce(o.start #>> '{payment,channel}', 'wechat') AS channel
FROM orders o WHERE o.order_no = $1 FOR NO KEY UPDATE"""

PAID_FOR = "SELECT order_no FROM payments WHERE channel = $1 AND transaction_id = $2"

# Of other orders: what waits for a decision, or for a person. One that was dropped is free.
ELSEWHERE = """
SELECT m.order_no, m.money_no FROM outside_money m LEFT JOIN outside_bookings b USING (money_no)
WHERE m.kind = 'payment' AND m.source = $1 AND m.number = $2 AND m.order_no <> $3 AND (b.money_no IS NOT NULL
    OR EXISTS (SELECT FROM tickets t WHERE t.ticket_id = 'T-money-' || m.money_no AND t.state = 'open')
    OR EXISTS (SELECT FROM approvals a WHERE a.subject = 'money/' || m.money_no AND a.state IN ('open', 'approved')))
ORDER BY m.money_no LIMIT 1"""

HERE = """
SELECT money_no, told_by, merchant_id, amount_minor, currency, occurred_at FROM outside_money
WHERE order_no = $1 AND kind = 'payment' AND source = $2 AND number = $3"""

TELL = """
INSERT INTO outside_money (order_no, kind, source, number, key, transaction_id, merchant_id, amount_minor, currency,
    occurred_at, found_at, why, told_by)
VALUES ($1, 'payment', $2, $3, $4, $3, $5, $6, $7, $8, $9, $10, $11) RETURNING money_no"""

TAKEN = """
SELECT u.channel, u.number, coalesce((SELECT p.order_no FROM payments p
        WHERE p.channel = u.channel AND p.transaction_id = u.number), (SELECT m.order_no FROM outside_money m
        WHERE m.kind = 'payment' AND m.source = u.channel AND m.number = u.number ORDER BY m.money_no LIMIT 1)) AS of
FROM unnest($1::text[], $2::text[]) AS u (channel, number)"""


class ToldPayments:
    """`merchants`: who we are at each payment channel; money that went to somebody else there pays nothing."""

    def __init__(self, pool: Pool, merchants: Mapping[str, str] | None = None) -> None:
        self._pool = pool
        self._money = OutsideMoneyStore(pool)
        self._merchants = merchants or {}

    async def tell(self, payment: TellPayment, key: str, by: str, at: datetime) -> ApprovalRequest:
        """The question to finance; told again in the same words, the same one, also when it was answered. `key`: of the
        channel's own fact about it. Raises `BookingRefused`, with nothing changed."""
        async with self._pool.acquire() as connection, connection.transaction():
            number = await self._keep(connection, payment, key, by, at)
        found = await self._money.get(number)
        if found.booked_at is not None:
            return (await self._money.approval(number)).request
        return await self._money.ask(number, BookAs.PAYMENT, by, at, evidence=payment.evidence)

    async def taken(self, payments: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Of those (channel, transaction) that the books have: the order that they pay, or are told to."""
        rows = await self._pool.fetch(TAKEN, [channel for channel, _ in payments], [number for _, number in payments])
        return {(row["channel"], row["number"]): row["of"] for row in rows if row["of"] is not None}

    async def _keep(self, connection: Connection, payment: TellPayment, key: str, by: str, at: datetime) -> int:
        p = payment
        await connection.execute(LOCK, p.channel, p.transaction_id)
        order = await connection.fetchrow(ORDER, p.order_no)
        known = await connection.fetchrow(HERE, p.order_no, p.channel, p.transaction_id)
        if known is not None:
            return _same(known, p)
        if order is None:
            raise BookingRefused(f"there is no order {p.order_no} in the books")
        self._insist_that_it_fits(p, order, at)
        if paid_for := await connection.fetchval(PAID_FOR, p.channel, p.transaction_id):
            raise BookingRefused(f"{_name(p)} is booked already, for order {paid_for}: one payment pays one order")
        if other := await connection.fetchrow(ELSEWHERE, p.channel, p.transaction_id, p.order_no):
            raise BookingRefused(
                f"{_name(p)} was told for order {other['order_no']} already (M{other['money_no']}): have that decided "
                "first; one payment pays one order"
            )
        number: int = await connection.fetchval(
            TELL, p.order_no, p.channel, p.transaction_id, key, p.merchant_id, p.amount_minor, p.currency, p.paid_at,
            at, clean(f"told by {by}: {p.evidence}")[:300], by,
        )  # fmt: skip
        return number

    def _insist_that_it_fits(self, p: TellPayment, order: Row, at: datetime) -> None:
        ours = self._merchants.get(p.channel, p.merchant_id)
        if order["status"] != OrderStatus.PENDING_PAYMENT or order["own"]:
            why = f"order {p.order_no} is {order['status']}, not unpaid"
        elif p.channel != order["channel"]:
            why = f"order {p.order_no} is to be paid through {order['channel']}, not {p.channel}"
        elif p.merchant_id != ours:
            why = f"the money went to merchant {p.merchant_id} of {p.channel}, we are {ours}"
        elif (p.amount_minor, p.currency) != (order["payable_minor"], order["currency"]):
            payable = yuan(order["payable_minor"], order["currency"])
            why = f"{yuan(p.amount_minor, p.currency)} was paid, order {p.order_no} costs {payable}"
        elif p.paid_at > at + AHEAD:
            why = f"it is told to be paid at {p.paid_at.isoformat(timespec='seconds')}, which is still to come"
        else:
            return
        raise BookingRefused(f"{_name(p)} does not pay order {p.order_no}: {why}")


def _name(payment: TellPayment) -> str:
    return f"transaction {payment.transaction_id} of {payment.channel}"


def _same(known: Row, p: TellPayment) -> int:
    """Its number. Raises `BookingRefused` where something else was told of it."""
    told = (p.merchant_id, p.amount_minor, p.currency, p.paid_at)
    was = (known["merchant_id"], known["amount_minor"], known["currency"], known["occurred_at"])
    number: int = known["money_no"]
    if told != was:
        raise BookingRefused(
            f"{_name(p)} is known already as M{number}, of {yuan(was[1] or 0, was[2])} to merchant {was[0]} at "
            f"{was[3].isoformat(timespec='seconds')}: look at that one, and decide it or have it dropped"
        )
    return number
