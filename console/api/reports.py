"""The health report of a month and the ranking of a week, as they were built; the orders behind a number."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.requests import Request

from console.api.callers import Caller, Scoped, refuse
from console.api.problems import READING, ApiProblem, FieldFault, may_answer
from domain.access.api_tokens import ApiScope
from domain.insight.definitions import BEHIND, MEASURES, MONTH_RULES, Measure, Unit, Wording
from domain.insight.figures import Figure, FigurePart
from domain.insight.health import HealthReport
from domain.insight.periods import NoSuchPeriod, month, week
from domain.insight.weekly import WeeklyReport
from store.insight.reports import KeptReport, ReportKind, ReportStore

router = APIRouter(prefix="/reports", tags=["reports"])
READS = Annotated[Caller, Depends(Scoped(ApiScope.REPORTS_READ))]
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


class InBothLanguages(BaseModel):
    zh: str
    en: str


class ReportedFigure(BaseModel):
    """`value` in the `unit`, of `counted` cases of which `part` count; `left_out`: how many lacked what it needs, by
    reason. `met`: null without a target or a value."""

    measure: str
    name: InBothLanguages
    formula: InBothLanguages
    excludes: InBothLanguages
    month_rule: InBothLanguages
    unit: Unit
    target: int | None
    met: bool | None
    value: int | None
    part: int | None
    counted: int
    coverage_bp: int | None
    left_out: dict[str, int]
    p50: int | None
    p90: int | None
    parts: list[FigurePart]


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


class OrdersBehind(BaseModel):
    """`next`: send it as `after` for more; null: that was all."""

    month: str
    version: int
    orders: list[str]
    next: str | None


@router.get(
    "/health/{period}", response_model=MonthReported, operation_id="getHealthReport",
    summary="The health report of a month", responses=may_answer(*READING),
)  # fmt: skip
async def of_month(request: Request, caller: READS, period: str, version: Version = None) -> MonthReported:
    kept = await _kept(request, caller, "health", period, version)
    report = HealthReport.model_validate_json(kept.text)
    return MonthReported(
        month=report.month, version=kept.version, built_at=kept.built_at, parameters_version=report.parameters_version,
        orders=report.orders, not_compared=report.not_compared,
        figures=[_figure(measure, report.figure(measure.key)) for measure in MEASURES],
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
    kept = await _kept(request, caller, "health", period, version)
    reports = ReportStore(caller.wiring.pool)
    flag = BEHIND[measure].value
    page = await reports.orders("health", kept.period, kept.version, flag, after.replace("\x00", ""), limit)
    return OrdersBehind(month=kept.period, version=kept.version, orders=list(page.orders), next=page.next)


@router.get(
    "/weekly/{period}", response_model=WeekReported, operation_id="getWeeklyRanking",
    summary="The worst anomalies of a week", responses=may_answer(*READING),
)  # fmt: skip
async def of_week(request: Request, caller: READS, period: str, version: Version = None) -> WeekReported:
    kept = await _kept(request, caller, "weekly", period, version)
    report = WeeklyReport.model_validate_json(kept.text)
    return WeekReported(version=kept.version, built_at=kept.built_at, report=report)


async def _kept(request: Request, caller: Caller, kind: ReportKind, period: str, version: int | None) -> KeptReport:
    """A report is about all shops and warehouses: it is not for a token that reaches some. Raises `ApiProblem`."""
    if caller.scope.channels is not None or caller.scope.warehouses is not None:
        await refuse(request, caller, "OUT_OF_SCOPE", "a report is about all shops and warehouses; this token is not")
    try:
        name = (month(period) if kind == "health" else week(period)).name
    except NoSuchPeriod as error:
        raise ApiProblem(404, "NO_SUCH_REPORT", str(error)) from None
    found = await ReportStore(caller.wiring.pool).read(kind, name, version)
    if found is None:
        missing = f"{name} has no version {version}" if version else f"no report of {name} has been built"
        raise ApiProblem(404, "NO_SUCH_REPORT", missing)
    return found


def _figure(measure: Measure, found: Figure) -> ReportedFigure:
    return ReportedFigure(
        measure=measure.key, name=_both(measure.name), formula=_both(measure.formula), excludes=_both(measure.left_out),
        month_rule=_both(MONTH_RULES[measure.month]), unit=measure.unit, target=measure.target,
        met=measure.met(found.value), value=found.value, part=found.part, counted=found.counted,
        coverage_bp=found.coverage_bp, left_out=found.left_out, p50=found.p50, p90=found.p90, parts=list(found.parts),
    )  # fmt: skip


def _both(said: Wording) -> InBothLanguages:
    return InBothLanguages(zh=said.zh, en=said.en)
