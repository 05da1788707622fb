"""`/setup/test-order`: one unit for 0.01 to oneself, through everything that a buyer's order goes through (R80)."""

from collections.abc import Mapping
from typing import Annotated, get_args

from fastapi import APIRouter, Depends
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import ORDER_STARTERS
from console.pages.acting import ActRefused, field, message
from console.pages.rendering import render
from console.session.user import User
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.order import Address, PayChannel, StartOrder
from domain.states import OrderStatus
from domain.strict import of
from starter.return_slip import qr_picture
from store.console.setting_up import TEST, newest_test, skus_to_try

router = APIRouter()
ADDRESS = ("recipient", "phone", "province", "city", "district", "street")
PAYABLE_MINOR = 1
"""The least that a channel takes."""


@router.get("/setup/test-order")
async def page(request: Request, user: Annotated[User, Depends(ORDER_STARTERS)]) -> Response:
    return await _page(request, user)


@router.post("/setup/test-order")
async def place(request: Request, user: Annotated[User, Depends(ORDER_STARTERS)]) -> Response:
    """It is an order like any other: reserved, pushed and booked once somebody has paid its 0.01."""
    try:
        order = await _order(request, user)
    except ActRefused as why:
        return await _page(request, user, RefusedAct("BadResult", why.said), await _said(request))
    came = await tried(_started(user, order))
    if isinstance(came, RefusedAct):
        return await _page(request, user, came, await _said(request))
    return RedirectResponse("/setup/test-order", 303)


async def _started(user: User, order: StartOrder) -> None:
    await (await user.orders()).start(order)


async def _order(request: Request, user: User) -> StartOrder:
    """Raises `ActRefused`."""
    said = await _said(request)
    sku, paid_by = said["sku"], said["channel"]
    address = message(request, Address, **{name: said[name] for name in ADDRESS if said[name]})
    if sku not in await skus_to_try(wiring_of(request).pool, user.scope):
        raise ActRefused(422, sku)
    now = wiring_of(request).now()
    number = f"{TEST}{now:%Y%m%d%H%M%S}"
    return of(StartOrder, {
        "order_no": number, "channel": next(iter(sorted(user.scope.channels or ())), "test"),
        "channel_order_no": number, "placed_at": now.isoformat(), "buyer": {"buyer_id": "test"},
        "address": address.model_dump(mode="json"), "payable_minor": PAYABLE_MINOR,
        "lines": [{"line_id": "L1", "sku": sku, "qty": 1, "unit_price_minor": PAYABLE_MINOR}],
        "payment": {"channel": paid_by if paid_by in get_args(PayChannel) else get_args(PayChannel)[0]},
    })  # fmt: skip


async def _said(request: Request) -> dict[str, str]:
    return {name: await field(request, name) for name in (*ADDRESS, "sku", "channel")}


async def _page(
    request: Request, user: User, refusal: RefusedAct | None = None, said: Mapping[str, str] | None = None
) -> Response:
    """`said`: what was refused stays in its fields."""
    pool = wiring_of(request).pool
    order = await newest_test(pool, user.scope)
    waits = order is not None and order["status"] == OrderStatus.PENDING_PAYMENT and order["payment_code"]
    code = Markup(qr_picture(order["payment_code"])) if order is not None and waits else None  # noqa: S704 - our own
    return render(
        request, "setup/first_order.html", user, status=refusal.status if refusal else 200, refusal=refusal,
        order=order, code=code, skus=await skus_to_try(pool, user.scope), fields=ADDRESS, channels=get_args(PayChannel),
        said=said or {},
    )  # fmt: skip
