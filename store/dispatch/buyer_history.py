"""What a buyer has ordered and sent back before, for the look at the risk of a new order."""

from datetime import datetime

from domain.insight.risk import HISTORY, BuyerHistory
from store.pool import Connection

# Of the buyer's latest other orders: a shop's nameless buyer may have any number. An order comes back within weeks.
CASES = """
WITH theirs AS (
    SELECT order_no, placed_at FROM orders
    WHERE buyer_id = (SELECT buyer_id FROM orders WHERE order_no = $1) AND order_no <> $1
    ORDER BY placed_at DESC, order_no DESC LIMIT 500
)
SELECT count(*) FILTER (WHERE c.type = 'exchange' AND c.reason = 'size_does_not_fit') AS size_exchange_90d,
    count(*) FILTER (WHERE c.type = 'return_refund') AS returns_90d,
    (SELECT count(*) FROM theirs WHERE placed_at > $2::timestamptz - $3::interval AND placed_at <= $2) AS orders_90d
FROM theirs JOIN return_cases c USING (order_no)
WHERE c.applied_at > $2::timestamptz - $3::interval AND c.applied_at <= $2 AND c.fault <> 'seller'
    AND c.status NOT IN ('REJECTED', 'CANCELLED_BY_BUYER', 'CLOSED_NOT_SENT')"""


async def buyer_history(connection: Connection, order_no: str, paid_at: datetime) -> BuyerHistory:
    """Before this order was paid."""
    row = await connection.fetchrow(CASES, order_no, paid_at, HISTORY)
    assert row is not None, "counting gives a row"
    return BuyerHistory(**dict(row))
