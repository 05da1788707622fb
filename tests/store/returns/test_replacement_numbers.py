"""Replacements take their numbers in the order's own row: children made anew never take one of them for their own."""

import pytest

from domain.fulfilment.reallocation import Part
from store.errors import ChildNumberTaken
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from tests.store.cases import a_case
from tests.store.examples import a_settled_order
from tests.store.orders.test_reallocation import a_replan, as_held, price_of

TAKEN = """
INSERT INTO child_orders (child_no, order_no, nn, status, seq, warehouse, reasons, net_minor, freight_minor, paid_minor,
    updated_at, type, return_no)
SELECT order_no || '-09', order_no, 9, 'RELEASED', 0, warehouse, '[]', 0, 0, 0, updated_at, 'EXCHANGE', $2
FROM child_orders WHERE child_no = $1"""


async def test_a_number_that_a_return_gave_to_its_replacement_is_not_taken_for_the_same_again(
    returns: ReturnStore, orders: OrderStore, pool: Pool, order: str
) -> None:
    case = await a_case(returns, pool)
    await pool.execute(TAKEN, f"{order}-01", case.return_no)
    old = as_held((await a_settled_order(orders, order)).children)
    with pytest.raises(ChildNumberTaken, match=f"{order}-09"):
        await orders.replan(a_replan(await price_of(pool), old[:1], [Part(lines={"L1": 3})], seq=9))
