"""Stores on a database of this test's own."""

import pytest

from store.inbox.inbox import InboxStore
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.ledger import StockStore
from tests.postgres import database_url, pool

__all__ = ["database_url", "pool"]


@pytest.fixture
def orders(pool: Pool) -> OrderStore:
    return OrderStore(pool)


@pytest.fixture
def stock(pool: Pool) -> StockStore:
    return StockStore(pool)


@pytest.fixture
def inbox(pool: Pool) -> InboxStore:
    return InboxStore(pool)
