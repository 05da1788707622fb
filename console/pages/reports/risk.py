"""`/reports/risk`: who judges the return risk now, how well each trained model did on the month held out, and fields of
other systems: mapped in a form, tried on past orders, drafted into a policy (R59, R63)."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import POLICY_ASKERS, REPORT_READERS
from console.pages.controls.policy_drafts import drafted
from console.pages.rendering import render
from console.pages.reports.for_all import insist_on_all
from console.security.forms import read_form
from console.session.user import User
from console.text.language import language_of
from console.text.refusals import RefusedAct
from console.wiring import wiring_of
from domain.insight.field_trial import FieldTrial, tried, with_field
from domain.insight.risk import FeaturePoints, MappedField
from domain.policy import Policy
from domain.strict import faults
from store.insight.risk_models import PAST_ORDERS, RiskModelStore, in_force
from store.rules.policies import PolicyStore

router = APIRouter()
MOST = 10_000


@router.get("/reports/risk")
async def risk(request: Request, user: Annotated[User, Depends(REPORT_READERS)]) -> Response:
    return await _page(request, user)


@router.post("/reports/risk/fields/try")
async def try_field(request: Request, user: Annotated[User, Depends(POLICY_ASKERS)]) -> Response:
    """On past orders whose end is known: nothing changes."""
    said = await _said(request)
    field = _field(said)
    if isinstance(field, RefusedAct):
        return await _page(request, user, field, said)
    wiring = wiring_of(request)
    policy = await PolicyStore(wiring.pool).current()
    features, came_back = await RiskModelStore(wiring.pool).lately(wiring.now(), PAST_ORDERS)
    return await _page(request, user, None, said, tried(field, policy.risk, features, came_back))


@router.post("/reports/risk/fields/ask")
async def ask(request: Request, user: Annotated[User, Depends(POLICY_ASKERS)]) -> Response:
    """A draft of a policy in which it counts: tried there like any other, and let through by another person."""
    said = await _said(request)
    field = _field(said)
    if isinstance(field, RefusedAct):
        return await _page(request, user, field, said)
    policy = await PolicyStore(wiring_of(request).pool).current()
    try:
        wanted = policy.model_copy(update={"risk": with_field(policy.risk, field), "version": 0})
    except ValidationError as error:
        return await _page(request, user, RefusedAct("InvalidWork", faults(error)), said)
    return await _drafted(request, user, policy, wanted, said)


@router.post("/reports/risk/fields/drop")
async def drop(request: Request, user: Annotated[User, Depends(POLICY_ASKERS)]) -> Response:
    said = await _said(request)
    policy = await PolicyStore(wiring_of(request).pool).current()
    kept = tuple(one for one in policy.risk.fields if one.field != said.get("field"))
    risk = policy.risk.model_copy(update={"fields": kept})
    return await _drafted(request, user, policy, policy.model_copy(update={"risk": risk, "version": 0}), said)


async def _drafted(request: Request, user: User, policy: Policy, wanted: Policy, said: dict[str, str]) -> Response:
    if policy.risk == wanted.risk:
        return await _page(request, user, RefusedAct("NothingChanged", ""), said)
    came = await drafted(request, user, wanted, said.get("field", ""))
    if isinstance(came, RefusedAct):
        return await _page(request, user, came, said)
    return RedirectResponse(f"/settings/drafts/{came}", 303)


async def _page(
    request: Request, user: User, refusal: RefusedAct | None = None, said: dict[str, str] | None = None,
    trial: FieldTrial | None = None,
) -> Response:  # fmt: skip
    await insist_on_all(request, user)
    pool = wiring_of(request).pool
    versions = await RiskModelStore(pool).versions()
    policy = await PolicyStore(pool).current()
    return render(
        request, "reports/risk.html", user, status=refusal.status if refusal else 200, refusal=refusal,
        versions=versions, in_force=in_force(policy, versions), policy=policy, said=said or {}, trial=trial,
        newest=versions[0] if versions else None, word=0 if language_of(request).code == "zh" else 1,
    )  # fmt: skip


def _field(said: dict[str, str]) -> MappedField | RefusedAct:
    each, cap = (said.get(name, "") or "0" for name in ("each", "cap"))
    if not all(text.isascii() and text.isdigit() and int(text[:9]) <= MOST for text in (each, cap)):
        return RefusedAct("InvalidWork", f"points: 0 to {MOST}")
    try:
        return MappedField(
            field=said.get("field", ""), zh=said.get("zh", ""), en=said.get("en", ""),
            points=FeaturePoints(each=int(each), cap=int(cap)),
        )  # fmt: skip
    except ValidationError as error:
        return RefusedAct("InvalidWork", faults(error))


async def _said(request: Request) -> dict[str, str]:
    return {name: value.strip() for name, value in (await read_form(request)).items() if isinstance(value, str)}
