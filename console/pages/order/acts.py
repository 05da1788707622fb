"""What people do with an order: asked in a form, proven in their name, answered on the order's page."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from config.sources import UnableToConfigure
from console.navigation import ORDER_READERS
from console.pages.acting import field, insist_on_order
from console.pages.problems import problem
from console.pages.rendering import render
from console.security.access import Needs
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from domain.access.authority import AUTHORITY
from domain.dispatch.holds import BY_HAND, RELEASERS, HoldKind
from domain.fulfilment.parcel_states import BEFORE_LEAVING as HOLDABLE
from domain.order import Address
from starter.clients.errors import CommandRefused, NoAnswer, NotNow, OrderError, OrderNotFound, Unreachable
from starter.clients.exchange import NoProof
from starter.clients.orders import OrderClient
from store.console.order_page import OrderPageStore
from workflows.order.changes.messages import ChangeAddress
from workflows.order.holds.messages import HoldOrder, ReleaseHold
from workflows.order.messages import CancelOrder, ConfirmReceipt, Refresh

router = APIRouter()
CANCELLERS = Needs(*AUTHORITY["order.cancel"].roles)
RECEIVERS = Needs(*AUTHORITY["order.confirm_receipt"].roles)
HOLDERS = Needs(*AUTHORITY["order.hold"].roles)
RELEASING = Needs(*dict.fromkeys(role for roles in RELEASERS.values() for role in roles))
ENDS_AFTER = {"": None, "30m": 1_800, "2h": 7_200, "1d": 86_400, "3d": 259_200}
"""Of the form; none: until somebody releases it."""
READDRESSERS = Needs(*AUTHORITY["order.change_address"].roles)
FIELDS = ("recipient", "phone", "province", "city", "district", "street", "postcode")
FORMS = ("cancel", "address", "confirm-receipt", "hold", "changed")
STATUS = {NoAnswer: 504, NotNow: 409, CommandRefused: 403, OrderNotFound: 404}

DONE = {
    "cancelled": N_("It was cancelled: what could be stopped is stopped, and its money goes back."),
    "asked": N_("Somebody has to agree first: until then everything goes on."),
    "confirmed": N_("Receipt is confirmed."),
    "held": N_("It is on hold: what no warehouse has waits, what one has is being stopped."),
    "released": N_("The hold is over: it goes on."),
    "readdressed": N_("What nobody has picked goes to the new address."),
}


@router.get("/orders/{order_no}/{act}")
async def form(request: Request, user: Annotated[User, Depends(ORDER_READERS)], order_no: str, act: str) -> Response:
    """What is to be filled in, put into the order's page."""
    content = await OrderPageStore(wiring_of(request).pool).page(order_no, user.scope)
    if content is None or act not in FORMS:
        raise HTTPException(404)
    return render(
        request, f"_order_{act.replace('-', '_')}.html", user, order=content.detail.order,
        address=content.detail.address, fields=FIELDS, kinds=BY_HAND, ends_after=tuple(ENDS_AFTER),
        children=[c["child_no"] for c in content.detail.children if c["status"] in HOLDABLE],
    )  # fmt: skip


@router.post("/orders/{order_no}/refresh")
async def refresh(request: Request, user: Annotated[User, Depends(ORDER_READERS)], order_no: str) -> Response:
    """Asks everybody outside now (R11); what was found to differ is shown in the page."""
    await insist_on_order(request, user, order_no)

    async def ask(client: OrderClient) -> Any:
        return await client.refresh(order_no, Refresh(by=user.id))

    answer = await _asked(request, user, ask)
    if isinstance(answer, Response):
        return answer
    return render(request, "_order_refreshed.html", user, refreshed=answer)


@router.post("/orders/{order_no}/cancel")
async def cancel(request: Request, user: Annotated[User, Depends(CANCELLERS)], order_no: str) -> Response:
    await insist_on_order(request, user, order_no)
    message = await _message(request, CancelOrder, by=user.id, reason=await field(request, "reason"))
    if isinstance(message, Response):
        return message

    async def act(client: OrderClient) -> str:
        """Of a paid order somebody may have to agree first."""
        return "asked" if (await client.cancel(order_no, message)).approval_id else "cancelled"

    return await _done(request, user, order_no, act)


