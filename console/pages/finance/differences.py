"""`/finance/differences`: what a comparison found between partners and our books, and what healed; begun now, too."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import DIFFERENCE_READERS
from console.pages.rendering import render
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import CHINA
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.records import AuditEntry
from starter.clients.comparing import compare_now
from store.audit.audit import AuditStore
from store.console.scopes import seen_among
from store.polling.measures import MeasureStore

router = APIRouter()
DAYS_BACK = timedelta(days=1)
SHOWN = 500
ASKED = N_(
    "The comparison has begun: what differs is shown here as it is found. What has not healed after five minutes is a "
    "ticket."
)


@router.get("/finance/differences")
async def differences(
    request: Request, user: Annotated[User, Depends(DIFFERENCE_READERS)], day: str = "", said: str = ""
) -> Response:
    """Of a day of Shanghai; without one, yesterday. Orders of other shops are left out, and said to be."""
    return await _page(request, user, day, said=ASKED if said == "asked" else "")


@router.post("/finance/differences/run")
async def run(request: Request, user: Annotated[User, Depends(DIFFERENCE_READERS)]) -> Response:
    """Everything that was written to since yesterday began, compared with everybody's books, as in the night."""
    wiring = wiring_of(request)
    now = wiring.now()
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)

    async def asked() -> None:
        await compare_now(await wiring.temporal.client(), await MeasureStore(wiring.pool).asked_since(today))

    came = await tried(asked())
    if isinstance(came, RefusedAct):
        return await _page(request, user, "", refusal=came)
    entry = AuditEntry(actor=user.id, action="reconcile.asked", detail={"since": f"{today:%Y-%m-%d}"})
    await AuditStore(wiring.pool).append(entry, now)
    return RedirectResponse("/finance/differences?said=asked", 303)


async def _page(request: Request, user: User, day: str, refusal: RefusedAct | None = None, said: str = "") -> Response:
    wiring = wiring_of(request)
    try:
        chosen = date.fromisoformat(day) if day else wiring.now().astimezone(CHINA).date() - DAYS_BACK
    except ValueError:
        raise HTTPException(400) from None
    if not 2000 <= chosen.year <= 2200:
        raise HTTPException(400)
    report = await MeasureStore(wiring.pool).day(chosen, anew=False)
    seen = await seen_among(wiring.pool, [one.order_no for one in report.drifts], user.scope)
    drifts = [one for one in report.drifts if one.order_no in seen]
    return render(
        request, "finance/differences.html", user, status=409 if refusal else 200, day=chosen,
        report=report, drifts=drifts[:SHOWN], more=max(0, len(drifts) - SHOWN),
        hidden=len(report.drifts) - len(drifts), refusal=refusal, said=said,
    )  # fmt: skip
