"""One town for all scenarios that are tested; whoever needs it starts it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench.scenarios.town import Town


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
