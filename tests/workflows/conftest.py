"""A worker for each test, on the one Temporal server with skipped time, with a world and a task queue of its own."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.workflows.play import Play
from tests.workflows.world import World


class Plays(Protocol):
    def __call__(self, world: World | None = None) -> AbstractAsyncContextManager[Play]: ...


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
