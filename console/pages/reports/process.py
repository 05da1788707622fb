"""`/reports/process/{month}`: how orders really went, step by step, and the orders behind a step that is slow (R70)."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import REPORT_READERS
from console.pages.rendering import render
from console.pages.reports.for_all import insist_on_all
from console.session.user import User
from console.wiring import wiring_of
from domain.insight.periods import NoSuchPeriod, Span, month, month_before
from domain.states import ChildStatus, OrderStatus
from store.insight.process import ProcessReader

router = APIRouter()


@router.get("/reports/process")
async def newest(request: Request, user: Annotated[User, Depends(REPORT_READERS)]) -> Response:
    return RedirectResponse(f"/reports/process/{month_before(wiring_of(request).now()).name}", 303)


@router.get("/reports/process/{period}")
async def process(request: Request, user: Annotated[User, Depends(REPORT_READERS)], period: str) -> Response:
    await insist_on_all(request, user)
    span = _month(period)
    steps = await ProcessReader(wiring_of(request).pool).steps(span)
    slowest = max((s.median_h or 0 for s in steps), default=0)
    return render(
        request, "reports/process.html", user, period=span.name, earlier=month_before(span.since).name,
        later=month_before(wiring_of(request).now()).name, steps=steps, slowest=slowest,
    )  # fmt: skip


@router.get("/reports/process/{period}/orders")
async def behind(
    request: Request, user: Annotated[User, Depends(REPORT_READERS)], period: str, of: str = "", since: str = "",
    to: str = "",
) -> Response:  # fmt: skip
    """Those that stood longest before the step."""
    await insist_on_all(request, user)
    span, statuses = _month(period), set(ChildStatus if of == "parcel" else OrderStatus)
    if of not in ("order", "parcel") or not {since, to} <= statuses:
        raise HTTPException(404)
    found = await ProcessReader(wiring_of(request).pool).behind(span, of == "parcel", since, to)
    return render(request, "reports/slow.html", user, period=span.name, of=of, since=since, to=to, orders=found)


def _month(name: str) -> Span:
    try:
        return month(name)
    except NoSuchPeriod:
        raise HTTPException(404) from None
