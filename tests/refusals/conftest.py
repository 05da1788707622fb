"""A shop with open orders whose relay takes the callbacks of all seven providers: running workflows, real HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from bench.scenarios.environment import Servers
from relay.inbound import refusals
from relay.inbound.token_buckets import Pace
from tests.refusals.shop import Shop


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(servers: Servers) -> AsyncIterator[Shop]:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(servers.house())
        with pytest.MonkeyPatch.context() as patch:
            # All abuses of a table come from one address within seconds: each is looked at, not counted as a flood.
            # Only while this relay is made: the fixture lives beside other tests, which count.
            patch.setattr(refusals, "EACH", Pace(burst=10_000, per_s=1_000))
            patch.setattr(refusals, "TOGETHER", Pace(burst=10_000, per_s=1_000))
            opened = await Shop.opened(house, stack)
        yield opened
