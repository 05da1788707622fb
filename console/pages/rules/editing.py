"""`/rules/edit/{table}`: one table as a grid; what is wrong stands at its cell as it is written; saved as a draft."""

import asyncio
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import RULE_EDITORS
from console.pages.acting import field
from console.pages.rendering import render
from console.pages.rules.choices import Values, answers_of, conditions_of, values_of
from console.pages.rules.grid import Grid, acted, grid_in, grid_of
from console.pages.rules.overview import draft, numbered
from console.pages.rules.trying import trial
from console.security.forms import read_form
from console.session.user import User
from console.text.refusals import RefusedAct
from console.wiring import wiring_of
from domain.access.desk import DraftRules
from domain.rules.check import InvalidRuleSet, check
from domain.rules.engine import engine_of
from domain.rules.findings import Finding, errors
from domain.rules.reading import read_table
from domain.rules.sets import RuleSet
from domain.rules.tables import SHAPES, Shape
from store.errors import NoSuchRuleSet
from store.rules.defaults import complete
from store.rules.rule_sets import RuleSetStore

router = APIRouter()
MOST_BYTES = 1_500_000
"""What one message to the worker may have."""
LONGEST_NAME = 60
PLACE = re.compile(r"[0-9]{1,4}:-?[0-9]{1,3}", re.ASCII)
"""A cell that was marked before: its row and its column."""


class Edited:
    """A table out of the form, in the rule set that it was begun with."""

    def __init__(self, grid: Grid, base: RuleSet, based_on: int, draft_no: int | None, values: Values) -> None:
        self.grid, self.base, self.based_on, self.draft_no, self.values = grid, base, based_on, draft_no, values

    def rules(self, name: str) -> RuleSet:
        tables = {**self.base.tables, self.grid.shape.name: self.grid.document()}
        return RuleSet(name=name or self.base.name, tables=tables)

    def found(self) -> tuple[Finding, ...]:
        """Of this table alone: what is wrong elsewhere is no matter of this page."""
        return tuple(f for f in check(self.rules("")) if f.table == self.grid.shape.name)


@router.get("/rules/edit/{table}")
async def edit(request: Request, user: Annotated[User, Depends(RULE_EDITORS)], table: str, draft: str = "") -> Response:
    shape = _shape(table)
    base, based_on, draft_no = await _begun(request, draft)
    found, _ = read_table(shape, base.tables[shape.name])
    if found is None:
        raise HTTPException(404)
    counts = await RuleSetStore(wiring_of(request).pool).current_set()
    refusal = RefusedAct("RulesMovedOn", "") if counts.version != based_on else None
    edited = Edited(grid_of(found), base, based_on, draft_no, await values_of(wiring_of(request).pool, base))
    return await _page(request, user, edited, refusal)


@router.post("/rules/edit/{table}/look")
async def look(request: Request, user: Annotated[User, Depends(RULE_EDITORS)], table: str) -> Response:
    """While it is written: what is wrong, at its cell. With `act` the grid after a press of one of its buttons."""
    edited = await _edited(request, table)
    act = await field(request, "act")
    if act:
        edited.grid = acted(edited.grid, act)
        return render(request, "rules/_grid.html", user, **await _shown(request, edited))
    shown = await _shown(request, edited)
    marked = {place for place in (await field(request, "marked")).split() if PLACE.fullmatch(place)}
    gone = sorted(marked - {f"{row}:{column}" for row, column in shown["at"]})
    return render(request, "rules/_findings.html", user, gone=gone, **shown)


@router.post("/rules/edit/{table}/try")
async def try_one(request: Request, user: Annotated[User, Depends(RULE_EDITORS)], table: str) -> Response:
    """What stands in the form, not kept anywhere."""
    edited = await _edited(request, table)
    if errors(edited.found()):
        return render(request, "rules/_tried.html", user, tried=None, said="Faults")
    engine = await asyncio.to_thread(engine_of, edited.rules(""))
    number = "" if await field(request, "act") == "reset" else await field(request, "order_no")
    return await trial(request, user, engine, number)


@router.post("/rules/edit/{table}")
async def save(request: Request, user: Annotated[User, Depends(RULE_EDITORS)], table: str) -> Response:
    """Kept as a draft of its own number; the one that it was begun with stays as it is."""
    edited = await _edited(request, table)
    if edited.grid.too_large:
        return await _page(request, user, edited, RefusedAct("TooLarge", ""))
    if errors(edited.found()):
        return await _page(request, user, edited, RefusedAct("InvalidRuleSet", ""))
    try:
        name = (await field(request, "name"))[:LONGEST_NAME]
        work = DraftRules(rules=edited.rules(name), based_on=edited.based_on)
        if len(work.model_dump_json()) > MOST_BYTES:
            return await _page(request, user, edited, RefusedAct("TooLarge", ""))
        kept = await draft(user, work)
    except (InvalidRuleSet, ValidationError) as why:
        return await _page(request, user, edited, RefusedAct("InvalidRuleSet", str(why)[:500]))
    if isinstance(kept, RefusedAct):
        return await _page(request, user, edited, kept)
    return RedirectResponse(f"/rules/drafts/{kept}", 303)


def _shape(name: str) -> Shape:
    found = next((shape for known, shape in SHAPES.items() if known == name), None)
    if found is None:
        raise HTTPException(404)
    return found


async def _begun(request: Request, draft_no: str) -> tuple[RuleSet, int, int | None]:
    """What the page begins with, and the version that it was made from."""
    rules = RuleSetStore(wiring_of(request).pool)
    if not draft_no:
        counts = await rules.current_set()
        return complete(counts), counts.version, None
    try:
        found = await rules.draft_of(numbered(draft_no))
    except NoSuchRuleSet:
        raise HTTPException(404) from None
    return complete(found.rule_set), found.version if found.version is not None else found.based_on, found.draft_no


async def _edited(request: Request, table: str) -> Edited:
    shape, form = _shape(table), await read_form(request)
    base, _, draft_no = await _begun(request, await field(request, "draft"))
    values = await values_of(wiring_of(request).pool, base)
    return Edited(grid_in(shape, form, values), base, numbered(await field(request, "based_on")), draft_no, values)


async def _shown(request: Request, edited: Edited) -> dict[str, Any]:
    grid = edited.grid
    found = await asyncio.to_thread(edited.found)
    at, rest = grid.placed(found)
    choices = [conditions_of(name, grid.shape.fields.get(name), edited.values) for name in grid.inputs]
    choices += [answers_of(output, edited.values) for output in grid.outputs]
    return {
        "grid": grid, "at": at, "rest": rest, "choices": choices, "faults": errors(found),
        "draft_no": edited.draft_no, "based_on": edited.based_on, "name": await field(request, "name"),
    }  # fmt: skip


async def _page(request: Request, user: User, edited: Edited, refusal: RefusedAct | None = None) -> Response:
    shown = await _shown(request, edited)
    status = refusal.status if refusal else 200
    return render(request, "rules/edit.html", user, status=status, refusal=refusal, tried=None, said="", **shown)
