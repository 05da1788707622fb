"""Complaints of buyers, told by whoever hears of them: the health report counts them by month."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from console.api.callers import Caller, Scoped
from console.api.once import Key, once, own_number
from console.api.order_shapes import ComplaintRequest, ComplaintTold
from console.api.orders import insist_on_order
from console.api.problems import CHANGING, may_answer
from console.api.reading import read_json, takes
from domain.access.api_tokens import ApiScope
from domain.insight.complaints import TellComplaint
from domain.order import OrderNo

router = APIRouter(tags=["orders"])
WRITES = Annotated[Caller, Depends(Scoped(ApiScope.ORDERS_WRITE))]


@router.post(
    "/orders/{order_no}/complaints", status_code=201, response_model=ComplaintTold, operation_id="tellComplaint",
    summary="Tell of a complaint about an order", responses=may_answer(*CHANGING),
    openapi_extra=takes(ComplaintRequest),
)  # fmt: skip
async def tell(request: Request, caller: WRITES, order_no: OrderNo, key: Key) -> Response:
    """Counted once under its number at the order's channel, in the report of the month in which the order was placed.
    A channel is a source of complaints from the first one that it tells of."""
    asked = await read_json(request, ComplaintRequest)
    await insist_on_order(request, caller, order_no)
    work = TellComplaint(order_no=order_no, **asked.model_dump())

    async def act(attempt: int) -> ComplaintTold:
        done = await (await caller.desk()).do(work, own_number(caller, key, work, attempt), caller.id)
        return ComplaintTold(order_no=order_no, complaint_no=asked.complaint_no, channel=done["channel"])

    return await once(request, caller, key, asked, 201, act)
