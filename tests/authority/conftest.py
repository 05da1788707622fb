"""A worker that believes nobody by name, with people who hold roles and a backend that signs for its buyers."""

from collections.abc import AsyncIterator

import pytest_asyncio

from bench.scenarios.environment import ScenarioEnvironment, Servers


@pytest_asyncio.fixture(loop_scope="session")
async def house(servers: Servers) -> AsyncIterator[ScenarioEnvironment]:
    """Surroundings of one test: a database, a namespace and a worker of its own."""
    async with servers.house(proofs_demanded=True) as opened:
        await opened.office.open_for_business()
        yield opened
