"""Orders: placed, looked at, changed. Amounts in minor units (fen), times as RFC 3339."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from console.api.callers import Caller, Scoped, insist_on_channel, refuse
from console.api.once import Key, once, own_key
from console.api.order_shapes import (
    AddressRequest,
    CancelRequest,
    Confirmed,
    ConfirmRequest,
    HoldRequest,
    HoldShown,
    LineShown,
    MoneyShown,
    OrderInFull,
    OrderListed,
    ParcelShown,
    PaymentShown,
    RefreshRequest,
    RefundShown,
)
from console.api.problems import CHANGING, READING, ApiProblem, may_answer
from console.api.reading import own_cursor, read_json, takes
from console.api.refusals import as_problem
from console.pages.orders.filters import LONGEST_SEARCH, narrowed
from domain.access.api_tokens import ApiScope
from domain.order import Address, Id, OrderNo, StartOrder
from domain.states import OrderStatus
from domain.strict import of
from starter.clients.errors import DuplicateOrder, OrderError
from store.console.order_page import OrderPageStore
from store.errors import NoSuchOrder
from store.orders.detail import OrderDetail
from store.orders.orders import OrderStore
from store.orders.pages import OrderFilter
from store.pool import clean
from workflows.order.changes.messages import AddressChanged, ChangeAddress
from workflows.order.holds.messages import HoldOrder, HoldPlaced
from workflows.order.messages import Cancelled, CancelOrder, ConfirmReceipt, Placed, Refresh, Refreshed

router = APIRouter(tags=["orders"])
READS = Annotated[Caller, Depends(Scoped(ApiScope.ORDERS_READ))]
WRITES = Annotated[Caller, Depends(Scoped(ApiScope.ORDERS_WRITE))]
Only = Literal["attention", "late", "due", "backorder", "held", "exception"]
NARROWED = (
    "Those that need a person, should have left, are to leave within six hours, wait for stock, are held, are in "
    "trouble at the courier."
)
SEARCHED = "A number as above, or of a return, refund or payment, a buyer, a SKU, the last four digits of the phone."


@router.post(
    "/orders", status_code=201, response_model=Placed, operation_id="placeOrder", summary="Place an order",
    responses=may_answer(*CHANGING), openapi_extra=takes(StartOrder),
)  # fmt: skip
async def place(request: Request, caller: WRITES, key: Key) -> Response:
    """Answers once the order is in the books and its payment is offered. `order_no` is yours to choose; the same one is
    one order."""
    order = await read_json(request, StartOrder)
    await insist_on_channel(request, caller, order.channel)

    async def act(attempt: int) -> Placed:
        try:
            return await (await caller.orders()).start(order)
        except DuplicateOrder as why:
            again = await _placed_before(caller, order) if attempt > 1 else None
            if again is None:
                raise as_problem(why) from why
            return again

    return await once(request, caller, key, order, 201, act)


async def _placed_before(caller: Caller, order: StartOrder) -> Placed | None:
    """The answer to an earlier attempt of this very request; None: the number is another order's. Raises `ApiProblem`
    when that cannot be said yet."""
    store = OrderStore(caller.wiring.pool)
    try:
        if await store.start(order.order_no) != order:
            return None
    except NoSuchOrder:
        raise ApiProblem(
            503, "NO_ANSWER", "the order is on its way into the books; ask again", retry_after_s=5
        ) from None
    found = await store.view(order.order_no)
    assert found is not None
    o = found.order
    return Placed(
        order_no=o.order_no, payable_minor=o.payable_minor, currency=o.currency, pay_deadline=o.pay_deadline,
        payment_code=o.payment_code,
    )  # fmt: skip


@router.get(
    "/orders", response_model=OrderListed, operation_id="listOrders", summary="List orders, newest first",
    responses=may_answer(*READING),
)  # fmt: skip
async def listed(
    caller: READS,
    status: OrderStatus | None = None,
    channel: Id | None = None,
    buyer_id: Id | None = None,
    number: Annotated[Id | None, Query(description="Order, parcel, channel order or waybill number.")] = None,
    search: Annotated[str | None, Query(max_length=LONGEST_SEARCH, description=SEARCHED)] = None,
    only: Annotated[Only | None, Query(description=NARROWED)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=300)] = None,
) -> OrderListed:
    wanted = OrderFilter(
        status=status, channel=channel, buyer_id=buyer_id, number=number, search=clean(search or "").strip() or None,
        channels=caller.scope.channels, warehouses=caller.scope.warehouses,
    )  # fmt: skip
    wanted = narrowed(wanted, only or "", caller.wiring.now())
    with own_cursor():
        page = await OrderStore(caller.wiring.pool).list(wanted, limit, after)
    return OrderListed(orders=list(page.orders), next=page.next)


@router.get(
    "/orders/{order_no}", response_model=OrderInFull, operation_id="getOrder", summary="An order in full",
    responses=may_answer(*READING),
)  # fmt: skip
async def shown(request: Request, caller: READS, order_no: OrderNo) -> OrderInFull:
    found = await _seen(request, caller, order_no)
    return OrderInFull(
        order=found.order, address=of(Address, found.address),
        lines=[LineShown(**_only(LineShown, row)) for row in found.lines],
        parcels=[ParcelShown(**_only(ParcelShown, row)) for row in found.children],
        holds=[HoldShown(**_only(HoldShown, asdict(row))) for row in found.holds],
        payments=_payments(found), refunds=_refunds(found),
    )  # fmt: skip


@router.get(
    "/orders/{order_no}/payments", response_model=MoneyShown, operation_id="getPayments",
    summary="Payments and refunds of an order, as the books have seen them", responses=may_answer(*READING),
)  # fmt: skip
async def money(request: Request, caller: READS, order_no: OrderNo) -> MoneyShown:
    found = await _seen(request, caller, order_no)
    o = found.order
    return MoneyShown(
        order_no=o.order_no, currency=o.currency, payable_minor=o.payable_minor, paid_minor=o.paid_minor,
        refunded_minor=o.refunded_minor, payments=_payments(found), refunds=_refunds(found),
    )  # fmt: skip


@router.post(
    "/orders/{order_no}/cancel", response_model=Cancelled, operation_id="cancelOrder", summary="Cancel an order",
    responses=may_answer(*CHANGING), openapi_extra=takes(CancelRequest),
)  # fmt: skip
async def cancel(request: Request, caller: WRITES, order_no: OrderNo, key: Key) -> Response:
    asked = await read_json(request, CancelRequest)
    await insist_on_order(request, caller, order_no)
    message = CancelOrder(by=caller.speaks_as(asked.on_behalf_of), reason=asked.reason)

    async def act(_attempt: int) -> Cancelled:
        return await (await caller.orders()).keyed(own_key(caller, key)).cancel(order_no, message)

    return await once(request, caller, key, asked, 200, act)


@router.post(
    "/orders/{order_no}/confirm-receipt", response_model=Confirmed, operation_id="confirmReceipt",
    summary="The buyer has the goods", responses=may_answer(*CHANGING), openapi_extra=takes(ConfirmRequest),
)  # fmt: skip
async def confirm(request: Request, caller: WRITES, order_no: OrderNo, key: Key) -> Response:
    asked = await read_json(request, ConfirmRequest)
    await insist_on_order(request, caller, order_no)
    message = ConfirmReceipt(by=caller.speaks_as(asked.on_behalf_of))

    async def act(_attempt: int) -> Confirmed:
        await (await caller.orders()).keyed(own_key(caller, key)).confirm_receipt(order_no, message)
        return Confirmed(order_no=order_no)

    return await once(request, caller, key, asked, 200, act)


@router.post(
    "/orders/{order_no}/change-address", response_model=AddressChanged, operation_id="changeAddress",
    summary="Send everything that nobody has picked yet elsewhere", responses=may_answer(*CHANGING),
    openapi_extra=takes(AddressRequest),
)  # fmt: skip
async def readdress(request: Request, caller: WRITES, order_no: OrderNo, key: Key) -> Response:
    asked = await read_json(request, AddressRequest)
    await insist_on_order(request, caller, order_no)
    by = caller.speaks_as(asked.on_behalf_of)
    message = ChangeAddress(by=by, address=asked.address, remark=asked.remark)

    async def act(_attempt: int) -> AddressChanged:
        return await (await caller.orders()).keyed(own_key(caller, key)).change_address(order_no, message)

    return await once(request, caller, key, asked, 200, act)


@router.post(
    "/orders/{order_no}/hold", response_model=HoldPlaced, operation_id="holdOrder",
    summary="Let nothing of an order, or of one parcel, leave", responses=may_answer(*CHANGING),
    openapi_extra=takes(HoldRequest),
)  # fmt: skip
async def hold(request: Request, caller: WRITES, order_no: OrderNo, key: Key) -> Response:
    """What a warehouse has is asked back; whether that was in time stands in the order's `holds`. Staff releases it."""
    asked = await read_json(request, HoldRequest)
    await insist_on_order(request, caller, order_no)
    message = HoldOrder(
        by=caller.speaks_as(asked.on_behalf_of), kind=asked.kind, reason=asked.reason, remark=asked.remark,
        child_no=asked.child_no, ends_after_s=asked.ends_after_s,
    )  # fmt: skip

    async def act(_attempt: int) -> HoldPlaced:
        return await (await caller.orders()).keyed(own_key(caller, key)).hold(order_no, message)

    return await once(request, caller, key, asked, 200, act)


