"""`/stock/correct`: what was counted, or units more or fewer for a reason: asked for, another person decides."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages.acting import ActRefused, field, message
from console.pages.controls.asking import asked
from console.pages.rendering import render
from console.security.access import Needs, refuse
from console.session.user import User
from console.text.refusals import RefusedAct
from console.wiring import wiring_of
from domain.access.authority import AUTHORITY
from domain.access.controls import CorrectStock
from store.approvals.approvals import ApprovalStore
from store.pool import clean
from store.stock.ledger import StockStore

router = APIRouter()
CORRECTORS = Needs(*AUTHORITY["controls.change: stock"].roles)
FIELDS = ("sku", "warehouse", "how", "units", "reason")
WAYS = ("counted", "more", "fewer")


@router.get("/stock/correct")
async def form(
    request: Request, user: Annotated[User, Depends(CORRECTORS)], sku: str = "", warehouse: str = "", asked: str = ""
) -> Response:
    return await _form(request, user, {"sku": sku[:64], "warehouse": warehouse[:64]}, asked_no=asked[:100])


@router.post("/stock/correct")
async def correct(request: Request, user: Annotated[User, Depends(CORRECTORS)]) -> Response:
    said = {name: await field(request, name) for name in FIELDS}
    if user.scope.warehouses is not None and said["warehouse"] not in user.scope.warehouses:
        await refuse(request, user, "OUT_OF_SCOPE")
    number = said["units"]
    if said["how"] not in WAYS or not number.isascii() or not number.isdigit() or len(number) > 9:
        return await _form(request, user, said, RefusedAct("InvalidWork", "units"))
    what = {"counted": int(number)} if said["how"] == "counted" else {"delta": _signed(said["how"], int(number))}
    try:
        wanted = message(
            request, CorrectStock, sku=said["sku"], warehouse=said["warehouse"], reason=said["reason"], **what
        )  # fmt: skip
    except ActRefused as why:
        return await _form(request, user, said, RefusedAct("InvalidWork", why.said))
    came = await asked(request, user, wanted)
    if isinstance(came, RefusedAct):
        return await _form(request, user, said, came)
    return RedirectResponse(f"/stock/correct?asked={came}", 303)


def _signed(how: str, units: int) -> int:
    return units if how == "more" else -units


async def _form(
    request: Request, user: User, said: dict[str, str], refusal: RefusedAct | None = None, asked_no: str = ""
) -> Response:
    pool, sku, warehouse = wiring_of(request).pool, clean(said.get("sku", "")), clean(said.get("warehouse", ""))
    seen = user.scope.warehouses
    balance = await StockStore(pool).show(sku, warehouse, 1, seen=seen) if sku and warehouse else ()
    open_ones = [one for one in await ApprovalStore(pool).list() if one.request.kind == "correct_stock"]
    return render(
        request, "goods/correct.html", user, status=refusal.status if refusal else 200, said=said, refusal=refusal,
        asked_no=asked_no, balance=balance[0] if balance else None, ways=WAYS,
        questions=[
            one for one in open_ones if seen is None or one.request.content["change"]["warehouse"] in seen
        ],
    )  # fmt: skip
