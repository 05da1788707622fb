"""Money of an order: payments booked once, refunds reserved against what was paid before anybody is asked to pay."""

from collections.abc import Mapping
from datetime import datetime

from asyncpg.exceptions import CheckViolationError

from domain.records import AuditEntry, OrderWrite, Payment, RefundRecord
from domain.states import RefundStatus
from store.audit.audit import append_entry
from store.disputes import insist_on_no_dispute
from store.errors import PaymentNotTheOrders, RefundChanged, RefundExceedsPaid, RefundExceedsUnits
from store.orders.unit_claims import claim_units
from store.outbox import TellsRefunds
from store.pool import Connection, Row, clean

# A payment; one booked before, or one whose transaction is, does nothing.
PAY = """
INSERT INTO payments (key, order_no, channel, transaction_id, merchant_id, amount_minor, currency, paid_at, booked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING key"""

# Whose payment it is, by its key or else by its transaction.
PAYER = """
SELECT key, order_no, amount_minor FROM payments WHERE key = $1 OR (channel = $2 AND transaction_id = $3)
ORDER BY (key = $1) DESC LIMIT 1"""

# What one of us has told of it is not asked any more: the channel itself has.
TOLD = """
SELECT a.approval_id, withdraw_approval(a.approval_id, $3)
FROM outside_money m JOIN approvals a ON a.subject = 'money/' || m.money_no
WHERE m.order_no = $1 AND m.key = $2 AND m.told_by IS NOT NULL AND a.state = 'open'"""

# What the order has received.
PAID = """
UPDATE orders SET paid_minor = paid_minor + $2, paid_at = least(paid_at, $3) WHERE order_no = $1"""

# A refund; one asked for before does nothing.
REFUND = """
INSERT INTO refunds (refund_no, order_no, amount_minor, status, seq, reason, units, requested_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT DO NOTHING RETURNING refund_no"""

KNOWN = "SELECT order_no, amount_minor, units, status, seq, updated_at FROM refunds WHERE refund_no = $1"

# Reserving is one statement: the CHECK on the row, not a sum read before, is what holds against 24 at once.
RESERVE = "UPDATE orders SET refund_reserved_minor = refund_reserved_minor + $2 WHERE order_no = $1"

RESERVE_UNITS = """
UPDATE order_lines SET refunded_units = refunded_units + $3 WHERE order_no = $1 AND line_id = $2 RETURNING line_id"""

# Of `payment_balances`: one that finance has decided to give back bears the refund that does it, and no other.
FOR_ANY_REFUND = """NOT EXISTS (SELECT FROM outside_bookings o WHERE o.order_no = payment_balances.order_no
        AND o.payment_key = payment_balances.payment_key AND o.book_as = 'give_back')"""

# The order's payments bear the refund, the oldest first, each at most what is left of it; or one of them alone. Returns
# what they bear.
BEAR = f"""
WITH balance AS (
    SELECT payment_key, paid_minor - reserved_minor - charged_back_minor AS left_minor,
        sum(paid_minor - reserved_minor - charged_back_minor) OVER (ORDER BY paid_at, payment_key) AS upto
    FROM payment_balances WHERE order_no = $1 AND ($4::text IS NULL AND {FOR_ANY_REFUND} OR payment_key = $4)
), part AS (
    SELECT payment_key, least(left_minor, $3 - (upto - left_minor))::bigint AS amount_minor
    FROM balance WHERE left_minor > 0 AND upto - left_minor < $3
), borne AS (
    UPDATE payment_balances b SET reserved_minor = b.reserved_minor + p.amount_minor
    FROM part p WHERE b.payment_key = p.payment_key RETURNING b.payment_key, p.amount_minor
), written AS (
    INSERT INTO refund_parts (refund_no, payment_key, amount_minor)
    SELECT $2, payment_key, amount_minor FROM borne RETURNING amount_minor
)
SELECT coalesce(sum(amount_minor), 0)::bigint FROM written"""  # noqa: S608 - our own condition

MOVE = "UPDATE refunds SET status = $2, seq = $3, updated_at = $4 WHERE refund_no = $1"

REFUNDED = "UPDATE orders SET refunded_minor = refunded_minor + $2 WHERE order_no = $1"


async def book_payment(connection: Connection, order_no: str, payment: Payment, at: datetime) -> None:
    """Once per payment key and per transaction of a channel. Raises `PaymentNotTheOrders` for money that is booked
    already: for another order, or for this one under another key or amount."""
    new = await connection.fetchval(
        PAY,
        payment.key,
        order_no,
        payment.channel,
        payment.transaction_id,
        payment.merchant_id,
        payment.amount_minor,
        payment.currency,
        payment.paid_at,
        at,
    )
    if new is not None:
        await connection.execute(PAID, order_no, payment.amount_minor, payment.paid_at)
        for asked in await connection.fetch(TOLD, order_no, payment.key, at):
            detail = {"approval_id": asked["approval_id"], "why": f"{payment.channel} itself has told of the payment"}
            entry = AuditEntry(actor="system", action="approval.withdraw", detail=detail)
            await append_entry(connection, entry, at, order_no)
        return
    payer = await connection.fetchrow(PAYER, payment.key, payment.channel, payment.transaction_id)
    known = (payer["key"], payer["order_no"], payer["amount_minor"]) if payer else None
    if known != (payment.key, order_no, payment.amount_minor):
        booked = f"for order {known[1]} under {known[0]}, {known[2]} minor units" if known else "by somebody else"
        raise PaymentNotTheOrders(
            order_no,
            payment.key,
            f"transaction {payment.transaction_id} of {payment.channel} is booked already, {booked}",
        )