@router.post("/orders/{order_no}/confirm-receipt")
async def confirm(request: Request, user: Annotated[User, Depends(RECEIVERS)], order_no: str) -> Response:
    await insist_on_order(request, user, order_no)

    async def act(client: OrderClient) -> str:
        await client.confirm_receipt(order_no, ConfirmReceipt(by=user.id))
        return "confirmed"

    return await _done(request, user, order_no, act)


@router.post("/orders/{order_no}/address")
async def readdress(request: Request, user: Annotated[User, Depends(READDRESSERS)], order_no: str) -> Response:
    await insist_on_order(request, user, order_no)
    given = {name: await field(request, name) or None for name in FIELDS}
    address = await _message(request, Address, **given)
    if isinstance(address, Response):
        return address
    remark = await field(request, "remark")
    message = await _message(request, ChangeAddress, by=user.id, address=address, remark=remark)
    if isinstance(message, Response):
        return message

    async def act(client: OrderClient) -> str:
        await client.change_address(order_no, message)
        return "readdressed"

    return await _done(request, user, order_no, act)


@router.post("/orders/{order_no}/hold")
async def hold(request: Request, user: Annotated[User, Depends(HOLDERS)], order_no: str) -> Response:
    await insist_on_order(request, user, order_no)
    kind, ends_after = await field(request, "kind"), await field(request, "ends_after")
    message = await _message(
        request, HoldOrder, by=user.id, kind=HoldKind(kind) if kind in set(HoldKind) else kind,
        reason=await field(request, "reason"), child_no=await field(request, "child_no") or None,
        ends_after_s=ENDS_AFTER.get(ends_after, -1),
    )  # fmt: skip
    if isinstance(message, Response):
        return message

    async def act(client: OrderClient) -> str:
        await client.hold(order_no, message)
        return "held"

    return await _done(request, user, order_no, act)


@router.post("/orders/{order_no}/release")
async def release(request: Request, user: Annotated[User, Depends(RELEASING)], order_no: str) -> Response:
    """Whether this person may release this hold is decided by what it is about, where it is kept."""
    await insist_on_order(request, user, order_no)
    hold_id, remark = await field(request, "hold_id"), await field(request, "remark")
    helped = True if await field(request, "helped") else None
    message = await _message(request, ReleaseHold, by=user.id, hold_id=hold_id, remark=remark, helped=helped)
    if isinstance(message, Response):
        return message

    async def act(client: OrderClient) -> str:
        await client.release(order_no, message)
        return "released"

    return await _done(request, user, order_no, act)


async def _done(request: Request, user: User, order_no: str, act: Callable[[OrderClient], Awaitable[str]]) -> Response:
    """`act` answers which of the texts in DONE the page shows."""
    answer = await _asked(request, user, act)
    if isinstance(answer, Response):
        return answer
    address = f"/orders/{order_no}?{urlencode({'said': answer})}"
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"hx-redirect": address})
    return RedirectResponse(address, 303)


async def _asked(request: Request, user: User, act: Callable[[OrderClient], Awaitable[Any]]) -> Any:
    """The answer; or a response that says why there is none."""
    try:
        return await act(await user.orders())
    except (NoProof, UnableToConfigure) as why:
        return problem(request, 503, str(why), user)
    except Unreachable:
        return problem(request, 503, language_of(request).say(N_("Nothing was sent.")), user)
    except OrderError as why:
        status = next((code for kind, code in STATUS.items() if isinstance(why, kind)), 500)
        return problem(request, status, str(getattr(why, "reason", why)), user)


async def _message(request: Request, kind: type[Any], /, **fields: Any) -> Any:
    """The message; or a response that names what is not filled in as it has to be."""
    try:
        return kind(**fields)
    except ValidationError as why:
        language = language_of(request)
        names = sorted({language.word("field", e["loc"][0]) for e in why.errors(include_input=False) if e["loc"]})
        return problem(request, 422, "、".join(names))
