"""`/settings/drafts/{n}`: a draft of the policy: what it changes and would have meant, asked for, in force."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import POLICY_ASKERS
from console.pages.controls.asking import asked
from console.pages.controls.policy_fields import fields_of
from console.pages.rendering import render
from console.pages.rules.overview import numbered
from console.session.user import User
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.access.controls import PublishPolicy
from domain.access.desk import DraftPolicy
from domain.access.loosening import looser_policy
from domain.policy import Policy
from domain.rules.sets import UnableToDecide
from store.approvals.approvals import ApprovalStore
from store.errors import ChangeRefused
from store.rules.policies import PolicyStore
from store.rules.policy_drafts import PolicyDraft, PolicyDrafts

router = APIRouter()
MOST_NUMBER = 10**9
LONGEST_NAME = 60


@router.get("/settings/drafts/{number}")
async def draft(
    request: Request, user: Annotated[User, Depends(POLICY_ASKERS)], number: str, asked: str = ""
) -> Response:
    return await _page(request, user, await _draft(request, number), asked_no=asked[:100])


@router.post("/settings/drafts/{number}/try")
async def try_it(request: Request, user: Annotated[User, Depends(POLICY_ASKERS)], number: str) -> Response:
    """On the newest orders and returns; kept for who decides. Changes nothing."""
    found, wiring = await _draft(request, number), wiring_of(request)
    try:
        await PolicyDrafts(wiring.pool).try_on_the_past(found.draft_no, user.id, wiring.now())
    except UnableToDecide as why:
        return await _page(request, user, found, RefusedAct("UnableToDecide", str(why)[:500]))
    return RedirectResponse(f"/settings/drafts/{found.draft_no}", 303)


@router.post("/settings/drafts/{number}/ask")
async def ask(request: Request, user: Annotated[User, Depends(POLICY_ASKERS)], number: str) -> Response:
    """Another person, of finance, decides; approved, it is in force without a further step."""
    found = await _draft(request, number)
    came = await asked(request, user, PublishPolicy(policy=found.policy, draft_no=found.draft_no))
    if isinstance(came, RefusedAct):
        return await _page(request, user, found, came)
    return RedirectResponse(f"/settings/drafts/{found.draft_no}?asked={came}", 303)


@router.post("/settings/versions/{number}/bring-back")
async def bring_back(request: Request, user: Annotated[User, Depends(POLICY_ASKERS)], number: str) -> Response:
    """An old version as a draft, to be tried and asked for like any other."""
    policies = PolicyStore(wiring_of(request).pool)
    try:
        old = await policies.version(numbered(number))
    except KeyError:
        raise HTTPException(404) from None
    kept = await drafted(request, user, old, f"v{old.version}")
    if isinstance(kept, RefusedAct):
        return render(request, "controls/policy_refused.html", user, status=kept.status, refusal=kept)
    return RedirectResponse(f"/settings/drafts/{kept}", 303)


async def drafted(request: Request, user: User, policy: Policy, name: str) -> int | RefusedAct:
    """Kept by the worker in the name of who is signed in: the draft's number."""
    current = await PolicyStore(wiring_of(request).pool).current()
    plain = policy.model_copy(update={"version": 0})
    work = DraftPolicy(policy=plain, name=name[:LONGEST_NAME] or user.id, based_on=current.version)

    async def do() -> Any:
        return await (await user.desk()).do(work, 1 + secrets.randbelow(MOST_NUMBER), user.id)

    came = await tried(do())
    return came if isinstance(came, RefusedAct) else int(came["draft_no"])


async def _draft(request: Request, number: str) -> PolicyDraft:
    try:
        return await PolicyDrafts(wiring_of(request).pool).draft_of(numbered(number))
    except ChangeRefused:
        raise HTTPException(404) from None


async def _page(
    request: Request, user: User, found: PolicyDraft, refusal: RefusedAct | None = None, asked_no: str = ""
) -> Response:
    pool = wiring_of(request).pool
    policies = PolicyStore(pool)
    current = await policies.current()
    base = current if found.based_on in (0, current.version) else await policies.version(found.based_on)
    before, after = ({f.name: f for f in fields_of(each)} for each in (base, found.policy))
    questions = [
        one for one in await ApprovalStore(pool).list(state=None, subject="policy", limit=1000)
        if one.request.content.get("draft") == found.draft_no
    ]  # fmt: skip
    question = questions[-1] if questions else None
    word = (
        "published" if found.version is not None else "overtaken" if found.based_on != current.version
        else {"open": "asked", "approved": "asked", "rejected": "rejected"}.get(question.state, "open") if question
        else "open"
    )  # fmt: skip
    return render(
        request, "controls/policy_draft.html", user, status=refusal.status if refusal else 200, refusal=refusal,
        draft=found, word=word, current=current.version, question=question,
        asked_no=asked_no if word == "asked" else "",
        changed=[(before[name], after[name]) for name in before if before[name].text != after[name].text],
        looser=looser_policy(base, found.policy), trial=await PolicyDrafts(pool).last_trial(found.draft_no),
    )  # fmt: skip
