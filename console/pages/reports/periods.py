"""`/reports`: the health report of a month beside the month before, the orders behind each number, files of it, and the
week's worst anomalies."""

import secrets
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import REPORT_READERS
from console.pages.rendering import render
from console.pages.reports.for_all import insist_on_all
from console.security.forms import read_form
from console.session.user import User
from console.text.language import language_of
from console.text.refusals import RefusedAct, tried
from console.text.report_figures import in_words, shown
from console.wiring import wiring_of
from domain.access.desk import BuildReportNow
from domain.insight.definitions import BEHIND, BY_KEY
from domain.insight.export import as_csv, as_xlsx, week_as_csv
from domain.insight.health import HealthReport
from domain.insight.improvements import AddAction, CloseAction
from domain.insight.periods import NoSuchPeriod, Span, month, month_before, week
from domain.insight.weekly import WeeklyReport
from domain.records import AuditEntry
from domain.strict import faults
from store.audit.audit import AuditStore
from store.insight.actions import ActionStore
from store.insight.reports import KeptReport, ReportKind, ReportStore

router = APIRouter()
A_PAGE = 100
MOST_NUMBER = 10**9
FILES = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


@router.get("/reports")
async def newest(request: Request, user: Annotated[User, Depends(REPORT_READERS)]) -> Response:
    wiring = wiring_of(request)
    months = await ReportStore(wiring.pool).periods("health", 1)
    return RedirectResponse(f"/reports/{months[0] if months else month_before(wiring.now()).name}", 303)


@router.get("/reports/{period}")
async def of_month(
    request: Request, user: Annotated[User, Depends(REPORT_READERS)], period: str, version: int = 0
) -> Response:
    return await _page(request, user, period, version)


@router.get("/reports/{period}/orders")
async def behind(
    request: Request, user: Annotated[User, Depends(REPORT_READERS)], period: str, measure: str = "", version: int = 0,
    after: str = "",
) -> Response:  # fmt: skip
    """The orders behind one number."""
    await insist_on_all(request, user)
    if measure not in BEHIND:
        raise HTTPException(404)
    kept = await _kept(request, "health", _month(period), version)
    if kept is None:
        raise HTTPException(404)
    reports = ReportStore(wiring_of(request).pool)
    page = await reports.orders("health", kept.period, kept.version, BEHIND[measure].value, after[:64], A_PAGE)
    return render(
        request, "reports/orders.html", user, page=page, kept=kept,
        measure=in_words(language_of(request), BY_KEY[measure].name),
    )  # fmt: skip


@router.get("/reports/{period}/print")
async def to_print(
    request: Request, user: Annotated[User, Depends(REPORT_READERS)], period: str, version: int = 0
) -> Response:
    """To hand round: on paper, or as the PDF that a browser makes of it (decision 0057)."""
    await insist_on_all(request, user)
    span, language = _month(period), language_of(request)
    kept = await _kept(request, "health", span, version)
    if kept is None:
        raise HTTPException(404)
    earlier = month_before(span.since)
    before = await _kept(request, "health", earlier, 0)
    return render(
        request, "reports/print.html", period=span.name, kept=kept, report=_report(kept), versions=(),
        earlier=earlier.name, figures=shown(language, _report(kept), _report(before)),
    )  # fmt: skip


@router.get("/reports/{period}/file/{kind}")
async def file(
    request: Request, user: Annotated[User, Depends(REPORT_READERS)], period: str, kind: str, version: int = 0
) -> Response:
    """The same version is the same bytes; that it was taken is written down."""
    await insist_on_all(request, user)
    kept = await _kept(request, "health", _month(period), version)
    if kind not in FILES or kept is None:
        raise HTTPException(404)
    make, media = FILES[kind]
    content = make(HealthReport.model_validate_json(kept.text), kept.version)
    return await _handed_out(request, user, kept, content, kind, media)


@router.get("/reports/weekly/{period}/file/csv")
async def file_of_week(
    request: Request, user: Annotated[User, Depends(REPORT_READERS)], period: str, version: int = 0
) -> Response:
    await insist_on_all(request, user)
    kept = await _kept(request, "weekly", _week(period), version)
    if kept is None:
        raise HTTPException(404)
    content = week_as_csv(WeeklyReport.model_validate_json(kept.text), kept.version)
    return await _handed_out(request, user, kept, content, "csv", FILES["csv"][1])


@router.post("/reports/{period}/build")
async def build(request: Request, user: Annotated[User, Depends(REPORT_READERS)], period: str) -> Response:
    """Built again of what is known now: the same facts make no new version."""
    await insist_on_all(request, user)
    health = "W" not in period
    name = (_month(period) if health else _week(period)).name
    work = BuildReportNow(report="health" if health else "weekly", period=name)

    async def done() -> Any:
        return await (await user.desk()).do(work, 1 + secrets.randbelow(MOST_NUMBER), user.id)

    came = await tried(done())
    if isinstance(came, RefusedAct):
        return await (_page if health else _weekly)(request, user, period, 0, came)
    return RedirectResponse(f"/reports/{name}" if health else f"/reports/weekly/{name}", 303)


