"""The open API before real books and a running worker that believes nobody by name."""

from collections.abc import AsyncIterator

import pytest_asyncio

from bench.scenarios.environment import ScenarioEnvironment, Servers
from tests.open_api.programs import Door, a_door


@pytest_asyncio.fixture(loop_scope="session")
async def house(servers: Servers) -> AsyncIterator[ScenarioEnvironment]:
    async with servers.house(proofs_demanded=True) as opened:
        await opened.office.open_for_business()
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def door(house: ScenarioEnvironment) -> AsyncIterator[Door]:
    async with a_door(house) as opened:
        yield opened
