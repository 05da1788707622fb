"""The reports, `insight/reports`: the month's health report on the 1st at 06:00 in Shanghai, the week's ranking on
Mondays (R64, R72); after the month's reports the return risk is trained (R59). A workflow with a timer, as the nightly
comparison is (decisions 0007, 0057).
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field
from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.insight.reports import BuildReport, InsightActivities, NotBuilt
    from activities.insight.risk_model import RiskActivities, TrainRisk
    from domain.insight.periods import SHANGHAI, Span, month_before, months_after, week_before, weeks_after
    from domain.strict import Strict, UnableToRead
    from workflows.durable.raw_messages import NO_ARGUMENT, StartRefused, read_only_one
    from workflows.durable.seals import answered
    from workflows.loops.signals import LoopSignals, start_settings

INSIGHT_WORKFLOW = "Insight"
INSIGHT_WORKFLOW_ID = "insight/reports"
ONE_REPORT = timedelta(minutes=5)
STORE_STEP = timedelta(seconds=10)
TRAINS = "the return risk is trained on the 1st"
REPORT_RETRY = RetryPolicy(initial_interval=timedelta(minutes=1), backoff_coefficient=3.0, maximum_attempts=5)
"""Then a ticket: the other report, and the next one, do not wait for it."""
Built = Literal["health", "weekly", "risk"]
Period = Annotated[str, Field(max_length=10)]


class Insight(Strict):
    """When (Asia/Shanghai). `month`, `week`: the last ones that were seen to; those that ended since are made up
    for. Empty: none yet, and the first ones are those that end from now on."""

    hour: Annotated[int, Field(ge=0, le=23)] = 6
    minute: Annotated[int, Field(ge=0, le=59)] = 0
    month: Period = ""
    week: Period = ""


@workflow.defn(name=INSIGHT_WORKFLOW)
class InsightWorkflow(LoopSignals):
    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        self._changed = False
        try:
            self._settings = start_settings(Insight, raw)
        except StartRefused as refused:
            self._refused = refused

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> None:
        if self._refused is not None:
            raise self._refused.error()
        month, week = self._over()
        months = months_after(self._settings.month, month)
        for name in months:
            await self._build("health", name)
        for name in weeks_after(self._settings.week, week):
            await self._build("weekly", name)
        if months and workflow.patched(TRAINS):
            await self._train(month.name)
        self._settings = self._settings.model_copy(update={"month": month.name, "week": week.name})
        await self._wait()
        workflow.continue_as_new(self._settings)

    def _hear(self, name: str, arguments: Sequence[RawValue]) -> None:
        if name != "configure":
            raise UnableToRead("the reports know no such signal")
        told = read_only_one(Insight, arguments, "signal")
        kept = {"month": self._settings.month, "week": self._settings.week}
        new = told.model_copy(update=kept)
        self._changed = self._changed or new != self._settings
        self._settings = new

    def _over(self) -> tuple[Span, Span]:
        """The last month and week whose hour has come."""
        hour = timedelta(hours=self._settings.hour, minutes=self._settings.minute)
        now = workflow.now() - hour
        return month_before(now), week_before(now)

    async def _wait(self) -> None:
        due = next_morning(workflow.now(), timedelta(hours=self._settings.hour, minutes=self._settings.minute))
        workflow.set_current_details(f"waits for {due:%Y-%m-%d %H:%M} (Asia/Shanghai)")
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._changed, timeout=due - workflow.now(), timeout_summary="the next report"
            )

    async def _build(self, report: Literal["health", "weekly"], period: str) -> None:
        wanted = BuildReport(report=report, period=period, as_of=workflow.now())
        await self._done(report, period, lambda: workflow.execute_activity_method(
            InsightActivities.build, wanted, start_to_close_timeout=ONE_REPORT, retry_policy=REPORT_RETRY,
            summary=f"{report} {period}",
        ))  # fmt: skip

    async def _train(self, period: str) -> None:
        """Of the last month only: what was missed before teaches nothing more."""
        wanted = TrainRisk(month=period, as_of=workflow.now())
        await self._done("risk", period, lambda: workflow.execute_activity_method(
            RiskActivities.train_risk, wanted, start_to_close_timeout=ONE_REPORT, retry_policy=REPORT_RETRY,
            summary=f"return risk {period}",
        ))  # fmt: skip

    async def _done(self, report: Built, period: str, ask: Callable[[], Awaitable[Any]]) -> None:
        try:
            await answered(ask)
        except ActivityError as error:
            failed = NotBuilt(report=report, period=period, why=str(error.cause or error)[:500])
            await workflow.execute_activity_method(
                InsightActivities.not_built, failed, start_to_close_timeout=STORE_STEP, summary="ask about the report"
            )


def next_morning(now: datetime, at: timedelta) -> datetime:
    """The next 1st or Monday at that time of the day."""
    day = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    while day + at <= now or (day.day != 1 and day.weekday() != 0):
        day += timedelta(days=1)
    return day + at
