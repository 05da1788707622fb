"""`/callbacks/subscriptions`: whom we tell what happens, and how that goes."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import CALLBACK_READERS
from console.pages.rendering import render
from console.session.user import User
from console.wiring import wiring_of
from store.console.callbacks import CallbackPages
from store.pool import clean

router = APIRouter()
A_PAGE = 40


@router.get("/callbacks/subscriptions")
async def subscriptions(request: Request, user: Annotated[User, Depends(CALLBACK_READERS)]) -> Response:
    found = await CallbackPages(wiring_of(request).pool).subscriptions()
    return render(request, "callbacks/subscriptions.html", user, subscriptions=found)


@router.get("/callbacks/subscriptions/{name}")
async def subscription(
    request: Request, user: Annotated[User, Depends(CALLBACK_READERS)], name: str, after: str = ""
) -> Response:
    pages, name = CallbackPages(wiring_of(request).pool), clean(name)
    found = next((one for one in await pages.subscriptions() if one["subscription_id"] == name), None)
    if found is None or not (after == "" or (after.isascii() and after.isdigit() and len(after) <= 18)):
        raise HTTPException(404 if found is None else 400)
    deliveries, following = await pages.deliveries(user.scope, name, A_PAGE, int(after) if after else None)
    return render(
        request, "callbacks/subscription.html", user, subscription=found, deliveries=deliveries, following=following
    )
