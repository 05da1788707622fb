"""What the books say of a refund that is about to be asked for: the last look before money leaves."""

from store.pool import Pool, Row

ROW = """
SELECT r.order_no, r.amount_minor, r.status, o.currency,
    array(SELECT DISTINCT m.channel FROM refund_parts p JOIN payments m ON m.key = p.payment_key
          WHERE p.refund_no = r.refund_no) AS channels
FROM refunds r JOIN orders o USING (order_no) WHERE r.refund_no = $1"""

# Of a payment that came in by a decision: the channel may know it under another number than the order's.
TRANSACTION = """
SELECT p.transaction_id FROM refund_parts b JOIN payments p ON p.key = b.payment_key
WHERE b.refund_no = $1 AND EXISTS (SELECT FROM outside_bookings z WHERE z.payment_key = p.key)
ORDER BY b.payment_key LIMIT 1"""

TAKEN_OVER = "CLOSED"


class ReservedRefunds:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def why_not(self, refund_no: str, order_no: str, amount_minor: int, currency: str, channel: str) -> str:
        """Why it may not be asked for, as far as the books know; '' when they have reserved exactly this."""
        row = await self._pool.fetchrow(ROW, refund_no)
        if row is None:
            return f"refund {refund_no} is not in the books"
        if differs := _differs(row, order_no, amount_minor, currency, channel):
            return f"refund {refund_no} of the books is another one: {differs}"
        if row["status"] == TAKEN_OVER:
            return f"refund {refund_no} has been taken over by a person"
        return ""

    async def transaction_of(self, refund_no: str) -> str | None:
        """By which its channel finds the payment that it is of; None: by the order's own number."""
        found: str | None = await self._pool.fetchval(TRANSACTION, refund_no)
        return found


def _differs(row: Row, order_no: str, amount_minor: int, currency: str, channel: str) -> str:
    asked = {"order": order_no, "amount": amount_minor, "currency": currency}
    known = {"order": row["order_no"], "amount": row["amount_minor"], "currency": row["currency"]}
    found = [f"{name} {known[name]}, not {value}" for name, value in asked.items() if known[name] != value]
    if row["channels"] and channel not in row["channels"]:
        found.append(f"paid by {', '.join(row['channels'])}, not {channel}")
    return "; ".join(found)
