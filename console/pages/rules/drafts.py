"""`/rules/drafts/{n}`: what a draft changes, tried on past orders and on one of them, asked for, in force since."""

import asyncio
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import RULE_EDITORS, RULE_READERS
from console.pages.acting import field
from console.pages.controls.asking import asked
from console.pages.rendering import render
from console.pages.rules.overview import numbered, state_of, tables_of
from console.pages.rules.trying import trial
from console.session.user import User
from console.text.refusals import RefusedAct
from console.wiring import wiring_of
from domain.access.controls import PublishRules
from domain.rules.changes import changes
from domain.rules.engine import engine_of
from domain.rules.sets import UnableToDecide
from domain.rules.simulation import Simulated
from domain.rules.tables import SHAPES
from store.console.scopes import seen_among
from store.errors import NoSuchRuleSet
from store.rules.defaults import complete
from store.rules.rule_sets import Draft, RuleSetStore
from store.rules.trials import RuleTrials

router = APIRouter()
MOST_ORDERS = 1_000
MOST_DAYS = 365
LONGEST_S = 30.0
"""A trial in the page; `oms rules simulate` goes on for longer."""
SHOWN = 50


@router.get("/rules/drafts/{number}")
async def draft(
    request: Request, user: Annotated[User, Depends(RULE_READERS)], number: str, asked: str = ""
) -> Response:
    return await _page(request, user, await _draft(request, number), asked_no=asked[:100])


@router.post("/rules/drafts/{number}/simulate")
async def simulate(request: Request, user: Annotated[User, Depends(RULE_EDITORS)], number: str) -> Response:
    """Past orders planned anew; what came of it is kept for who decides. Changes nothing."""
    found = await _draft(request, number)
    last, days = await _bounded(request, "last", MOST_ORDERS), await _bounded(request, "days", MOST_DAYS)
    wiring = wiring_of(request)
    try:
        done = await RuleTrials(wiring.pool).simulate(
            found.draft_no, last, days, user.id, wiring.now(), longest_s=LONGEST_S
        )
    except UnableToDecide as why:
        return await _page(request, user, found, RefusedAct("UnableToDecide", str(why)[:500]))
    seen = await seen_among(wiring.pool, [effect.order_no for effect in done.effects], user.scope)
    shown = tuple(effect for effect in done.effects if effect.order_no in seen)[:SHOWN]
    return await _page(request, user, found, done=done.model_copy(update={"effects": shown}))


@router.post("/rules/drafts/{number}/try")
async def try_one(request: Request, user: Annotated[User, Depends(RULE_EDITORS)], number: str) -> Response:
    found = await _draft(request, number)
    engine = await asyncio.to_thread(engine_of, complete(found.rule_set))
    return await trial(request, user, engine, await field(request, "order_no"))


@router.post("/rules/drafts/{number}/ask")
async def ask(request: Request, user: Annotated[User, Depends(RULE_EDITORS)], number: str) -> Response:
    """Another person decides; approved, it is in force without a further step."""
    found = await _draft(request, number)
    came = await asked(request, user, PublishRules(draft_no=found.draft_no))
    if isinstance(came, RefusedAct):
        return await _page(request, user, found, came)
    return RedirectResponse(f"/rules/drafts/{found.draft_no}?asked={came}", 303)


async def _draft(request: Request, number: str) -> Draft:
    try:
        return await RuleSetStore(wiring_of(request).pool).draft_of(numbered(number))
    except NoSuchRuleSet:
        raise HTTPException(404) from None


async def _bounded(request: Request, name: str, most: int) -> int:
    text = await field(request, name)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HTTPException(400)
    return min(max(int(text), 1), most)


async def _page(
    request: Request, user: User, found: Draft, refusal: RefusedAct | None = None, *, asked_no: str = "",
    done: Simulated | None = None,
) -> Response:  # fmt: skip
    pool = wiring_of(request).pool
    rules = RuleSetStore(pool)
    counts = await rules.current_set()
    base = (await rules.version(found.based_on)).rule_set if found.based_on != counts.version else counts
    state = await state_of(pool, found, counts.version)
    published = await rules.version(found.version) if found.version is not None else None
    if state.question is not None and asked_no == state.question.request.approval_id:
        state = replace(state, question=None)
    return render(
        request, "rules/draft.html", user, status=refusal.status if refusal else 200, refusal=refusal,
        draft=found, state=state, asked_no=asked_no if state.word == "asked" else "", counts=counts.version,
        changed=changes(complete(base), found.rule_set), tables=tables_of(found.rule_set), published=published,
        simulated=await rules.last_simulation(found.draft_no), done=done, shapes=SHAPES,
    )  # fmt: skip
