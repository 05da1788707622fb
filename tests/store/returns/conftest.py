"""The returns' store, and an order whose goods have arrived."""

import pytest

from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.stock.ledger import StockStore
from tests.store.cases import an_arrived_order


@pytest.fixture
def returns(pool: Pool) -> ReturnStore:
    return ReturnStore(pool)


@pytest.fixture
async def order(orders: OrderStore, stock: StockStore) -> str:
    return await an_arrived_order(orders, stock)
