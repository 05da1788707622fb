"""What a booking does to the books: a refund that counts, a payment that is there, a dispute that holds (M2, M6)."""

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from asyncpg.exceptions import CheckViolationError, ExclusionViolationError

from domain.order import PayChannel
from domain.records import Payment, RefundRecord
from domain.refunds.outside import BookAs, MoneyBooking, OutsideKind, OutsideMoney, yuan
from domain.states import OrderStatus, RefundStatus
from domain.units import UnitRange, last_units, without
from store.errors import OrderRefused
from store.orders.payments import FOR_ANY_REFUND, book_payment, keep_refund, reserve_refund
from store.outbox import Before, Telling, lock_order, publish_refunds
from store.outside_money.chargebacks import NewChargeback, open_chargeback
from store.pool import Connection, Row
from store.returns.claims import take

# What may still be given back, together and payment by payment; the order's row is locked.
LEFT = f"""
SELECT o.currency, o.paid_minor, o.paid_minor - o.refund_reserved_minor - o.returning_minor AS left_minor,
    (SELECT coalesce(sum(paid_minor - reserved_minor - charged_back_minor), 0)::bigint
        FROM payment_balances WHERE payment_balances.order_no = $1 AND {FOR_ANY_REFUND}) AS with_payments,
    (SELECT p.key FROM payments p WHERE p.order_no = o.order_no AND p.transaction_id = $2) AS payment_key,
    o.ended_at IS NOT NULL AS ended
FROM orders o WHERE o.order_no = $1"""  # noqa: S608 - our own condition

ORDER = """
SELECT o.status, o.currency, o.payable_minor, o.ended_at IS NOT NULL AS ended,
    o.payment_status NOT IN ('NONE', 'CREATED') AS own
FROM orders o WHERE o.order_no = $1 FOR NO KEY UPDATE"""

# A payment from outside that nobody has booked: the refund may be of that.
OTHER = """
SELECT m.money_no, m.kind, m.source, m.number, m.key, m.transaction_id, m.merchant_id, m.amount_minor, m.currency,
    m.occurred_at, m.why
FROM outside_money m WHERE m.order_no = $1 AND m.kind = 'payment' AND m.number = $2
    AND NOT EXISTS (SELECT FROM outside_bookings b WHERE b.money_no = m.money_no)"""

# Of what one of us has told: where the channel itself has said something else of it since.
SAID_OTHERWISE = """
SELECT coalesce((SELECT l.amount_minor || ' in the bill of ' || l.day FROM bill_lines l
        WHERE l.channel = m.source AND l.kind = 'payment' AND l.number = m.number AND l.amount_minor <> m.amount_minor),
    (SELECT e.note FROM order_events e WHERE e.order_no = m.order_no AND e.key = m.key AND e.outcome = 'MISMATCH'
        ORDER BY e.id DESC LIMIT 1))
FROM outside_money m WHERE m.money_no = $1 AND m.told_by IS NOT NULL"""

IN_BOOKS = "SELECT order_no FROM payments WHERE key = $1"

CHANNELS = frozenset(get_args(PayChannel))

LINE = "SELECT qty FROM order_lines WHERE order_no = $1 AND line_id = $2"

HELD = """
SELECT line_id, first_unit, units, holder FROM unit_claims WHERE order_no = $1 AND line_id = $2 AND held
ORDER BY first_unit"""


class BookingRefused(OrderRefused):
    """It does not fit what is in the books; the text says what is left, or who has it."""


@dataclass(frozen=True)
class BookingEffect:
    """`refund_no`: the refund that it is, or that is to give it back; `payment`: the payment that it is. `settles`: the
    number of another payment from outside that this refund has given back by hand."""

    refund_no: str | None = None
    payment: Payment | None = None
    settles: int | None = None


async def apply(connection: Connection, money: OutsideMoney, booking: MoneyBooking, at: datetime) -> BookingEffect:
    """Inside a transaction. Raises `BookingRefused`; then the transaction is to be rolled back."""
    if booking.book_as is BookAs.REFUND:
        return await _refund(connection, money, booking, at)
    if booking.book_as is BookAs.CHARGEBACK:
        return await _chargeback(connection, money, booking, at)
    return await _payment(connection, money, booking, at)


