"""`/returns`: every case that the person may see, newest first; filters stand in the address."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import RETURN_READERS
from console.pages.rendering import render
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from domain.approvals import Role
from domain.returns.enums import CaseStatus, ReturnType
from store.console.returns import ReturnFilter, ReturnPages
from store.pool import clean

router = APIRouter()
A_PAGE = 30
LONGEST_SEARCH = 100
TURNS = (Role.CS_SUPERVISOR, Role.FINANCE, Role.WAREHOUSE, Role.CS_AGENT)
BUYER = "BUYER"
ONLY = {"open": N_("Not over yet")}


@router.get("/returns")
async def returns(
    request: Request,
    user: Annotated[User, Depends(RETURN_READERS)],
    q: str = "",
    turn: str = "",
    status: str = "",
    type: str = "",
    only: str = "",
    after: str = "",
) -> Response:
    wiring, language = wiring_of(request), language_of(request)
    turns = (BUYER, *TURNS)
    for value, known in ((turn, turns), (status, set(CaseStatus)), (type, set(ReturnType)), (only, ONLY)):
        if value and value not in known:
            raise HTTPException(400)
    search = clean(q.strip())[:LONGEST_SEARCH]
    wanted = ReturnFilter(turn or None, status or None, type or None, search or None, only == "open")
    try:
        found = await ReturnPages(wiring.pool).page(wanted, user.scope, A_PAGE, after or None)
    except ValueError:
        raise HTTPException(400) from None
    if search and len(found.rows) == 1 and found.rows[0]["return_no"] == search:
        return RedirectResponse(f"/returns/{search}", 303)
    return render(
        request, "returns.html", user, page=found,
        turns=[(one, language.word("turn", one)) for one in turns],
        statuses=[(one.value, language.word("case", one)) for one in CaseStatus],
        types=[(one.value, language.word("return_type", one)) for one in ReturnType],
        only=[(value, language.say(text)) for value, text in ONLY.items()],
    )  # fmt: skip
