"""Saved views of `/orders`: each person's own, a name for filters and columns."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import ORDER_READERS
from console.pages.acting import field
from console.pages.orders.filters import read_query
from console.pages.problems import problem
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from store.console.saved_views import SavedView, SavedViews, TooManyViews
from store.pool import clean

router = APIRouter()
PAGE = "orders"
LONGEST_NAME = 40


@router.post("/orders-views")
async def save(request: Request, user: Annotated[User, Depends(ORDER_READERS)]) -> Response:
    """Of the same name, it is saved anew."""
    wiring = wiring_of(request)
    name = clean(await field(request, "name"))[:LONGEST_NAME].strip()
    asked = read_query(await field(request, "query"))
    if not name:
        return problem(request, 422, language_of(request).say(N_("A name for the list")), user)
    try:
        await SavedViews(wiring.pool).save(user.id, PAGE, SavedView(name, asked.query), wiring.now())
    except TooManyViews:
        said = N_("So many lists are saved already that they are not found any more: remove one first.")
        return problem(request, 409, language_of(request).say(said), user)
    return _back(asked.query)


@router.post("/orders-views/forget")
async def forget(request: Request, user: Annotated[User, Depends(ORDER_READERS)]) -> Response:
    await SavedViews(wiring_of(request).pool).forget(user.id, PAGE, clean(await field(request, "name")))
    return _back(read_query(await field(request, "query")).query)


def _back(query: str) -> Response:
    return RedirectResponse(f"/orders?{query}" if query else "/orders", 303)
