import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Protocol

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.seals.sealed_play import SealedPlay
from tests.workflows.world import World


class SealedPlays(Protocol):
    def __call__(
        self, *, since: datetime | None = None, relay_seals: bool = True
    ) -> AbstractAsyncContextManager[SealedPlay]: ...


@pytest.fixture
def sealed(skipping: WorkflowEnvironment) -> SealedPlays:
    @asynccontextmanager
    async def open_play(*, since: datetime | None = None, relay_seals: bool = True) -> AsyncIterator[SealedPlay]:
        play = SealedPlay(skipping, f"test-{uuid.uuid4().hex}", World())
        play.since, play.relay_seals = since, relay_seals
        async with play.worker():
            yield play
        play.world.check()

    return open_play
