"""A console on a database of this test's own."""

from collections.abc import AsyncIterator

import pytest

from store.pool import Pool
from tests.console.office import Desk, a_desk, hire
from tests.postgres import database_url, pool

__all__ = ["database_url", "pool"]


@pytest.fixture
async def desk(database_url: str, pool: Pool) -> AsyncIterator[Desk]:
    await hire(pool)
    async with a_desk(database_url, pool) as opened:
        yield opened