async def insist_on_merchant(connection: Connection, write: OrderWrite, merchants: Mapping[str, str]) -> None:
    """A payment that finance has booked counts as it is. Raises `PaymentNotTheOrders`."""
    payment = write.payment
    if payment is None or not payment.merchant_id:
        return
    ours = merchants.get(payment.channel, payment.merchant_id)
    if ours != payment.merchant_id and not await connection.fetchrow(PAYER, payment.key, "", ""):
        raise PaymentNotTheOrders(
            write.order_no,
            payment.key,
            f"the money went to merchant {payment.merchant_id} of {payment.channel}, we are {ours}",
        )


async def keep_refunds(connection: Connection, write: OrderWrite) -> None:
    """In the order of the write: one refund may move more than once in it."""
    for refund in write.refunds:
        known = await connection.fetchrow(KNOWN, refund.refund_no)
        if known is None:
            await _ask(connection, write, refund)
            continue
        if (known["order_no"], known["amount_minor"]) != (write.order_no, refund.amount_minor):
            raise RefundChanged(refund.refund_no)
        if refund.units and refund.units != known["units"]:
            raise RefundChanged(refund.refund_no)
        if refund.status is RefundStatus.REQUESTED is RefundStatus(known["status"]):
            await insist_on_no_dispute(connection, write.order_no, refund.refund_no)  # it is about to be sent again
        await move_refund(connection, write, refund, known)


async def _ask(connection: Connection, write: OrderWrite, refund: RefundRecord) -> None:
    await insist_on_no_dispute(connection, write.order_no, refund.refund_no)
    await reserve_refund(connection, write.order_no, refund)
    await claim_units(connection, write.order_no, refund)
    await keep_refund(connection, write, refund)


async def reserve_refund(connection: Connection, order_no: str, refund: RefundRecord) -> None:
    """Inside a transaction: its money and how many units; which ones is the caller's. Raises `RefundExceedsPaid`,
    `RefundExceedsUnits`."""
    try:
        await connection.execute(RESERVE, order_no, refund.amount_minor)
    except CheckViolationError:
        raise RefundExceedsPaid(order_no, refund.refund_no, refund.amount_minor) from None
    await _reserve_units(connection, order_no, refund.refund_no, refund.units)


async def keep_refund(connection: Connection, write: TellsRefunds, refund: RefundRecord) -> None:
    """Of one that is reserved: written down, and borne by payments. Raises `RefundChanged`, `RefundExceedsPaid`."""
    new = await connection.fetchval(
        REFUND,
        refund.refund_no,
        write.order_no,
        refund.amount_minor,
        refund.status,
        write.seq,
        clean(refund.reason),
        refund.units,
        write.at,
    )
    if new is None:
        # Another order has taken the number since we looked.
        raise RefundChanged(refund.refund_no)
    await _bear(connection, write.order_no, refund)
    if refund.status is RefundStatus.SUCCEEDED:
        await connection.execute(REFUNDED, write.order_no, refund.amount_minor)


async def _bear(connection: Connection, order_no: str, refund: RefundRecord) -> None:
    args = (order_no, refund.refund_no, refund.amount_minor, refund.payment_key)
    if await connection.fetchval(BEAR, *args) != refund.amount_minor:
        raise RefundExceedsPaid(order_no, refund.refund_no, refund.amount_minor)


async def _reserve_units(connection: Connection, order_no: str, refund_no: str, units: Mapping[str, int]) -> None:
    for line_id, qty in sorted(units.items()):
        if qty == 0:
            continue
        try:
            found = await connection.fetchval(RESERVE_UNITS, order_no, line_id, qty) if qty > 0 else None
        except CheckViolationError:
            found = None
        if found is None:
            raise RefundExceedsUnits(order_no, refund_no, line_id)


async def move_refund(connection: Connection, write: TellsRefunds, refund: RefundRecord, known: Row) -> None:
    """Late writes lose; nothing follows success; proof of success ends even a refund that a person has taken over.
    `known`: its row."""
    before, told = RefundStatus(known["status"]), (write.at, write.seq)
    latest = max(told, (known["updated_at"], known["seq"]))
    success = refund.status is RefundStatus.SUCCEEDED and before is not RefundStatus.SUCCEEDED
    forward = told == latest and before not in (RefundStatus.SUCCEEDED, RefundStatus.CLOSED)
    if not success and (not forward or refund.status in (before, RefundStatus.REQUESTED)):
        return
    await connection.execute(MOVE, refund.refund_no, refund.status, latest[1], latest[0])
    if success:
        await connection.execute(REFUNDED, write.order_no, refund.amount_minor)
