"""One look of the automations' loop: what has happened is judged and done (store/automation/running.py)."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.clock import Clock
from domain.strict import Strict
from store.automation.running import AutomationRunner
from store.pool import Pool


class Automate(Strict):
    """The loop's start argument. `tick_s`: between two looks at what we were told; `timed_s`: at what nobody tells."""

    tick_s: Annotated[int, Field(ge=1, le=3_600)] = 3
    timed_s: Annotated[int, Field(ge=1, le=3_600)] = 30


class Looked(Strict):
    """A look in which something was done."""

    done: int


class AutomationActivities:
    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._runner = AutomationRunner(pool)
        self._clock = clock

    @activity.defn(name="automation.look")
    async def look(self, settings: Automate) -> Looked:
        """Fails until something was done: the caller's retry policy is the clock, and waiting costs no event."""
        attempt = activity.info().attempt if activity.in_activity() else 1
        every = max(1, settings.timed_s // settings.tick_s)
        done = await self._runner.look(self._clock(), timed=attempt % every == 1 or every == 1)
        if done:
            return Looked(done=done)
        raise ApplicationError(
            "nothing to do", type="nothing_yet", next_retry_delay=timedelta(seconds=settings.tick_s),
            category=ApplicationErrorCategory.BENIGN,
        )  # fmt: skip
