"""The reports come by themselves: the month's on the 1st at 06:00 in Shanghai, the week's on Mondays; one that cannot
be built is asked about and holds up no other."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.insight.reports import BuildReport, NotBuilt, ReportBuilt
from activities.insight.risk_model import RiskTrained, TrainRisk
from domain.insight.periods import SHANGHAI, month, week
from tests.workflows.play import until
from workflows.loops.insight import INSIGHT_WORKFLOW, Insight, InsightWorkflow, next_morning


class Builder:
    def __init__(self) -> None:
        self.built: list[BuildReport] = []
        self.failed: list[NotBuilt] = []
        self.trained: list[TrainRisk] = []
        self.away = ""

    def periods(self, report: str) -> list[str]:
        return [wanted.period for wanted in self.built if wanted.report == report]

    @activity.defn(name="insight.build")
    async def build(self, wanted: BuildReport) -> ReportBuilt:
        if wanted.report == self.away:
            raise ApplicationError("the database is away")
        self.built.append(wanted)
        return ReportBuilt(report=wanted.report, period=wanted.period, version=1, new=True)

    @activity.defn(name="insight.train_risk")
    async def train_risk(self, wanted: TrainRisk) -> RiskTrained:
        if self.away == "risk":
            raise ApplicationError("the database is away")
        self.trained.append(wanted)
        return RiskTrained(version=1, held_out="2026-01", outcome="too_few")

    @activity.defn(name="insight.not_built")
    async def not_built(self, failed: NotBuilt) -> None:
        self.failed.append(failed)


@asynccontextmanager
async def reports(env: WorkflowEnvironment, builder: Builder, **how: Any) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    queue = f"reports-{uuid.uuid4().hex}"
    async with Worker(
        env.client, task_queue=queue, workflows=[InsightWorkflow],
        activities=[builder.build, builder.train_risk, builder.not_built], build_id="tests",
    ):  # fmt: skip
        handle = await env.client.start_workflow(
            INSIGHT_WORKFLOW, Insight(**how), id=f"insight/{queue}", task_queue=queue
        )
        try:
            yield handle
        finally:
            await env.client.get_workflow_handle(handle.id).terminate()


async def test_each_month_and_week_is_reported_on_once_in_the_morning_after(skipping: WorkflowEnvironment) -> None:
    builder = Builder()
    async with reports(skipping, builder) as handle:
        await skipping.fast_forward(handle, timedelta(days=63))
        await until(lambda: len(builder.periods("health")) >= 2, "two months")
        await until(lambda: len(builder.trained) >= 2, "two trainings")
        await until(lambda: len(builder.periods("weekly")) >= 8, "eight weeks")
    for report in ("health", "weekly"):
        assert len(set(builder.periods(report))) == len(builder.periods(report))
    trained = [wanted.month for wanted in builder.trained]
    assert trained == builder.periods("health")[: len(trained)], "the risk is trained after each month"
    for wanted in builder.built:
        over = (month if wanted.report == "health" else week)(wanted.period).until
        assert wanted.as_of >= over + timedelta(hours=6), "skipped time may run ahead of the worker, never behind"


@pytest.mark.parametrize("away", ["health", "risk"])
async def test_a_report_that_cannot_be_built_is_a_ticket_and_holds_up_no_other(
    skipping: WorkflowEnvironment, away: str
) -> None:
    builder = Builder()
    builder.away = away
    async with reports(skipping, builder, month="2026-10", week="2026-W46") as handle:
        await skipping.fast_forward(handle, timedelta(hours=20))
        await until(lambda: bool(builder.failed and builder.built), "both are seen to")
    assert {f.report for f in builder.failed} == {away} and "away" in builder.failed[0].why
    assert "weekly" in {built.report for built in builder.built}


async def test_what_was_missed_is_made_up_for_oldest_first_and_a_year_at_most(skipping: WorkflowEnvironment) -> None:
    builder = Builder()
    async with reports(skipping, builder, month="2020-01"):
        await until(lambda: len(builder.built) == 12, "a year")
    periods = [b.period for b in builder.built]
    assert len(builder.trained) <= 1, "of the last month only"
    assert periods == sorted(periods) and periods[-1] > "2026" and {b.report for b in builder.built} == {"health"}


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-04-01T05:59:59", "2026-04-01T06:00:00"),
        ("2026-04-01T06:00:00", "2026-04-06T06:00:00"),
        ("2026-04-27T06:00:01", "2026-05-01T06:00:00"),
    ],
)
def test_the_next_morning_is_a_first_or_a_monday(now: str, due: str) -> None:
    at = datetime.fromisoformat(f"{now}+08:00").astimezone(UTC)
    assert next_morning(at, timedelta(hours=6)) == datetime.fromisoformat(f"{due}+08:00").astimezone(SHANGHAI)
