"""From held money to refunds: the last step before anybody is asked to pay, one refund a payment (R48)."""

from asyncpg.exceptions import CheckViolationError

from domain.returns.enums import GOODS_COME_BACK, MONEY_GOES_BACK
from domain.returns.models import Admitted
from domain.returns.records import RefundPart, RefundReserved, ReserveRefund
from domain.returns.refunding import AmountRaised, quote, spread
from domain.shares import UnitShare
from domain.states import RefundStatus
from domain.strict import of
from domain.units import UnitRange
from store.disputes import what_holds_refunds
from store.errors import RefundChanged
from store.orders.payments import FOR_ANY_REFUND
from store.pool import Connection, Row, clean
from store.returns.claims import Claim, claimed, is_part_of, settle
from store.returns.errors import NoSuchReturn, PayoutRefused
from store.returns.order_facts import SHARES

# The order first: everybody who moves its money queues at its row.
LOCK = """
SELECT o.order_no FROM return_cases c JOIN orders o USING (order_no) WHERE c.return_no = $1 FOR NO KEY UPDATE OF o"""

CASE = """
SELECT order_no, type, admitted, held_minor, payout_minor, freed_at, seq FROM return_cases
WHERE return_no = $1 FOR NO KEY UPDATE"""

# What is left of each payment, oldest first.
LEFT = f"""
SELECT payment_key, paid_minor - reserved_minor - charged_back_minor AS left_minor FROM payment_balances
WHERE order_no = $1 AND {FOR_ANY_REFUND} ORDER BY paid_at, payment_key FOR NO KEY UPDATE"""  # noqa: S608

REFUND = """
INSERT INTO refunds (refund_no, order_no, return_no, amount_minor, status, seq, reason, units, requested_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT DO NOTHING RETURNING refund_no"""

# One payment bears a part. The CHECK on the balance holds, whatever was read before.
BEAR = """
WITH borne AS (
    UPDATE payment_balances SET reserved_minor = reserved_minor + $3 WHERE payment_key = $2 RETURNING payment_key)
INSERT INTO refund_parts (refund_no, payment_key, amount_minor) SELECT $1, payment_key, $3 FROM borne"""

PAID_OUT = "UPDATE return_cases SET held_minor = 0, payout_minor = $2, updated_at = $3 WHERE return_no = $1"

PARTS = """
SELECT p.refund_no, p.payment_key, m.channel, m.transaction_id, p.amount_minor, m.amount_minor AS paid_minor
FROM refunds r JOIN refund_parts p USING (refund_no) JOIN payments m ON m.key = p.payment_key
WHERE r.return_no = $1 ORDER BY m.paid_at, m.key"""


async def reserve_refund(connection: Connection, message: ReserveRefund) -> RefundReserved:
    """Inside a transaction. The same payout again gets the same parts; another one is refused."""
    if await connection.fetchval(LOCK, message.return_no) is None:
        raise NoSuchReturn(message.return_no)
    case = await connection.fetchrow(CASE, message.return_no)
    assert case is not None, "the order's case is there"
    if case["payout_minor"] is not None:
        if case["payout_minor"] != message.amount_minor:
            raise RefundChanged(f"R{message.return_no}")
        return await _parts(connection, message.return_no)
    claim = await _checked(connection, case, message)
    amount = message.amount_minor
    try:
        await settle(connection, claim, message.accepted, kept_by=f"R{message.return_no}", refund_minor=amount)
        await _refund(connection, case, message)
    except (CheckViolationError, AmountRaised) as error:
        raise PayoutRefused(
            f"return {message.return_no}: {amount} cannot be paid out, the order's payments have not so much left "
            f"({error}); nothing was reserved, a person has to look"
        ) from None
    await connection.execute(PAID_OUT, message.return_no, amount, message.at)
    return await _parts(connection, message.return_no)


async def _checked(connection: Connection, case: Row, message: ReserveRefund) -> Claim:
    number, amount = message.return_no, message.amount_minor
    if case["freed_at"] is not None:
        raise PayoutRefused(f"return {number} has closed and let go of its units; nothing can be paid out")
    if case["type"] not in MONEY_GOES_BACK and amount:
        raise PayoutRefused(f"return {number} is a {case['type']}: it pays nothing back")
    if amount > case["held_minor"]:
        raise PayoutRefused(
            f"return {number}: {amount} is more than the {case['held_minor']} held for it; it can only be lowered"
        )
    units = await claimed(connection, number)
    if not is_part_of(message.accepted, units):
        raise PayoutRefused(f"return {number} does not have all of these units; refund only those that it has")
    await _covered(connection, case, message.accepted, amount)
    if why := await what_holds_refunds(connection, case["order_no"]):
        raise PayoutRefused(f"return {number} is not paid out; {why}")
    return Claim(
        order_no=case["order_no"],
        holder=number,
        units=units,
        held_minor=case["held_minor"],
        goods_come_back=case["type"] in GOODS_COME_BACK,
    )


async def _covered(connection: Connection, case: Row, accepted: tuple[UnitRange, ...], amount: int) -> None:
    """Never more than was paid for exactly these units (M6)."""
    shares = [UnitShare(**row) for row in await connection.fetch(SHARES, case["order_no"])]
    worth = quote(shares, accepted).full_minor
    if amount > worth:
        number = of(Admitted, case["admitted"]).return_no
        raise PayoutRefused(f"return {number}: {amount} is more than the {worth} paid for the accepted units")


async def _refund(connection: Connection, case: Row, message: ReserveRefund) -> None:
    left = [(row["payment_key"], row["left_minor"]) for row in await connection.fetch(LEFT, case["order_no"])]
    units: dict[str, int] = {}
    for r in message.accepted:
        units[r.line_id] = units.get(r.line_id, 0) + r.units
    for n, (payment_key, part) in enumerate(spread(message.amount_minor, left), start=1):
        number = f"R{message.return_no}" if n == 1 else f"R{message.return_no}-{n}"
        new = await connection.fetchval(
            REFUND,
            *(number, case["order_no"], message.return_no, part, RefundStatus.REQUESTED, case["seq"]),
            clean(message.reason),
            # Units are named by the first refund only: each is refunded once, whoever bears the money.
            units if n == 1 else {},
            message.at,
        )
        if new is None:
            raise RefundChanged(number)
        await connection.execute(BEAR, number, payment_key, part)


async def _parts(connection: Connection, return_no: str) -> RefundReserved:
    return RefundReserved(parts=tuple(RefundPart(**row) for row in await connection.fetch(PARTS, return_no)))
