"""Reports are about all shops and warehouses: they are not for a token that reaches some."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from console.api.callers import Caller, Scoped, refuse
from console.api.problems import ApiProblem
from domain.access.api_tokens import ApiScope
from domain.insight.periods import NoSuchPeriod, Span, month, week
from store.insight.reports import KeptReport, ReportKind, ReportStore

READS = Annotated[Caller, Depends(Scoped(ApiScope.REPORTS_READ))]
WRITES = Annotated[Caller, Depends(Scoped(ApiScope.REPORTS_WRITE))]


async def insist_on_all(request: Request, caller: Caller) -> None:
    """Raises `ApiProblem`."""
    if caller.scope.channels is not None or caller.scope.warehouses is not None:
        await refuse(request, caller, "OUT_OF_SCOPE", "a report is about all shops and warehouses; this token is not")


def span_of(kind: ReportKind, period: str) -> Span:
    """Of 2026-04 or 2026-W17. Raises `ApiProblem`."""
    try:
        return month(period) if kind == "health" else week(period)
    except NoSuchPeriod as error:
        raise ApiProblem(404, "NO_SUCH_REPORT", str(error)) from None


async def kept_report(
    request: Request, caller: Caller, kind: ReportKind, period: str, version: int | None
) -> KeptReport:
    """Without `version` the newest. Raises `ApiProblem`."""
    await insist_on_all(request, caller)
    name = span_of(kind, period).name
    found = await ReportStore(caller.wiring.pool).read(kind, name, version)
    if found is None:
        missing = f"{name} has no version {version}" if version else f"no report of {name} has been built"
        raise ApiProblem(404, "NO_SUCH_REPORT", missing)
    return found
