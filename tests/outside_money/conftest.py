"""Orders through running workflows: real store, real relay delivery, skipped time, scripted outside systems."""

from collections.abc import AsyncIterator

import pytest_asyncio

from bench.scenarios.environment import ScenarioEnvironment, Servers


@pytest_asyncio.fixture(loop_scope="session")
async def house(servers: Servers) -> AsyncIterator[ScenarioEnvironment]:
    """Surroundings of one test. At its end every unit and every fen has one owner (`has_owners`)."""
    async with servers.house() as opened:
        yield opened
