"""`/orders`: every order that the person may see, newest first; filters stand in the address."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import ORDER_READERS
from console.pages.orders.batch import acts_of
from console.pages.orders.columns import COLUMNS, read_columns, write_columns
from console.pages.orders.filters import ONLY, filter_of, read_asked
from console.pages.orders.views import PAGE
from console.pages.rendering import render, with_query
from console.session.user import User
from console.text.language import language_of
from console.wiring import Wiring, wiring_of
from domain.states import OrderStatus
from store.console.saved_views import SavedViews
from store.dispatch.deadlines import DispatchStore
from store.orders.orders import OrderStore
from store.orders.pages import OrderPage, known_channels

router = APIRouter()
A_PAGE = 30


@router.get("/orders")
async def orders(
    request: Request,
    user: Annotated[User, Depends(ORDER_READERS)],
    after: str = "",
    column: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """`column`: the ticks of the form of columns; they go into the address as one word."""
    wiring, language = wiring_of(request), language_of(request)
    asked = read_asked(request.query_params)
    if column:
        return RedirectResponse(with_query("/orders", vars(asked), cols=write_columns(column)), 303)
    try:
        page = await OrderStore(wiring.pool).list(filter_of(asked, user, wiring.now()), A_PAGE, after or None)
    except ValueError:
        raise HTTPException(400) from None
    if asked.q and len(page.orders) == 1 and page.orders[0].order_no == asked.q:
        return RedirectResponse(f"/orders/{asked.q}", 303)
    return render(
        request, "orders/list.html", user, page=page, filters=asked, columns=read_columns(asked.cols),
        all_columns=COLUMNS, views=await SavedViews(wiring.pool).list(user.id, PAGE), acts=acts_of(user),
        statuses=[(s.value, language.word("order", s)) for s in OrderStatus],
        why=await _why(wiring, asked.only, page),
        only=[(value, language.say(text)) for value, text in ONLY.items()],
        channels=[(name, name) for name in await known_channels(wiring.pool, user.scope.channels)],
    )  # fmt: skip


async def _why(wiring: Wiring, only: str, page: OrderPage) -> dict[str, str]:
    """By order: what keeps it from leaving; asked for where that is the question."""
    if only not in ("late", "due"):
        return {}
    return await DispatchStore(wiring.pool).why_waiting([order.order_no for order in page.orders])