@router.post("/reports/weekly/{period}/actions")
async def agree(request: Request, user: Annotated[User, Depends(REPORT_READERS)], period: str) -> Response:
    """What is to be done about one of the worst, by whom and until when."""
    await insist_on_all(request, user)
    week_name, said = _week(period).name, await _fields(request)
    return await _act(request, user, week_name, lambda: AddAction(
        week=week_name, anomaly_id=said.get("anomaly", ""), text=said.get("text", ""), owner=said.get("owner", ""),
        due=said.get("due", ""),
    ))  # fmt: skip


@router.post("/reports/weekly/{period}/close")
async def close(request: Request, user: Annotated[User, Depends(REPORT_READERS)], period: str) -> Response:
    """Only with the version that holds it: the books refuse every other."""
    await insist_on_all(request, user)
    said = await _fields(request)
    fields = {"action_no": _number(said.get("action", "")), "held_by": said.get("held_by", ""),
              "version": _number(said.get("version", ""))}  # fmt: skip
    return await _act(request, user, _week(period).name, lambda: CloseAction.model_validate(fields))


@router.get("/reports/weekly/{period}")
async def of_week(
    request: Request, user: Annotated[User, Depends(REPORT_READERS)], period: str, version: int = 0
) -> Response:
    return await _weekly(request, user, period, version)


async def _page(request: Request, user: User, period: str, version: int, refusal: RefusedAct | None = None) -> Response:
    await insist_on_all(request, user)
    span, language = _month(period), language_of(request)
    kept = await _kept(request, "health", span, version)
    before = await _kept(request, "health", month_before(span.since), 0)
    reports = ReportStore(wiring_of(request).pool)
    figures = shown(language, _report(kept), _report(before)) if kept else ()
    return render(
        request, "reports/month.html", user, kept=kept, report=_report(kept) if kept else None, period=span.name,
        figures=figures, versions=await reports.versions("health", span.name), months=await reports.periods("health"),
        weeks=await reports.periods("weekly", 8), earlier=month_before(span.since).name, refusal=refusal,
        status=refusal.status if refusal else 200,
    )  # fmt: skip


async def _weekly(
    request: Request, user: User, period: str, version: int, refusal: RefusedAct | None = None
) -> Response:
    await insist_on_all(request, user)
    span = _week(period)
    kept = await _kept(request, "weekly", span, version)
    report = WeeklyReport.model_validate_json(kept.text) if kept else None
    return render(
        request, "reports/week.html", user, kept=kept, report=report, period=span.name, refusal=refusal,
        weeks=await ReportStore(wiring_of(request).pool).periods("weekly", 12),
        actions=await ActionStore(wiring_of(request).pool).of_week(span.name), today=wiring_of(request).now().date(),
        status=refusal.status if refusal else 200,
    )  # fmt: skip


async def _handed_out(
    request: Request, user: User, kept: KeptReport, content: bytes, kind: str, media: str
) -> Response:
    wiring = wiring_of(request)
    detail = {"what": f"reports/{kept.period}", "version": kept.version, "kind": kind}
    await AuditStore(wiring.pool).append(
        AuditEntry(actor=user.id, action="console.exported", detail=detail), wiring.now()
    )
    name = f"{kept.kind}-{kept.period}-v{kept.version}.{kind}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=media, headers=headers)


async def _act(request: Request, user: User, week_name: str, made: Callable[[], AddAction | CloseAction]) -> Response:
    try:
        work = made()
    except ValidationError as error:
        return await _weekly(request, user, week_name, 0, RefusedAct("InvalidWork", faults(error)))

    async def done() -> Any:
        return await (await user.desk()).do(work, 1 + secrets.randbelow(MOST_NUMBER), user.id)

    came = await tried(done())
    if isinstance(came, RefusedAct):
        return await _weekly(request, user, week_name, 0, came)
    return RedirectResponse(f"/reports/weekly/{week_name}", 303)


async def _fields(request: Request) -> dict[str, str]:
    return {name: value.strip() for name, value in (await read_form(request)).items() if isinstance(value, str)}


def _number(text: str) -> int:
    """-1, which nothing has, for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else -1


async def _kept(request: Request, kind: ReportKind, span: Span, version: int) -> KeptReport | None:
    """Without `version` the newest. Raises `HTTPException` for a version that is not there."""
    kept = await ReportStore(wiring_of(request).pool).read(kind, span.name, version or None)
    if kept is None and version:
        raise HTTPException(404)
    return kept


def _report(kept: KeptReport | None) -> HealthReport | None:
    return HealthReport.model_validate_json(kept.text) if kept else None


def _month(name: str) -> Span:
    return _period(month, name)


def _week(name: str) -> Span:
    return _period(week, name)


def _period(read: Any, name: str) -> Span:
    try:
        found: Span = read(name)
    except NoSuchPeriod:
        raise HTTPException(404) from None
    return found
