"""An installation is given seals: what a worker asked for before they counted is done, however late it is tried."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from domain.trust.seals import Unsealed
from tests.seals.sealed_play import workers
from wire.asked_activities import OnlyForOurWorkflows

SINCE = datetime(2026, 11, 30, 9, tzinfo=UTC)
"""Long over when these tests run: an attempt of today comes after it."""


class Done(ActivityInboundInterceptor):
    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        self.asked += input.args
        return "done"


async def tried(scheduled: datetime, since: datetime | None) -> list[Any]:
    """What the activity is asked, when it is done at all."""
    at, done = ActivityEnvironment(), Done()
    at.info = replace(at.info, workflow_type="Pull", activity_type="pull.tick", scheduled_time=scheduled)
    door = OnlyForOurWorkflows(["Pull"], workers(since)).intercept_activity(done)
    message = Unsealed("pull.tick", since, lambda: "the message")
    await at.run(door.execute_activity, ExecuteActivityInput(str, [message], None, {}))
    return done.asked


async def test_what_was_asked_for_before_is_done_after_it() -> None:
    assert await tried(SINCE - timedelta(days=2), SINCE) == ["the message"]


@pytest.mark.parametrize("since", [SINCE, None], ids=["since a moment", "always"])
async def test_what_nobody_has_sealed_and_was_asked_for_after_it_is_not(since: datetime | None) -> None:
    for scheduled in (SINCE, SINCE + timedelta(microseconds=1)):
        with pytest.raises(ApplicationError, match="only when a worker has asked"):
            await tried(scheduled, since)
