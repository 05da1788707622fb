from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bench.scenarios.environment import ScenarioEnvironment, Servers


@pytest_asyncio.fixture(loop_scope="session")
async def house(servers: Servers) -> AsyncIterator[ScenarioEnvironment]:
    """Where nobody is believed by name, as on a real worker."""
    with pytest.MonkeyPatch.context() as patch:
        # A task is taken for stuck after 2 s of the real clock, which other tests use as well. What a message costs is
        # measured by itself (test_cost.py).
        patch.setenv("TEMPORAL_DEBUG", "1")
        async with servers.house(proofs_demanded=True) as opened:
            await opened.office.open_for_business()
            yield opened
