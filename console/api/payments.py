"""The payment of an order that a marketplace took the money for: told with its evidence, decided by finance."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from console.api.callers import Caller, Scoped
from console.api.once import Key, once, own_number
from console.api.order_shapes import PaymentRequest, PaymentTold
from console.api.orders import insist_on_order
from console.api.problems import CHANGING, may_answer
from console.api.reading import read_json, takes
from domain.access.api_tokens import ApiScope
from domain.access.desk import TellPayment
from domain.order import OrderNo

router = APIRouter(tags=["orders"])
WRITES = Annotated[Caller, Depends(Scoped(ApiScope.ORDERS_WRITE))]


@router.post(
    "/orders/{order_no}/payments", status_code=202, response_model=PaymentTold, operation_id="tellPayment",
    summary="Tell that an order is paid at its channel already", responses=may_answer(*CHANGING),
    openapi_extra=takes(PaymentRequest),
)  # fmt: skip
async def tell(request: Request, caller: WRITES, order_no: OrderNo, key: Key) -> Response:
    """Place such an order with the payment method `external` and a deadline that leaves finance some days. A payment
    that does not fit the order, or pays another one, is refused."""
    asked = await read_json(request, PaymentRequest)
    await insist_on_order(request, caller, order_no)
    work = TellPayment(order_no=order_no, **asked.model_dump())

    async def act(attempt: int) -> PaymentTold:
        done = await (await caller.desk()).do(work, own_number(caller, key, work, attempt), caller.id)
        return PaymentTold(order_no=order_no, money_no=done["content"]["money_no"], approval_id=done["approval_id"])

    return await once(request, caller, key, asked, 202, act)
