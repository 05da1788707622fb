"""A shop with open orders whose relay takes the callbacks of all seven providers: running workflows, real HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from bench.scenarios.town import Town
from tests.refusals.shop import Shop


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all tests that share the shop."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop() -> AsyncIterator[Shop]:
    async with AsyncExitStack() as stack:
        town = await stack.enter_async_context(Town())
        house = await stack.enter_async_context(town.house())
        yield await Shop.opened(house, stack)
