"""One real Temporal server with skipped time for all workflow tests; each test has its own world and task queue."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.workflows.play import Play, open_server
from tests.workflows.world import World


class Plays(Protocol):
    def __call__(self, world: World | None = None) -> AbstractAsyncContextManager[Play]: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all tests that share the server."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    async with await open_server() as env:
        yield env


@pytest.fixture
def plays(skipping: WorkflowEnvironment) -> Plays:
    """`async with plays(world) as play:` a worker for one test; at its end the invariants are checked."""

    @asynccontextmanager
    async def open_play(world: World | None = None) -> AsyncIterator[Play]:
        play = Play(skipping, f"test-{uuid.uuid4().hex}", world or World())
        async with play.worker():
            yield play
        play.world.check()

    return open_play