async def _payment(connection: Connection, money: OutsideMoney, booking: MoneyBooking, at: datetime) -> BookingEffect:
    order = await connection.fetchrow(ORDER, booking.order_no)
    assert order is not None, "money is found of orders in the books"
    _insist_on_currency(booking, order["currency"])
    name = f"M{booking.money_no}"
    if money.source not in CHANNELS:
        raise BookingRefused(
            f"{name}: {money.source} is no payment channel of ours; settle it there, then close its ticket"
        )
    if order["ended"]:
        raise BookingRefused(
            f"{name}: order {booking.order_no} has ended. Give it back in {money.source}'s back office: that refund is "
            f"found by itself and is booked as {BookAs.REFUND}"
        )
    payment = as_payment(money)
    if paid_for := await connection.fetchval(IN_BOOKS, payment.key):
        raise BookingRefused(
            f"{name} is in the books already, as the payment of order {paid_for}: nothing is left to do"
        )
    if booking.book_as is BookAs.PAYMENT:
        if otherwise := await connection.fetchval(SAID_OTHERWISE, booking.money_no):
            raise BookingRefused(f"{name}: {money.source} tells it otherwise: {otherwise}; compare, and give it back")
        if order["status"] != OrderStatus.PENDING_PAYMENT or order["own"]:
            raise BookingRefused(f"{name}: order {booking.order_no} is {order['status']}, not unpaid; give it back")
        if booking.amount_minor != order["payable_minor"]:
            payable = yuan(order["payable_minor"], booking.currency)
            raise BookingRefused(
                f"{name}: {yuan(booking.amount_minor, booking.currency)} was paid, order {booking.order_no} costs "
                f"{payable}; give it back"
            )
    await _book_payment(connection, booking, payment, at)
    return BookingEffect(None if booking.book_as is BookAs.PAYMENT else booking.refund_no, payment)


async def _book_payment(connection: Connection, booking: MoneyBooking, payment: Payment, at: datetime) -> None:
    try:
        await book_payment(connection, booking.order_no, payment, at)
    except OrderRefused as error:
        raise BookingRefused(f"M{booking.money_no}: {error}") from None


def as_payment(money: OutsideMoney) -> Payment:
    return Payment(
        key=money.key,
        channel=money.source,
        transaction_id=money.number,
        merchant_id=money.merchant_id,
        amount_minor=money.amount_minor or 0,
        currency=money.currency or "CNY",
        paid_at=money.occurred_at,
    )


async def _refund(connection: Connection, money: OutsideMoney, booking: MoneyBooking, at: datetime) -> BookingEffect:
    before = await lock_order(connection, booking.order_no)
    left = await connection.fetchrow(LEFT, booking.order_no, money.transaction_id)
    assert before is not None and left is not None, "money is found of orders in the books"
    _insist_on_currency(booking, left["currency"])
    other = await connection.fetchrow(OTHER, booking.order_no, money.transaction_id)
    if other is not None:
        return await _of_another_payment(connection, before, booking, other, at)
    most = min(left["left_minor"], left["with_payments"])
    if booking.amount_minor > most:
        raise BookingRefused(
            f"M{booking.money_no}: {yuan(booking.amount_minor, booking.currency)} is more than is left of order "
            f"{booking.order_no}: {yuan(most, booking.currency)} of {yuan(left['paid_minor'], booking.currency)} are "
            "neither given back nor held for a return nor in dispute"
        )
    units = await _free_units(connection, booking)
    record = RefundRecord(
        refund_no=booking.refund_no, amount_minor=booking.amount_minor, status=RefundStatus.SUCCEEDED,
        reason=f"made outside: {booking.evidence}"[:200], units=booking.units,
    )  # fmt: skip
    told = Telling(booking.order_no, 0, at, (record,))
    try:
        await reserve_refund(connection, booking.order_no, record)
        await take(connection, booking.order_no, booking.refund_no, units)
        await keep_refund(connection, told, record)
    except (CheckViolationError, ExclusionViolationError) as error:
        raise BookingRefused(
            f"M{booking.money_no} does not fit order {booking.order_no} any more ({error.constraint_name}): units or "
            f"money are held or given back; look with `oms order show {booking.order_no}`"
        ) from None
    except OrderRefused as error:
        raise BookingRefused(f"M{booking.money_no}: {error}") from None
    await publish_refunds(connection, told, before)
    return BookingEffect(booking.refund_no)


