"""Many orders held at once, or let go: each by a command of its own, each with what came of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.pages.acting import ActRefused, field, message
from console.pages.order.acts import HOLDERS, RELEASING
from console.pages.orders.batch import SIDE_BY_SIDE, chosen_orders
from console.pages.problems import problem
from console.pages.rendering import render
from console.session.user import User
from console.text.language import language_of
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.dispatch.holds import BY_HAND, HoldKind
from store.dispatch.holds import HoldRow, holds_of
from store.pool import Pool
from workflows.order.holds.messages import HoldOrder, ReleaseHold

router = APIRouter()
LONGEST_KEY = 64


@dataclass(frozen=True)
class HoldResult:
    """Of one of many. `hold`: the one that was to end; `refusal` None: it was done."""

    order_no: str
    hold: str = ""
    refusal: RefusedAct | None = None


@router.post("/orders-batch/hold")
async def hold(request: Request, user: Annotated[User, Depends(HOLDERS)]) -> Response:
    """Sent again, each order has its first answer."""
    kind, key = await field(request, "kind"), (await field(request, "key"))[:LONGEST_KEY]
    numbers = await chosen_orders(request, user)
    if kind not in BY_HAND or not key:
        raise HTTPException(400)
    try:
        asked = HoldOrder.model_validate(
            {"by": user.id, "kind": HoldKind(kind), "reason": await field(request, "reason")}
        )
    except ValidationError:
        return problem(request, 422, language_of(request).word("field", "reason"), user)

    async def act(result: HoldResult) -> None:
        await (await user.orders()).keyed(key).hold(result.order_no, asked)

    return await _done(request, user, [HoldResult(order_no) for order_no in numbers], act, "hold")


@router.post("/orders-batch/release")
async def release(request: Request, user: Annotated[User, Depends(RELEASING)]) -> Response:
    """Every open hold of the chosen orders. Who may release which is decided where they are kept."""
    numbers, remark = await chosen_orders(request, user), await field(request, "remark")
    open_ones = await open_holds(wiring_of(request).pool, numbers)
    try:
        asked = {
            h.hold_id: message(request, ReleaseHold, by=user.id, hold_id=h.hold_id, remark=remark) for h in open_ones
        }
    except ActRefused as why:
        return why.page(request, user)

    async def act(result: HoldResult) -> None:
        await (await user.orders()).release(result.order_no, asked[result.hold])

    wanted = [HoldResult(h.order_no, h.hold_id) for h in open_ones]
    return await _done(request, user, wanted, act, "release")


async def open_holds(pool: Pool, numbers: list[str]) -> list[HoldRow]:
    """Of these orders."""
    async with pool.acquire() as connection:
        return [h for number in numbers for h in await holds_of(connection, number) if h.ended_at is None]


async def _done(
    request: Request, user: User, wanted: list[HoldResult], act: Callable[[HoldResult], Awaitable[None]], name: str
) -> Response:
    """Shown as the answer and not by 303: what came of each is kept nowhere."""
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(result: HoldResult) -> HoldResult:
        async with gate:
            came = await tried(act(result))
        return HoldResult(result.order_no, result.hold, came if isinstance(came, RefusedAct) else None)

    results = await asyncio.gather(*map(one, wanted))
    return render(request, "orders/held.html", user, results=results, name=name)
