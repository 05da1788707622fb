"""Active pulling, one loop a connector (R12): a status is right even when every message about it was lost.

A tick is one activity that fails until it has news, so its retry policy is the clock: a tick without news costs no
event, one with news costs six (decision 0006).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NoReturn

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.polling import Pull, PullActivities, Pulled
    from domain.strict import UnableToRead
    from workflows.durable.raw_messages import NO_ARGUMENT, StartRefused, read_only_one
    from workflows.durable.seals import answered
    from workflows.loops.signals import LoopSignals, start_settings, until_told_otherwise

PULL_WORKFLOW = "Pull"
MOST_EVENTS = 1_000
"""Then continue as new: far below every history limit."""
SILENCE = timedelta(seconds=45)
"""Above two HTTP deadlines: a worker that died in the middle of a tick is noticed after this."""


def pull_workflow_id(connector: str) -> str:
    """`reconcile/{connector}`. The loop that subscribes parcels at Kuaidi100 has had that name before."""
    return "reconcile/kuaidi100-pull" if connector == "kuaidi100" else f"reconcile/{connector}"


@workflow.defn(name=PULL_WORKFLOW)
class PullWorkflow(LoopSignals):
    """For ever, by continue-as-new. The cursor is in the store: whoever was not asked about longest comes first."""

    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        self._changed = False
        try:
            self._settings = start_settings(Pull, raw)
        except StartRefused as refused:
            self._refused = refused

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> None:
        if self._refused is not None:
            raise self._refused.error()
        await until_told_otherwise(self._ask(), self._go_on)

    async def _ask(self) -> None:
        settings = self._settings
        while not self._over and (news := await answered(lambda: self._tick(settings))) is not None:
            told = f"{news.found} news of {news.asked} asked"
            workflow.set_current_details(f"{workflow.now():%Y-%m-%d %H:%M:%S} UTC: {told}")
        self._go_on()

    def _go_on(self) -> NoReturn:
        workflow.continue_as_new(self._settings)

    async def _tick(self, settings: Pull) -> Pulled | None:
        """The next tick with news; None: it was called off."""
        tick = workflow.start_activity_method(
            PullActivities.tick,
            settings,
            start_to_close_timeout=_longest(settings),
            heartbeat_timeout=SILENCE,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=settings.tick_s), backoff_coefficient=1.0),
            summary=f"ask {settings.connector} every {settings.tick_s} s",
        )
        await workflow.wait_condition(lambda: tick.done() or self._over)
        if tick.done():
            return await tick
        tick.cancel()
        return None

    def _hear(self, name: str, arguments: Sequence[RawValue]) -> None:
        if name != "configure":
            raise UnableToRead("this loop knows no such signal")
        self._configure(read_only_one(Pull, arguments, "signal"))

    def _configure(self, settings: Pull) -> None:
        """New settings count from now on. A worker that starts sends its own; the same ones again change nothing."""
        self._changed = self._changed or settings != self._settings
        self._settings = settings

    @property
    def _over(self) -> bool:
        return self._changed or workflow.info().get_current_history_length() >= MOST_EVENTS


def _longest(settings: Pull) -> timedelta:
    """Every question at its pace, and the last ones up to their deadline."""
    return timedelta(seconds=2 * settings.batch // settings.rate_per_s + 120)
