"""`/stock`: units by SKU and warehouse, why they are what they are, and booking what has come in."""

import secrets
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import STOCK_READERS
from console.pages.rendering import render
from console.security.access import Needs, refuse
from console.security.forms import read_form
from console.session.user import User
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.access.authority import AUTHORITY
from domain.access.desk import ReceiveGoods
from domain.strict import faults
from store.console.goods import GoodsPages
from store.pool import clean

router = APIRouter()
A_PAGE = 40
RECEIVERS = Needs(*AUTHORITY["desk.do: receive_goods"].roles)
MOST_NUMBER = 10**9


@router.get("/stock")
async def stock(
    request: Request,
    user: Annotated[User, Depends(STOCK_READERS)],
    sku: str = "",
    warehouse: str = "",
    after: str = "",
    received: str = "",
) -> Response:
    pages, seen = GoodsPages(wiring_of(request).pool), user.scope.warehouses
    try:
        page = await pages.balances(
            seen, A_PAGE, clean(sku.strip()) or None, clean(warehouse) or None, after or None
        )  # fmt: skip
    except ValueError:
        raise HTTPException(400) from None
    names = await pages.warehouses(seen)
    return render(
        request, "goods/stock.html", user, page=page, warehouses=[(name, name) for name in names],
        may_receive=user.holds(*RECEIVERS.roles),
        received=received if received in ("booked", "known") else "",
    )  # fmt: skip


@router.get("/stock/moves")
async def moves(
    request: Request,
    user: Annotated[User, Depends(STOCK_READERS)],
    sku: str = "",
    warehouse: str = "",
    after: str = "",
) -> Response:
    sku, warehouse = clean(sku), clean(warehouse)
    try:
        page = await GoodsPages(wiring_of(request).pool).moves(
            user.scope.warehouses, sku, warehouse, A_PAGE, after or None
        )
    except ValueError:
        raise HTTPException(400) from None
    return render(request, "goods/moves.html", user, page=page, sku=sku, warehouse=warehouse)


@router.get("/stock/receive")
async def form(
    request: Request, user: Annotated[User, Depends(RECEIVERS)], sku: str = "", warehouse: str = ""
) -> Response:
    return _form(request, user, {"sku": sku[:64], "warehouse": warehouse[:64]})


@router.post("/stock/receive")
async def receive(request: Request, user: Annotated[User, Depends(RECEIVERS)]) -> Response:
    said = {name: value.strip() for name, value in (await read_form(request)).items() if isinstance(value, str)}
    seen, number = user.scope.warehouses, said.get("n", "")
    if seen is not None and said.get("warehouse") not in seen:
        await refuse(request, user, "OUT_OF_SCOPE")
    try:
        qty, n = int(said.get("qty", "")), int(number)
        work = ReceiveGoods(
            sku=said.get("sku", ""), warehouse=said.get("warehouse", ""), qty=qty, ref=said.get("ref", "")
        )
    except ValidationError as error:
        return _form(request, user, said, RefusedAct("InvalidWork", faults(error)))
    except ValueError:
        return _form(request, user, said, RefusedAct("InvalidWork", "qty"))
    if not 1 <= n <= MOST_NUMBER:
        raise HTTPException(400)

    async def done() -> Any:
        return await (await user.desk()).do(work, n, user.id)

    came = await tried(done())
    if isinstance(came, RefusedAct):
        return _form(request, user, said, came)
    query = {"sku": work.sku, "received": "booked" if came["booked"] else "known"}
    return RedirectResponse(f"/stock?{urlencode(query)}", 303)


def _form(request: Request, user: User, said: dict[str, str], refusal: RefusedAct | None = None) -> Response:
    """`n` tells this receipt's command from one that says the same another time."""
    status = refusal.status if refusal else 200
    n = 1 + secrets.randbelow(MOST_NUMBER)
    return render(request, "goods/receive.html", user, status=status, said=said, refusal=refusal, n=n)
