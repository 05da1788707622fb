"""`/orders`: every order that the person may see, newest first; filters stand in the address. The example of a list."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import ORDER_READERS
from console.pages.rendering import render
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from domain.states import OrderStatus
from store.console.today import LATE_AFTER
from store.orders.orders import OrderStore
from store.orders.pages import OrderFilter, known_channels
from store.pool import clean

router = APIRouter()
A_PAGE = 30
LONGEST_SEARCH = 100
ONLY = {
    "attention": N_("Needs a person"),
    "late": N_("Late shipping"),
    "backorder": N_("Waiting for stock"),
    "held": N_("Parcels held"),
}
HELD = frozenset({"RISK_HOLD", "CUSTOMS_HOLD", "EXCEPTION"})


@router.get("/orders")
async def orders(
    request: Request,
    user: Annotated[User, Depends(ORDER_READERS)],
    q: str = "",
    status: str = "",
    channel: str = "",
    only: str = "",
    after: str = "",
) -> Response:
    wiring, language = wiring_of(request), language_of(request)
    search = clean(q.strip())[:LONGEST_SEARCH]
    wanted = _filter(request, user, search, status, channel, only)
    try:
        page = await OrderStore(wiring.pool).list(wanted, A_PAGE, after or None)
    except ValueError:
        raise HTTPException(400) from None
    if search and len(page.orders) == 1 and page.orders[0].order_no == search:
        return RedirectResponse(f"/orders/{search}", 303)
    return render(
        request, "orders.html", user, page=page,
        statuses=[(s.value, language.word("order", s)) for s in OrderStatus],
        only=[(value, language.say(text)) for value, text in ONLY.items()],
        channels=[(name, name) for name in await known_channels(wiring.pool, user.scope.channels)],
    )  # fmt: skip


def _filter(request: Request, user: User, search: str, status: str, channel: str, only: str) -> OrderFilter:
    """Raises `HTTPException` for a filter that does not exist: the address was written by hand."""
    if (status and status not in set(OrderStatus)) or (only and only not in ONLY):
        raise HTTPException(400)
    wanted = OrderFilter(
        status=status or None, channel=clean(channel) or None, search=search or None,
        channels=user.scope.channels, warehouses=user.scope.warehouses,
    )  # fmt: skip
    match only:
        case "attention":
            return replace(wanted, needs_attention=True)
        case "late":
            return replace(wanted, paid_before=wiring_of(request).now() - LATE_AFTER)
        case "backorder":
            return replace(wanted, child_statuses=frozenset({"BACKORDER"}), ended=False)
        case "held":
            return replace(wanted, child_statuses=HELD, ended=False)
    return wanted