async def _of_another_payment(
    connection: Connection, before: Before, booking: MoneyBooking, other: Row, at: datetime
) -> BookingEffect:
    """It gave back, by hand, a payment that was not the order's: both are in the books now, and both are settled."""
    values = dict(other)
    number = values.pop("money_no")
    payment = as_payment(OutsideMoney(**{**values, "kind": OutsideKind(values["kind"])}))
    if booking.units or booking.amount_minor > payment.amount_minor:
        raise BookingRefused(
            f"M{booking.money_no} gives back payment {payment.transaction_id} (M{number}) of "
            f"{yuan(payment.amount_minor, payment.currency)}, which is not the order's: no units, and not more"
        )
    record = RefundRecord(
        refund_no=booking.refund_no, amount_minor=booking.amount_minor, status=RefundStatus.SUCCEEDED,
        reason=f"made outside: {booking.evidence}"[:200], payment_key=payment.key,
    )  # fmt: skip
    told = Telling(booking.order_no, 0, at, (record,))
    await _book_payment(connection, booking, payment, at)
    try:
        await reserve_refund(connection, booking.order_no, record)
        await keep_refund(connection, told, record)
    except OrderRefused as error:
        raise BookingRefused(f"M{booking.money_no}: {error}") from None
    await publish_refunds(connection, told, before)
    return BookingEffect(booking.refund_no, payment, number)


async def _chargeback(
    connection: Connection, money: OutsideMoney, booking: MoneyBooking, at: datetime
) -> BookingEffect:
    left = await connection.fetchrow(LEFT, booking.order_no, money.transaction_id)
    assert left is not None, "money is found of orders in the books"
    _insist_on_currency(booking, left["currency"])
    new = NewChargeback(booking.number, booking.order_no, booking.amount_minor, "system", left["payment_key"])
    try:
        await open_chargeback(connection, new, at)
    except OrderRefused as error:
        raise BookingRefused(f"M{booking.money_no}: {error}") from None
    return BookingEffect()


def _insist_on_currency(booking: MoneyBooking, currency: str) -> None:
    if booking.currency != currency:
        raise BookingRefused(
            f"M{booking.money_no} is in {booking.currency}, order {booking.order_no} in {currency}: settle it at "
            f"{booking.channel}"
        )


async def _free_units(connection: Connection, booking: MoneyBooking) -> tuple[UnitRange, ...]:
    """The last units of each line that nobody has. Raises `BookingRefused`, with who has the others."""
    found: list[UnitRange] = []
    for line_id, wanted in sorted(booking.units.items()):
        qty = await connection.fetchval(LINE, booking.order_no, line_id)
        if qty is None:
            raise BookingRefused(f"M{booking.money_no}: order {booking.order_no} has no line {line_id}")
        held = await connection.fetch(HELD, booking.order_no, line_id)
        taken = [UnitRange(line_id=line_id, first_unit=r["first_unit"], units=r["units"]) for r in held]
        free = without([UnitRange(line_id=line_id, first_unit=0, units=qty)], taken)
        try:
            found += last_units(free, {line_id: wanted})
        except ValueError:
            holders = ", ".join(sorted({r["holder"] for r in held})) or "nobody"
            raise BookingRefused(
                f"M{booking.money_no}: line {line_id} has {sum(r.units for r in free)} of {qty} units free, {wanted} "
                f"are named; the others are given back or held by {holders}"
            ) from None
    return tuple(found)
