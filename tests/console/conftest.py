"""A console on a database of this test's own; and one before a worker that believes nobody by name."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from bench.scenarios.environment import Servers
from bench.scenarios.environment.approvers import SHOP
from store.pool import Pool
from tests.console.office import ActingDesk, Desk, a_desk, hire
from tests.postgres import database_url, pool

__all__ = ["database_url", "pool"]


@pytest.fixture
async def desk(database_url: str, pool: Pool) -> AsyncIterator[Desk]:
    await hire(pool)
    async with a_desk(database_url, pool) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def acting(servers: Servers) -> AsyncIterator[ActingDesk]:
    """What is done here is done by the worker; tests of it run on the session's loop."""
    async with servers.house(proofs_demanded=True) as house:
        await house.office.open_for_business()

        async def there() -> Client:
            return house.temporal

        await hire(house.pool)
        shop = (house.office.shop_key, SHOP)
        keys = house.office.key
        async with a_desk(house.url, house.pool, there, key=keys, vault=house.evidence.vault, shop=shop) as desk:
            yield ActingDesk(house, desk)
