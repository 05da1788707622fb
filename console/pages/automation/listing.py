"""`/automations`: what is done by itself, what it did, and the switch that stops all of it at once."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import AUTOMATION_READERS, AUTOMATION_STOPPERS
from console.pages.acting import field
from console.pages.rendering import render
from console.session.user import User
from console.text.catalogue import N_
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.access.desk import StopAutomations
from store.approvals.approvals import ApprovalStore
from store.automation.books import BookStore
from store.automation.desk import AutomationDesk

router = APIRouter()
MOST_NUMBER = 10**9
RUNS = 100
DONE = {"stopped": N_("All automations are stopped. Nothing more is done by any of them.")}


@router.get("/automations")
async def automations(
    request: Request, user: Annotated[User, Depends(AUTOMATION_READERS)], asked: str = "", said: str = ""
) -> Response:
    return await _page(request, user, asked_no=asked[:100], said=DONE.get(said, ""))


@router.get("/automations/runs")
async def runs(
    request: Request, user: Annotated[User, Depends(AUTOMATION_READERS)], automation: str = "", order: str = ""
) -> Response:
    desk, scope = AutomationDesk(wiring_of(request).pool), user.scope
    found = await desk.runs(
        automation_id=automation[:30] or None, order_no=order[:30] or None, limit=RUNS,
        channels=None if scope.channels is None else sorted(scope.channels),
        warehouses=None if scope.warehouses is None else sorted(scope.warehouses),
    )  # fmt: skip
    return render(request, "automation/runs.html", user, runs=found, automation=automation[:30], order=order[:30])


@router.post("/automations/stop")
async def stop(request: Request, user: Annotated[User, Depends(AUTOMATION_STOPPERS)]) -> Response:
    """At once, by one person: it only takes power away."""
    why = (await field(request, "why"))[:200]
    if not why:
        return await _page(request, user, RefusedAct("InvalidWork", "why"))

    async def stopped() -> object:
        return await (await user.desk()).do(StopAutomations(why=why), secrets.randbelow(MOST_NUMBER), user.id)

    came = await tried(stopped())
    if isinstance(came, RefusedAct):
        return await _page(request, user, came)
    return RedirectResponse("/automations?said=stopped", 303)


async def _page(
    request: Request, user: User, refusal: RefusedAct | None = None, *, asked_no: str = "", said: str = ""
) -> Response:
    pool = wiring_of(request).pool
    desk, books = AutomationDesk(pool), BookStore(pool)
    newest = await books.newest("automations")
    return render(
        request, "automation/list.html", user, status=refusal.status if refusal else 200, refusal=refusal,
        book=await desk.book(), since=newest.since if newest else {}, switch=await desk.switch(), said=said,
        versions=await books.history("automations"), asked_no=asked_no,
        questions=await ApprovalStore(pool).list(subject="automations"),
        edits=user.may_give("controls.change: automations"), stops=user.may_give("desk.do: stop_automations"),
    )  # fmt: skip
