"""`/settings`: the policy of new orders: shown, changed into a draft, with what becomes looser; its versions."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import POLICY_ASKERS
from console.pages.controls.policy_drafts import drafted
from console.pages.controls.policy_fields import Unreadable, fields_of, read_back
from console.pages.rendering import render
from console.security.forms import read_form
from console.session.user import User
from console.text.refusals import RefusedAct
from console.wiring import wiring_of
from domain.access.loosening import looser_policy
from domain.policy import Policy, changes
from domain.strict import faults, of
from store.approvals.approvals import ApprovalStore
from store.rules.policies import PolicyStore
from store.rules.policy_drafts import PolicyDrafts

router = APIRouter()
VERSIONS = 20


@router.get("/settings")
async def settings(request: Request, user: Annotated[User, Depends(POLICY_ASKERS)]) -> Response:
    return await _page(request, user)


@router.post("/settings/look")
async def look(request: Request, user: Annotated[User, Depends(POLICY_ASKERS)]) -> Response:
    """What would change, and what of it lets more through; nothing is asked yet."""
    said = await _said(request)
    wanted = await _wanted(request, said)
    if isinstance(wanted, RefusedAct):
        return await _page(request, user, said, wanted)
    current = await PolicyStore(wiring_of(request).pool).current()
    before, after = ({f.name: f for f in fields_of(each)} for each in (current, wanted))
    changed = [(before[name], after[name]) for name in before if before[name].text != after[name].text]
    return render(
        request, "controls/settings_look.html", user, changed=changed, said=said,
        looser=looser_policy(current, wanted),
    )  # fmt: skip


@router.post("/settings/draft")
async def draft(request: Request, user: Annotated[User, Depends(POLICY_ASKERS)]) -> Response:
    """Kept, to be tried and asked for; nothing is in force by that."""
    said = await _said(request)
    wanted = await _wanted(request, said)
    if isinstance(wanted, RefusedAct):
        return await _page(request, user, said, wanted)
    if not changes(await PolicyStore(wiring_of(request).pool).current(), wanted):
        return await _page(request, user, said, RefusedAct("NothingChanged", ""))
    came = await drafted(request, user, wanted, said.get("draft_name", "").strip())
    if isinstance(came, RefusedAct):
        return await _page(request, user, said, came)
    return RedirectResponse(f"/settings/drafts/{came}", 303)


async def _said(request: Request) -> dict[str, str]:
    """A check box that is not ticked is not sent: the form says which there are."""
    form = await read_form(request)
    said = {name: value for name, value in form.items() if isinstance(value, str)}
    return {**{str(name): "" for name in form.getlist("flag")}, **said}


async def _wanted(request: Request, said: Mapping[str, str]) -> Policy | RefusedAct:
    current = await PolicyStore(wiring_of(request).pool).current()
    try:
        values: dict[str, Any] = read_back(current, said)
        return of(Policy, values)
    except Unreadable as why:
        return RefusedAct("InvalidWork", why.name)
    except ValidationError as error:
        return RefusedAct("InvalidWork", faults(error))


async def _page(
    request: Request, user: User, said: Mapping[str, str] | None = None, refusal: RefusedAct | None = None
) -> Response:
    pool = wiring_of(request).pool
    policy = await PolicyStore(pool).current()
    fields = fields_of(policy)
    return render(
        request, "controls/settings.html", user, status=refusal.status if refusal else 200, refusal=refusal,
        fields=fields, policy=policy, said={f.name: f.text for f in fields} | dict(said or {}),
        drafts=await PolicyDrafts(pool).drafts(VERSIONS),
        versions=await PolicyStore(pool).history(VERSIONS), questions=await ApprovalStore(pool).list(subject="policy"),
    )  # fmt: skip
