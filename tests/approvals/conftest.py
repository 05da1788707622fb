"""Approvals on a database of this test's own."""

import pytest

from store.pool import Pool
from tests.approvals.world import Office
from tests.postgres import database_url, pool

__all__ = ["database_url", "pool"]


@pytest.fixture
def office(pool: Pool) -> Office:
    return Office(pool)
