"""What a payment channel allows an order's refunds: one a minute, at most fifty, within a year (R48)."""

from datetime import datetime, timedelta

from store.disputes import what_holds_refunds
from store.pool import Connection

MOST_REFUNDS = 50
LONGEST = timedelta(days=365)

# The order's row is locked: two cases that ask at once get two slots.
LOCK = "SELECT refund_not_before FROM orders WHERE order_no = $1 FOR NO KEY UPDATE"

# What has been asked of the channel for this payment, besides this very refund.
OTHERS = """
SELECT count(*) AS n, max(requested_at) AS latest FROM refunds
WHERE order_no = $1 AND refund_no <> $2 AND status <> 'REQUESTED'"""

PAID_AT = "SELECT paid_at FROM payments WHERE key = $1"

TAKE = "UPDATE orders SET refund_not_before = $2 WHERE order_no = $1"


async def refund_slot(
    connection: Connection, order_no: str, refund_no: str, payment_key: str, spacing_s: int, now: datetime
) -> tuple[datetime, str]:
    """Inside a transaction: when this refund may be sent, or why it may not. Asking again takes a later slot."""
    not_before = await connection.fetchval(LOCK, order_no)
    if why := await what_holds_refunds(connection, order_no):
        return now, why
    others = await connection.fetchrow(OTHERS, order_no, refund_no)
    paid_at = await connection.fetchval(PAID_AT, payment_key)
    if others is not None and others["n"] >= MOST_REFUNDS:
        return now, f"the channel takes at most {MOST_REFUNDS} refunds of one payment, and {others['n']} were sent"
    if paid_at is not None and now - paid_at > LONGEST:
        return now, "the payment is older than a year: the channel takes no refund of it any more"
    spacing = timedelta(seconds=spacing_s)
    latest = others["latest"] + spacing if others is not None and others["latest"] else now
    slot = max(now, latest, not_before or now)
    await connection.execute(TAKE, order_no, slot + spacing)
    return slot, ""
