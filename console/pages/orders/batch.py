"""`/orders-batch`: what is done with many orders at once. First how many and which, then done, with a result each."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import ORDER_READERS
from console.pages.order.acts import HOLDERS, RELEASING
from console.pages.orders.filters import AskedOrders, filter_of, read_asked
from console.pages.rendering import render
from console.security.access import Needs, refuse
from console.security.forms import read_form
from console.session.user import User
from console.text.catalogue import N_
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.approvals import Role
from domain.dispatch.holds import BY_HAND
from store.console.scopes import sees_order
from store.orders.labels import LabelStore
from store.orders.orders import OrderStore
from store.orders.pages import OrderFilter
from store.pool import clean
from workflows.order.messages import Refresh, Refreshed

router = APIRouter()
MOST = 50
"""Of orders that something is done with at once: each asks everybody outside, or prints parcels."""
MOST_EXPORTED = 10_000
MOST_LABELS = 200
SIDE_BY_SIDE = 4
"""The workers have other things to do."""
LONGEST_NUMBER = 64
PRINTERS = Needs(Role.WAREHOUSE, Role.ORDER_OPS)


@dataclass(frozen=True)
class BatchAct:
    """`needs`: who may do it; `most`: how many orders at once."""

    name: str
    text: str
    icon: str
    needs: Needs
    most: int


@dataclass(frozen=True)
class RefreshResult:
    """Of one of many. `refusal` None: everybody was asked, and `changes` tells what was found to differ."""

    order_no: str
    changes: tuple[str, ...] = ()
    refusal: RefusedAct | None = None


ACTS = (
    BatchAct("refresh", N_("Refresh now"), "refresh", ORDER_READERS, MOST),
    BatchAct("print", N_("Print labels"), "printer", PRINTERS, MOST),
    BatchAct("hold", N_("Hold"), "clock", HOLDERS, MOST),
    BatchAct("release", N_("Let go"), "circle-check", RELEASING, MOST),
    BatchAct("export", N_("Export"), "file-text", ORDER_READERS, MOST_EXPORTED),
)


def acts_of(user: User) -> list[BatchAct]:
    return [act for act in ACTS if user.holds(*act.needs.roles)]


@router.get("/orders-batch")
async def look(
    request: Request,
    user: Annotated[User, Depends(ORDER_READERS)],
    act: str,
    of: str = "ticked",
    chosen: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Which ones, and how many: before anything is done. `of`: what is `ticked`, or all that is `filtered`."""
    wiring, asked = wiring_of(request), read_asked(request.query_params)
    one = next((one for one in acts_of(user) if one.name == act), None)
    if one is None or of not in ("ticked", "filtered") or len(chosen) > MOST:
        raise HTTPException(400)
    wanted = ticked(user, chosen) if of == "ticked" else filter_of(asked, user, wiring.now())
    orders = OrderStore(wiring.pool)
    counted = await orders.count(wanted, one.most + 1)
    shown = (await orders.list(wanted, MOST)).orders
    numbers = [order.order_no for order in shown]
    labels = LabelStore(wiring.pool)
    return render(
        request, "orders/batch.html", user, act=one, of=of, filters=asked, orders=shown,
        counted=min(counted, one.most), more=counted > one.most,
        labels=await labels.printable(numbers, user.scope.warehouses, MOST_LABELS) if act == "print" else (),
        kinds=BY_HAND, key=secrets.token_hex(8),
    )  # fmt: skip


@router.post("/orders-batch/refresh")
async def refresh(request: Request, user: Annotated[User, Depends(ORDER_READERS)]) -> Response:
    """Shown as the answer and not by 303: what was found of each is kept nowhere."""
    numbers = await chosen_orders(request, user)
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(order_no: str) -> RefreshResult:
        async with gate:
            came: Refreshed | RefusedAct = await tried(_refreshed(user, order_no))
        if isinstance(came, RefusedAct):
            return RefreshResult(order_no, refusal=came)
        return RefreshResult(order_no, came.changes)

    results = await asyncio.gather(*map(one, numbers))
    return render(request, "orders/refreshed.html", user, results=results)


async def _refreshed(user: User, order_no: str) -> Refreshed:
    return await (await user.orders()).refresh(order_no, Refresh(by=user.id))


def ticked(user: User, numbers: Sequence[str]) -> OrderFilter:
    names = frozenset(clean(number)[:LONGEST_NUMBER] for number in numbers)
    return OrderFilter(numbers=names, channels=user.scope.channels, warehouses=user.scope.warehouses)


async def chosen_orders(request: Request, user: User) -> list[str]:
    """The orders of a form. Raises `NotForYou` when one is not theirs, before anything is done with the first."""
    numbers = [clean(str(one))[:LONGEST_NUMBER] for one in (await read_form(request)).getlist("chosen")]
    numbers = list(dict.fromkeys(numbers))
    if len(numbers) > MOST:
        raise HTTPException(400)
    for order_no in numbers:
        if not await sees_order(wiring_of(request).pool, order_no, user.scope):
            await refuse(request, user, "OUT_OF_SCOPE")
    return numbers


async def asked_of_form(request: Request) -> AskedOrders:
    return read_asked(await read_form(request))
