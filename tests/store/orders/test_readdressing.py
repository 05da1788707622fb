"""Another address for an order, beside its other writes."""

import asyncio

from domain.fulfilment.readdressing import NewAddress
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.store.examples import ADDRESS, a_settled_order

NO = "SO20261120"
WAITING = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"


async def test_while_another_write_has_the_order_no_child_is_held(orders: OrderStore, pool: Pool) -> None:
    """Else that write, which takes the children next, and this one would wait for each other."""
    await a_settled_order(orders)
    message = NewAddress(order_no=NO, address=ADDRESS, kept=(f"{NO}-01",))
    async with asyncio.timeout(10), pool.acquire() as other:
        async with other.transaction():
            await other.execute("SELECT FROM orders WHERE order_no = $1 FOR NO KEY UPDATE", NO)
            change = asyncio.ensure_future(orders.change_address(message))
            while not await pool.fetchval(WAITING):
                await asyncio.sleep(0.01)
            assert await other.fetch("SELECT 1 FROM child_orders WHERE order_no = $1 FOR UPDATE NOWAIT", NO)
        await change
