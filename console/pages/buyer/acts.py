"""What a buyer does with a link: pictures, what it would come to, applying, naming a waybill, taking it back."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages.acting import ActRefused, field, message, return_act
from console.pages.buyer.links import LinkedBuyer, buyer_of
from console.pages.buyer.page import shown
from console.pages.rendering import render
from console.pages.returns.applying import (
    application_of,
    as_asked,
    kept_of,
    reasons_of,
    returnable,
    take_pictures,
    told,
)
from console.pages.waybills import parcel_of
from console.security.forms import read_form
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from domain.returns.enums import REASONS, Fault, Reason
from domain.returns.models import Actor, ApplyReturn
from starter.clients.return_errors import ReturnRefused
from starter.clients.returns import ReturnClient
from store.console.returns import ReturnableOrder
from store.insight.offers import OfferStore
from store.pool import clean
from store.returns import ReturnStore
from store.returns.quoting import quote_return
from workflows.returns.messages import CancelReturn, EnterWaybill

router = APIRouter()
CHANNEL = "link"


@router.post("/buyer/{token}/quote")
async def quote(request: Request, token: str) -> Response:
    buyer = await buyer_of(request, token)
    order, given = await returnable(request, buyer.link.order_no), await read_form(request)
    application = _application(buyer, order, given)
    wiring, quoted = wiring_of(request), None
    if application is not None:
        quoted = await quote_return(wiring.pool, await as_asked(request, application), wiring.now())
    return render(request, "_return_quote.html", quoted=quoted, refusals=told(request, quoted))


@router.post("/buyer/{token}/pictures")
async def pictures(request: Request, token: str) -> Response:
    buyer = await buyer_of(request, token)
    order, given = await returnable(request, buyer.link.order_no), await read_form(request)
    stored, refused = await take_pictures(request, order, given, _actor(buyer))
    number = str(given.get("return_no", ""))
    return render(
        request, "_pictures.html", stored=stored, refused=refused, return_no=number,
        where=f"/buyer/{token}/pictures/{number}", status=200 if stored or not refused else 422,
    )  # fmt: skip


@router.post("/buyer/{token}/apply")
async def apply(request: Request, token: str) -> Response:
    """Answered by a receipt: the number, the moment, and whose turn it is."""
    buyer = await buyer_of(request, token)
    order, given = await returnable(request, buyer.link.order_no), await read_form(request)
    stored, refused = await take_pictures(request, order, given, _actor(buyer))
    more = [one.evidence_id for one in stored]
    application = _application(buyer, order, given, more)
    kept = kept_of(given, more)
    if application is None or refused:
        said = refused or [language_of(request).say(N_("Say which units are sent back, and why."))]
        return await shown(request, buyer, order, kept, said=said, status=422)
    application = await as_asked(request, application)
    try:
        await return_act(request, buyer, lambda client: client.apply(application))
    except ReturnRefused as why:
        return await shown(request, buyer, order, kept, said=reasons_of(request, why), status=422)
    except ActRefused as why:
        if why.status != 409:  # else it was sent twice: the first one is there
            return await shown(request, buyer, order, kept, said=[why.said], status=why.status)
    return RedirectResponse(f"/buyer/{token}?said=applied&no={application.return_no}", 303)


@router.post("/buyer/{token}/offers/refuse")
async def refuse(request: Request, token: str) -> Response:
    """No, thank you: to all that is offered for the order. It moves neither goods nor money."""
    buyer = await buyer_of(request, token)
    wiring = wiring_of(request)
    await OfferStore(wiring.pool).refuse(buyer.link.order_no, wiring.now())
    return RedirectResponse(f"/buyer/{token}?said=refused", 303)


@router.post("/buyer/{token}/waybill/{return_no}")
async def waybill(request: Request, token: str, return_no: str) -> Response:
    buyer = await buyer_of(request, token)

    async def act(client: ReturnClient) -> None:
        parcel = await parcel_of(request, "own")
        await client.enter_waybill(return_no, EnterWaybill(by=buyer.link.buyer_id, parcel=parcel))

    return await _done(request, buyer, return_no, "waybill", act)


@router.post("/buyer/{token}/cancel/{return_no}")
async def cancel(request: Request, token: str, return_no: str) -> Response:
    buyer = await buyer_of(request, token)

    async def act(client: ReturnClient) -> None:
        said = message(request, CancelReturn, by=buyer.link.buyer_id, reason=await field(request, "reason"))
        await client.cancel(return_no, said)

    return await _done(request, buyer, return_no, "cancelled", act)


async def _done(
    request: Request, buyer: LinkedBuyer, return_no: str, said: str, act: Callable[[ReturnClient], Awaitable[Any]]
) -> Response:
    case = await ReturnStore(wiring_of(request).pool).view(clean(return_no))
    if case is None or case.order_no != buyer.link.order_no:
        raise HTTPException(404)
    try:
        await return_act(request, buyer, act)
    except ActRefused as why:
        return why.page(request, None)
    return RedirectResponse(f"/buyer/{buyer.token}?said={said}", 303)


def _actor(buyer: LinkedBuyer) -> Actor:
    return Actor(kind="buyer", id=buyer.link.buyer_id)


def _application(
    buyer: LinkedBuyer, order: ReturnableOrder, given: FormData, more: list[str] | None = None
) -> ApplyReturn | None:
    """Whose fault it is follows from the reason: who decides about it reads the pictures."""
    application = application_of(order, _with_channel(given), _actor(buyer), more)
    if application is None:
        return None
    fault = Fault.SELLER if REASONS[Reason(application.reason)].quality else Fault.NONE
    return application.model_copy(update={"fault": fault})


def _with_channel(given: FormData) -> FormData:
    return FormData([*((k, v) for k, v in given.multi_items() if k not in ("channel", "fault")), ("channel", CHANNEL)])
