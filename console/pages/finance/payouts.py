"""`/finance/payouts`: money that is to go back and has not yet, since when, and whose turn it is."""

from typing import Annotated, get_args

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import FINANCE_READERS
from console.pages.rendering import render
from console.session.user import User
from console.text.language import language_of
from console.wiring import wiring_of
from store.console.payouts import PayoutPages, Turn

router = APIRouter()
A_PAGE = 40


@router.get("/finance/payouts")
async def payouts(
    request: Request, user: Annotated[User, Depends(FINANCE_READERS)], turn: str = "", after: str = ""
) -> Response:
    language, pages = language_of(request), PayoutPages(wiring_of(request).pool)
    turns = get_args(Turn)
    if turn and turn not in turns:
        raise HTTPException(400)
    try:
        page = await pages.page(user.scope, turn or None, A_PAGE, after or None)
    except ValueError:
        raise HTTPException(400) from None
    return render(
        request, "finance/payouts.html", user, page=page, sums=await pages.sums(user.scope),
        turns=[(value, language.word("payout turn", value)) for value in turns],
    )  # fmt: skip
