"""The health report of a month and the ranking of a week, as they were built; the orders behind a number."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request

from console.api.problems import READING, ApiProblem, FieldFault, may_answer
from console.api.reports.figures import ReportedFigure, reported
from console.api.reports.for_all import READS, insist_on_all, kept_report, span_of
from domain.insight.definitions import BEHIND, MEASURES
from domain.insight.health import HealthReport
from domain.insight.weekly import WeeklyReport
from store.insight.actions import ActionRow, ActionStore
from store.insight.reports import ReportKind, ReportStore

router = APIRouter(prefix="/reports", tags=["reports"])
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


class MonthReported(BaseModel):
    """Built again of the same facts, a report is the same version; late ones make the next, and none is changed."""

    month: str
    version: int
    built_at: datetime
    parameters_version: int
    orders: int
    not_compared: int
    """Days of the month that nobody has compared with the sources."""
    figures: list[ReportedFigure]


class WeekReported(BaseModel):
    version: int
    built_at: datetime
    report: WeeklyReport


class ReportPeriods(BaseModel):
    """That have a report, newest first: months (2026-04) and weeks (2026-W17)."""

    months: list[str]
    weeks: list[str]


class ReportVersion(BaseModel):
    version: int
    built_at: datetime


class ReportVersions(BaseModel):
    versions: list[ReportVersion]


class WeekActions(BaseModel):
    """What the weekly meeting has agreed on; `held_by`, `held_version`: what keeps it from coming again, once closed.
    `came_back`: how often it did in the four weeks since."""

    week: str
    actions: list[ActionRow]


class OrdersBehind(BaseModel):
    """`next`: send it as `after` for more; null: that was all."""

    month: str
    version: int
    orders: list[str]
    next: str | None


@router.get(
    "", response_model=ReportPeriods, operation_id="listReports", summary="Months and weeks that have a report",
    responses=may_answer(*READING),
)  # fmt: skip
async def periods(request: Request, caller: READS) -> ReportPeriods:
    await insist_on_all(request, caller)
    reports = ReportStore(caller.wiring.pool)
    return ReportPeriods(months=list(await reports.periods("health")), weeks=list(await reports.periods("weekly")))


@router.get(
    "/{kind}/{period}/versions", response_model=ReportVersions, operation_id="listReportVersions",
    summary="When a report was built, newest first", responses=may_answer(*READING),
)  # fmt: skip
async def versions(request: Request, caller: READS, kind: ReportKind, period: str) -> ReportVersions:
    await insist_on_all(request, caller)
    found = await ReportStore(caller.wiring.pool).versions(kind, span_of(kind, period).name)
    return ReportVersions(versions=[ReportVersion(version=number, built_at=at) for number, at in found])


@router.get(
    "/health/{period}", response_model=MonthReported, operation_id="getHealthReport",
    summary="The health report of a month", responses=may_answer(*READING),
)  # fmt: skip
async def of_month(request: Request, caller: READS, period: str, version: Version = None) -> MonthReported:
    kept = await kept_report(request, caller, "health", period, version)
    report = HealthReport.model_validate_json(kept.text)
    return MonthReported(
        month=report.month, version=kept.version, built_at=kept.built_at, parameters_version=report.parameters_version,
        orders=report.orders, not_compared=report.not_compared,
        figures=[reported(measure, report.figure(measure.key)) for measure in MEASURES],
    )  # fmt: skip


@router.get(
    "/health/{period}/orders", response_model=OrdersBehind, operation_id="listOrdersBehindFigure",
    summary="The orders behind a number", responses=may_answer(*READING),
)  # fmt: skip
async def behind(
    request: Request,
    caller: READS,
    period: str,
    measure: str,
    version: Version = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str, Query(max_length=64)] = "",
) -> OrdersBehind:
    if measure not in BEHIND:
        fault = FieldFault(pointer="query/measure", code="measure", detail=f"one of {', '.join(BEHIND)}")
        raise ApiProblem(422, "INVALID_REQUEST", "measure is no figure of the report", [fault])
    kept = await kept_report(request, caller, "health", period, version)
    reports = ReportStore(caller.wiring.pool)
    flag = BEHIND[measure].value
    page = await reports.orders("health", kept.period, kept.version, flag, after.replace("\x00", ""), limit)
    return OrdersBehind(month=kept.period, version=kept.version, orders=list(page.orders), next=page.next)


@router.get(
    "/weekly/{period}", response_model=WeekReported, operation_id="getWeeklyRanking",
    summary="The worst anomalies of a week", responses=may_answer(*READING),
)  # fmt: skip
async def of_week(request: Request, caller: READS, period: str, version: Version = None) -> WeekReported:
    kept = await kept_report(request, caller, "weekly", period, version)
    report = WeeklyReport.model_validate_json(kept.text)
    return WeekReported(version=kept.version, built_at=kept.built_at, report=report)


@router.get(
    "/weekly/{period}/actions", response_model=WeekActions, operation_id="listActions",
    summary="What was agreed on about the worst of a week", responses=may_answer(*READING),
)  # fmt: skip
async def actions(request: Request, caller: READS, period: str) -> WeekActions:
    await insist_on_all(request, caller)
    name = span_of("weekly", period).name
    return WeekActions(week=name, actions=list(await ActionStore(caller.wiring.pool).of_week(name)))
