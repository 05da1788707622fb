"""`/settings/sources`: sources of callbacks: heard when, let in from where, stopped at once or let in again by two."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import POLICY_ASKERS
from console.pages.acting import ActRefused, field, message
from console.pages.controls.asking import asked
from console.pages.rendering import render
from console.security.access import Needs
from console.session.user import User
from console.text.refusals import RefusedAct
from console.wiring import wiring_of
from domain.access.authority import AUTHORITY
from domain.access.callback_sources import SetSource
from store.approvals.approvals import ApprovalStore
from store.inbox.sources import SourceStore

router = APIRouter()
EXAMPLE = "203.0.113.0/24"
KEEPERS = Needs(*AUTHORITY["controls.change: sources"].roles)


@router.get("/settings/sources")
async def sources(request: Request, user: Annotated[User, Depends(POLICY_ASKERS)], asked: str = "") -> Response:
    return await _page(request, user, asked_no=asked[:100])


@router.post("/settings/sources")
async def change(request: Request, user: Annotated[User, Depends(KEEPERS)]) -> Response:
    """`act`: stop or allow; `allow`: networks, one a line."""
    try:
        networks = (await field(request, "allow")).replace(",", " ").split()
        enabled = await field(request, "act") != "stop"
        wanted = message(
            request, SetSource, source=await field(request, "source"), enabled=enabled,
            allow=tuple(networks) if enabled else (),
        )  # fmt: skip
    except ActRefused as why:
        return await _page(request, user, RefusedAct("InvalidWork", why.said))
    came = await asked(request, user, wanted)
    if isinstance(came, RefusedAct):
        return await _page(request, user, came)
    return RedirectResponse(f"/settings/sources?asked={came}", 303)


async def _page(request: Request, user: User, refusal: RefusedAct | None = None, asked_no: str = "") -> Response:
    wiring = wiring_of(request)
    questions = [one for one in await ApprovalStore(wiring.pool).list() if one.request.kind == "set_source"]
    return render(
        request, "controls/sources.html", user, status=refusal.status if refusal else 200, refusal=refusal,
        sources=await SourceStore(wiring.pool).list(wiring.now()), questions=questions, asked_no=asked_no,
        example=EXAMPLE, may=user.may_give("controls.change: sources"),
    )  # fmt: skip
