"""`/rules`: which tables are in force since when, versions, drafts; one version, and bringing it back."""

import json
import secrets
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import RULE_EDITORS, RULE_READERS
from console.pages.controls.asking import asked
from console.pages.rendering import render
from console.session.user import User
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.access.controls import PublishRules
from domain.access.desk import DraftRules
from domain.rules.changes import changes, same_rules
from domain.rules.reading import read_table
from domain.rules.sets import RuleSet, TableName
from domain.rules.tables import SHAPES, RuleTable
from store.approvals.approvals import Approval, ApprovalStore
from store.errors import NoSuchRuleSet
from store.pool import Pool
from store.rules.defaults import complete
from store.rules.rule_sets import Draft, RuleSetStore

router = APIRouter()
VERSIONS = 20
DRAFTS = 20
MOST_NUMBER = 10**9


@dataclass(frozen=True)
class DraftState:
    """`word`: published, asked, overtaken, rejected, open. `question`: the last one that was asked about it."""

    draft: Draft
    word: str
    question: Approval | None


@router.get("/rules")
async def overview(request: Request, user: Annotated[User, Depends(RULE_READERS)]) -> Response:
    return await _overview(request, user)


@router.get("/rules/versions/{number}")
async def version(request: Request, user: Annotated[User, Depends(RULE_READERS)], number: str) -> Response:
    return await _version(request, user, numbered(number))


@router.post("/rules/versions/{number}/roll-back")
async def roll_back(request: Request, user: Annotated[User, Depends(RULE_EDITORS)], number: str) -> Response:
    """Drafts the old version anew and asks another person for it, in one step."""
    of = numbered(number)
    kept = await draft(user, DraftRules(rolls_back=of))
    if isinstance(kept, RefusedAct):
        return await _version(request, user, of, kept)
    came = await asked(request, user, PublishRules(draft_no=kept))
    if isinstance(came, RefusedAct):
        return await _version(request, user, of, came)
    return RedirectResponse(f"/rules/drafts/{kept}?asked={came}", 303)


@router.get("/rules/document")
async def document(
    request: Request, user: Annotated[User, Depends(RULE_READERS)], of: str = "", table: str = ""
) -> Response:
    """For experts: the table as rule editors of others read it (JDM). `of`: `v3`, `d7`; '' is what is in force."""
    shape = SHAPES.get(table)  # type: ignore[call-overload] # any text
    if shape is None:
        raise HTTPException(404)
    rules = RuleSetStore(wiring_of(request).pool)
    try:
        if of.startswith("d"):
            rule_set = (await rules.draft_of(numbered(of[1:]))).rule_set
        else:
            rule_set = (await rules.version(numbered(of[1:]))).rule_set if of else await rules.current_set()
    except NoSuchRuleSet:
        raise HTTPException(404) from None
    text = json.dumps(complete(rule_set).tables[shape.name], ensure_ascii=False, indent=2)
    return render(request, "rules/document.html", user, of=of, table=shape.name, text=text)


def numbered(text: str) -> int:
    """Of an address. Raises `HTTPException`."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HTTPException(404)
    return int(text)


def tables_of(rule_set: RuleSet) -> dict[TableName, RuleTable]:
    """Those that can be read, the built-in ones where there are none."""
    whole = complete(rule_set).tables
    read = ((name, read_table(shape, whole[name])[0]) for name, shape in SHAPES.items())
    return {name: table for name, table in read if table is not None}


async def draft(user: User, work: DraftRules) -> int | RefusedAct:
    """Kept by the worker in the name of who is signed in: the draft's number. Raises `InvalidRuleSet`."""

    async def do() -> Any:
        return await (await user.desk()).do(work, 1 + secrets.randbelow(MOST_NUMBER), user.id)

    came = await tried(do())
    return came if isinstance(came, RefusedAct) else int(came["draft_no"])


async def state_of(pool: Pool, one: Draft, counts: int) -> DraftState:
    questions = await ApprovalStore(pool).list(state=None, subject=f"rules/{one.draft_no}", limit=1000)
    last = questions[-1] if questions else None
    if one.version is not None:
        word = "published"
    elif one.based_on != counts:
        word = "overtaken"
    else:
        word = (
            {"open": "asked", "rejected": "rejected", "approved": "asked"}.get(last.state, "open") if last else "open"
        )
    return DraftState(one, word, last)


async def _overview(request: Request, user: User) -> Response:
    pool = wiring_of(request).pool
    rules = RuleSetStore(pool)
    current, counts = await rules.current(), await rules.current_set()
    drafts = [await state_of(pool, one, counts.version) for one in await rules.drafts(DRAFTS)]
    return render(
        request, "rules/overview.html", user, current=current, tables=tables_of(counts), drafts=drafts,
        versions=await rules.history(VERSIONS), shapes=SHAPES,
    )  # fmt: skip


async def _version(request: Request, user: User, number: int, refusal: RefusedAct | None = None) -> Response:
    rules = RuleSetStore(wiring_of(request).pool)
    try:
        found = await rules.version(number)
        before = (await rules.version(number - 1)).rule_set if number else None
    except NoSuchRuleSet:
        raise HTTPException(404) from None
    counts = complete(await rules.current_set())
    whole = complete(found.rule_set)
    return render(
        request, "rules/version.html", user, status=refusal.status if refusal else 200, refusal=refusal, found=found,
        tables=tables_of(whole), changed=changes(complete(before), whole) if before else (),
        against=changes(counts, whole), in_force=counts.version, same=same_rules(counts, whole), shapes=SHAPES,
    )  # fmt: skip
