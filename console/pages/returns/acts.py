"""What people do with a case: taken back, a waybill named, the amount lowered, a supervisor asked to pay less."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages.acting import ActRefused, field, message, minor_of, return_act
from console.pages.waybills import parcel_of
from console.security.access import Needs, refuse
from console.session.user import User
from console.wiring import wiring_of
from domain.access.authority import AUTHORITY
from starter.clients.returns import ReturnClient
from store.console.returns import ReturnPages
from workflows.returns.messages import AskSupervisor, CancelReturn, EnterWaybill, LowerAmount

router = APIRouter()
CANCELLERS = Needs(*AUTHORITY["return.cancel"].roles)
SENDERS = Needs(*AUTHORITY["return.enter_waybill"].roles)
LOWERERS = Needs(*AUTHORITY["return.lower"].roles)
ASKERS = Needs(*AUTHORITY["return.ask_supervisor"].roles)
Act = Callable[[ReturnClient], Awaitable[Any]]


@router.post("/returns/{return_no}/cancel")
async def cancel(request: Request, user: Annotated[User, Depends(CANCELLERS)], return_no: str) -> Response:
    async def act(client: ReturnClient) -> None:
        said = message(request, CancelReturn, by=user.id, reason=await field(request, "reason"))
        await client.cancel(return_no, said)

    return await _done(request, user, return_no, "cancelled", act)


@router.post("/returns/{return_no}/waybill")
async def waybill(request: Request, user: Annotated[User, Depends(SENDERS)], return_no: str) -> Response:
    async def act(client: ReturnClient) -> None:
        parcel = await parcel_of(request, "pickup" if await field(request, "pickup") else "own")
        await client.enter_waybill(return_no, EnterWaybill(by=user.id, parcel=parcel))

    return await _done(request, user, return_no, "waybill", act)


@router.post("/returns/{return_no}/lower")
async def lower(request: Request, user: Annotated[User, Depends(LOWERERS)], return_no: str) -> Response:
    async def act(client: ReturnClient) -> None:
        amount, reason = await _amount(request, user, return_no), await field(request, "reason")
        await client.lower(return_no, message(request, LowerAmount, by=user.id, amount_minor=amount, reason=reason))

    return await _done(request, user, return_no, "lowered", act)


@router.post("/returns/{return_no}/dispute")
async def dispute(request: Request, user: Annotated[User, Depends(ASKERS)], return_no: str) -> Response:
    async def act(client: ReturnClient) -> None:
        amount, reason = await _amount(request, user, return_no), await field(request, "reason")
        said = message(request, AskSupervisor, by=user.id, amount_minor=amount, reason=reason)
        await client.ask_supervisor(return_no, said)

    return await _done(request, user, return_no, "disputed", act)


async def _amount(request: Request, user: User, return_no: str) -> int:
    found = await ReturnPages(wiring_of(request).pool).context(return_no, user.scope)
    return minor_of(request, await field(request, "amount"), found.case.currency if found else "CNY")


async def _done(request: Request, user: User, return_no: str, said: str, act: Act) -> Response:
    found = await ReturnPages(wiring_of(request).pool).context(return_no, user.scope)
    if found is None:
        raise HTTPException(404)
    if not found.seen:
        await refuse(request, user, "OUT_OF_SCOPE")
    try:
        await return_act(request, user, act)
    except ActRefused as why:
        return why.page(request, user)
    return RedirectResponse(f"/returns/{return_no}?{urlencode({'said': said})}", 303)
