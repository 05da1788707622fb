"""Another address for an order (R29): for whatever has not been picked yet. What has, keeps the one it goes to."""

from domain.fulfilment.readdressing import NewAddress
from store.errors import NoSuchOrder
from store.pool import Connection

# The order before its children, as every write of it does: the other way round two of them wait for each other.
LOCK = "SELECT order_no FROM orders WHERE order_no = $1 FOR NO KEY UPDATE"

# What was said before stays with the children that go there; a child that kept one earlier keeps that.
KEEP = """
UPDATE child_orders c SET address = coalesce(c.address, o.start -> 'address')
FROM orders o WHERE o.order_no = c.order_no AND c.order_no = $1 AND c.child_no = ANY ($2::text[])"""

CHANGE = "UPDATE orders SET start = jsonb_set(start, '{address}', $2) WHERE order_no = $1"


async def change_address(connection: Connection, message: NewAddress) -> None:
    """Inside a transaction. The same again changes nothing more. Raises `NoSuchOrder`."""
    if await connection.fetchval(LOCK, message.order_no) is None:
        raise NoSuchOrder(message.order_no)
    await connection.execute(KEEP, message.order_no, list(message.kept))
    await connection.execute(CHANGE, message.order_no, message.address.model_dump(mode="json"))
