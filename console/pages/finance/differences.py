"""`/finance/differences`: what a night's comparison found between partners and our books, and what healed."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import DIFFERENCE_READERS
from console.pages.rendering import render
from console.session.user import User
from console.text.language import CHINA
from console.wiring import wiring_of
from store.console.scopes import sees_order
from store.polling.measures import MeasureStore

router = APIRouter()
DAYS_BACK = timedelta(days=1)


@router.get("/finance/differences")
async def differences(request: Request, user: Annotated[User, Depends(DIFFERENCE_READERS)], day: str = "") -> Response:
    """Of a day of Shanghai; without one, yesterday. Orders of other shops are left out, and said to be."""
    wiring = wiring_of(request)
    try:
        chosen = date.fromisoformat(day) if day else wiring.now().astimezone(CHINA).date() - DAYS_BACK
    except ValueError:
        raise HTTPException(400) from None
    if not 2000 <= chosen.year <= 2200:
        raise HTTPException(400)
    report = await MeasureStore(wiring.pool).day(chosen)
    drifts = [one for one in report.drifts if await sees_order(wiring.pool, one.order_no, user.scope)]
    return render(
        request, "finance/differences.html", user, day=chosen, report=report, drifts=drifts,
        hidden=len(report.drifts) - len(drifts),
    )  # fmt: skip