@router.post(
    "/orders/{order_no}/refresh", response_model=Refreshed, operation_id="refreshOrder",
    summary="Ask outside systems now", responses=may_answer(*CHANGING), openapi_extra=takes(RefreshRequest),
)  # fmt: skip
async def refresh(request: Request, caller: WRITES, order_no: OrderNo) -> Refreshed:
    """Changes nothing by itself, so that it takes no key."""
    asked = await read_json(request, RefreshRequest)
    await insist_on_order(request, caller, order_no)
    try:
        return await (await caller.orders()).refresh(order_no, Refresh(by=caller.speaks_as(asked.on_behalf_of)))
    except OrderError as why:
        raise as_problem(why) from why


async def insist_on_order(request: Request, caller: Caller, order_no: str) -> None:
    """Of what is another shop's nobody learns that it is there; the attempt is written down. Raises `ApiProblem`."""
    store = OrderPageStore(caller.wiring.pool)
    if await store.is_seen(order_no, caller.scope):
        return
    why = f"there is no order {order_no}"
    if await store.is_seen(order_no, type(caller.scope)()):
        await refuse(request, caller, "NO_SUCH_ORDER", why, status=404)
    raise ApiProblem(404, "NO_SUCH_ORDER", why)


async def _seen(request: Request, caller: Caller, order_no: str) -> OrderDetail:
    await insist_on_order(request, caller, order_no)
    found = await OrderStore(caller.wiring.pool).view(order_no)
    assert found is not None, "orders stay"
    return found


def _payments(found: OrderDetail) -> list[PaymentShown]:
    return [PaymentShown(**_only(PaymentShown, row)) for row in found.payments]


def _refunds(found: OrderDetail) -> list[RefundShown]:
    return [RefundShown(**_only(RefundShown, row)) for row in found.refunds]


def _only(model: type[BaseModel], row: Any) -> dict[str, Any]:
    return {name: row[name] for name in model.model_fields}
