"""Cases through running workflows: real store, real relay delivery, skipped time, scripted outside systems."""

from collections.abc import AsyncIterator

import pytest_asyncio

from bench.scenarios.environment import ScenarioEnvironment, Servers


@pytest_asyncio.fixture(loop_scope="session")
async def house(servers: Servers) -> AsyncIterator[ScenarioEnvironment]:
    """Surroundings of one test: a database, a namespace and a worker of its own."""
    async with servers.house() as opened:
        yield opened
