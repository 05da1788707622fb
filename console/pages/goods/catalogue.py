"""`/catalog`: what is known of SKUs; those without tags stop orders."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import STOCK_READERS
from console.pages.goods.importing import KEEPERS
from console.pages.rendering import render
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from store.pool import clean
from store.stock.catalog import CatalogStore

router = APIRouter()
A_PAGE = 40
ONLY = {"untagged": N_("Without tags")}


@router.get("/catalog")
async def catalogue(
    request: Request,
    user: Annotated[User, Depends(STOCK_READERS)],
    only: str = "",
    sku: str = "",
    after: str = "",
) -> Response:
    if only and only not in ONLY:
        raise HTTPException(400)
    store, wanted = CatalogStore(wiring_of(request).pool), clean(sku.strip())
    if wanted:
        records = tuple((await store.get([wanted])).values())
    else:
        records = await store.list(A_PAGE + 1, clean(after), untagged=bool(only))
    language = language_of(request)
    return render(
        request, "goods/catalogue.html", user, records=records[:A_PAGE],
        following=records[A_PAGE - 1].sku if len(records) > A_PAGE else None,
        only=[(value, language.say(text)) for value, text in ONLY.items()], may_import=user.holds(*KEEPERS.roles),
    )  # fmt: skip
