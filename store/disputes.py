"""Money that the buyer's bank takes back: while it may be the same as a refund's, that refund does not go out (N17)."""

from store.errors import RefundDisputed
from store.pool import Connection

# Told by the channel, and nobody has said yet whether it is one.
TOLD = """
SELECT m.number FROM outside_money m JOIN tickets t ON t.ticket_id = 'T-money-' || m.money_no
WHERE m.order_no = $1 AND m.kind = 'chargeback' AND t.state = 'open' ORDER BY m.money_no LIMIT 1"""

# Words about a chargeback that do not fit the books: the money may be gone.
UNCLEAR = """
SELECT error FROM tickets WHERE order_no = $1 AND step = 'chargeback told otherwise' AND state = 'open'
ORDER BY opened_at, ticket_id LIMIT 1"""

OPEN = "SELECT chargeback_id FROM chargebacks WHERE order_no = $1 AND state = 'open' ORDER BY opened_at, 1 LIMIT 1"

# Also where refunds had been reserved before (the overlap): one of them may not have been sent yet.
TAKEN = """
SELECT chargeback_id FROM chargebacks
WHERE order_no = $1 AND state = 'lost' AND accounted_at IS NULL
ORDER BY opened_at, 1 LIMIT 1"""


async def what_holds_refunds(connection: Connection, order_no: str) -> str:
    """Why no refund of the order may go out, whoever asks; '' when one may. The order's row should be locked."""
    number = await connection.fetchval(OPEN, order_no)
    if number is not None:
        return f"on hold: a payment of order {order_no} is disputed by its bank ({number}); settle the chargeback first"
    number = await connection.fetchval(TOLD, order_no)
    if number is not None:
        return f"on hold: chargeback {number} of order {order_no} was told; book it, or answer its ticket, first"
    unclear = await connection.fetchval(UNCLEAR, order_no)
    if unclear is not None:
        return f"on hold: {unclear}; then answer its ticket"[:480]
    number = await connection.fetchval(TAKEN, order_no)
    if number is None:
        return ""
    return (
        f"the bank has taken money of order {order_no} (chargeback {number}, lost), perhaps this very money; compare, "
        f"then `oms order chargeback-accounted {number}` lets what is still owed go out"
    )


async def insist_on_no_dispute(connection: Connection, order_no: str, refund_no: str) -> None:
    """Raises `RefundDisputed`."""
    if why := await what_holds_refunds(connection, order_no):
        raise RefundDisputed(order_no, refund_no, why)
