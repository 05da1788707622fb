"""`/desk`: whatever the scanner reads leads somewhere: a return code to its case, an article to the unit in hand."""

import secrets
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages.acting import field
from console.pages.rendering import render
from console.security.access import Needs, refuse
from console.session.user import User
from console.wiring import wiring_of
from domain.approvals import Role
from domain.returns.codes import read_code
from domain.returns.enums import CaseStatus, Grade
from domain.returns.inspection import DESTINATIONS
from domain.returns.records import CodeLookup
from store.console.returns import ReturnContext, ReturnPages
from store.pool import clean
from store.returns import ReturnStore
from store.returns.errors import TooManyGuesses, UnknownCode

router = APIRouter()
DESK = Needs(Role.WAREHOUSE)
S = CaseStatus
COMES = frozenset({S.WAITING_RETURN, S.IN_RETURN, S.CLOSED_NOT_SENT})
HERE = frozenset({S.RECEIVED, S.INSPECTED})
GOOD = frozenset({"RECEIVED", "FINISHED", "PASSED", "OK", *DESTINATIONS.values()})
"""Answers that are green."""
GRADES = (Grade.GOOD, Grade.MINOR, Grade.SCRAP)
"""On the keys 1 to 3."""


@router.get("/desk")
async def desk(request: Request, user: Annotated[User, Depends(DESK)], said: str = "", about: str = "") -> Response:
    return render(request, "desk.html", user, found=None, said=said, good=said in GOOD, about=about[:100], code="")


@router.post("/desk")
async def scanned(request: Request, user: Annotated[User, Depends(DESK)]) -> Response:
    """A return code, on whichever page; else an article of the case that is open; else the number of a case."""
    text, code = clean(await field(request, "scanned")), await field(request, "code")
    if not text:
        return RedirectResponse(there(code) if code else "/desk", 303)
    if read_code(text) is not None:
        return RedirectResponse(there(text), 303)
    if code:
        return RedirectResponse(there(code, sku=text[:64]), 303)
    number = await ReturnStore(wiring_of(request).pool).by_waybill(None, text)
    said = "SCAN_SLIP" if number else "NOBODYS"
    return RedirectResponse(f"/desk?{urlencode({'said': said, 'about': number or text[:64]})}", 303)


@router.get("/desk/{code}")
async def at_hand(
    request: Request, user: Annotated[User, Depends(DESK)], code: str, said: str = "", sku: str = "", about: str = ""
) -> Response:
    """The case of a code: what is expected, what is done, which keys do what."""
    try:
        found, own = await case_of(request, user, code)
    except (UnknownCode, TooManyGuesses) as why:
        return RedirectResponse(f"/desk?{urlencode({'said': code_of(why)})}", 303)
    case = found.case
    line = next((one for one in found.lines.values() if one["sku"] == sku), None) if sku else None
    graded = sum(1 for unit in case.units if unit.grade is not None)
    return render(
        request, "desk.html", user, found=found, case=case, code=own, said=said, good=said in GOOD, about=about[:100],
        sku=sku[:64], line=line, goods=_goods(found), graded=graded, expected=len(case.units), scan_id=new_scan(),
        comes=case.status in COMES, here=case.status in HERE, checks=case.status is S.REPLACEMENT_QC,
        grades=list(enumerate(GRADES, 1)), theirs=[p for p in found.pictures if p.evidence_id in case.evidence],
    )  # fmt: skip


async def case_of(request: Request, user: User, code: str) -> tuple[ReturnContext, str]:
    """With its own code. Raises `UnknownCode`, `TooManyGuesses`, `NotForYou`."""
    wiring = wiring_of(request)
    lookup = CodeLookup(code=clean(code)[:64], who=user.id, at=wiring.now())
    number, own = await ReturnStore(wiring.pool).at_the_desk(lookup)
    found = await ReturnPages(wiring.pool).context(number, user.scope)
    assert found is not None, "a code has a case"
    if not found.seen:
        await refuse(request, user, "OUT_OF_SCOPE")
    return found, own


def code_of(why: UnknownCode | TooManyGuesses) -> str:
    return "TOO_MANY_GUESSES" if isinstance(why, TooManyGuesses) else "UNKNOWN_CODE"


def there(code: str, **said: str) -> str:
    return f"/desk/{quote(code, safe='')}" + (f"?{urlencode(said)}" if said else "")


def new_scan() -> str:
    """Of one unit in hand: a form that is sent twice is one scan."""
    return f"S{secrets.token_hex(8)}"


def _goods(found: ReturnContext) -> list[dict[str, object]]:
    """Line by line, how many are expected and how many graded."""
    rows = []
    for line in found.case.quote.lines:
        units = [unit for unit in found.case.units if unit.line_id == line.line_id]
        known = found.lines.get(line.line_id, {})
        rows.append(
            {
                "name": known.get("name") or known.get("sku", line.line_id),
                "sku": known.get("sku", ""),
                "expected": len(units) or line.units,
                "graded": sum(1 for unit in units if unit.grade is not None),
                "instead": found.case.replacements.get(line.line_id, known.get("sku", "")),
            }
        )
    return rows
