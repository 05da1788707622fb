"""Cases through running workflows: real store, real relay delivery, skipped time, scripted outside systems."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from bench.scenarios.town import House, Town

Houses = Callable[..., AbstractAsyncContextManager[House]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all tests that share the town."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town() -> AsyncIterator[Town]:
    async with Town() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def house(town: Town) -> AsyncIterator[House]:
    """Surroundings of one test: a database, a namespace and a worker of its own."""
    async with town.house() as opened:
        yield opened
