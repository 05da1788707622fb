"""`/buyer/guest`: a buyer without an account or a link says the order's number and its phone, gets a code there, and
with it the buyer's page. Whether there is such an order is not to be found out: all answers are alike."""

import secrets
from datetime import timedelta

import structlog
from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages.acting import field
from console.pages.rendering import render
from console.security.forms import says_our_origin
from console.security.pace import VisitorPace, address_of
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import Wiring, wiring_of
from domain.records import AuditEntry
from providers.tokens.errors import KeysUnavailable, TokenRefused
from providers.tokens.verify import TokenVerifier
from starter.clients.exchange import NoProof, TokenExchange
from store.audit.audit import AuditStore
from store.console.guests import GuestOrders
from store.pool import clean

router = APIRouter()
log = structlog.get_logger("oms.console")
ASKS, ENTERS = 10, 20
"""A minute, of one address: for codes, and with codes."""
A_NUMBER = 5
"""Codes an hour for one order's number and one address, whether or not there is such an order: who asks about another's
number keeps its buyer from nothing. A phone's own bound is the issuer's."""
LONGEST_NUMBER, LONGEST_PHONE, LONGEST_CODE = 64, 24, 12
WRONG = N_("This code does not fit, or not any more. Ask for another one.")


class GuestPaces:
    """Of one process."""

    def __init__(self) -> None:
        self.asks, self.enters = VisitorPace(ASKS), VisitorPace(ENTERS)
        self.numbers = VisitorPace(A_NUMBER, timedelta(hours=1))


@router.get("/buyer/guest")
async def guest(request: Request) -> Response:
    _insist_on_guests(wiring_of(request))
    return render(request, "guest.html", attempt="", said="")


@router.post("/buyer/guest")
async def ask(request: Request) -> Response:
    """The code is sent after the answer, so that the answer takes as long where none is sent."""
    wiring = wiring_of(request)
    _insist_on_guests(wiring)
    number, phone = clean(await field(request, "order"))[:LONGEST_NUMBER], await field(request, "phone")
    paces = _paces(request)
    caller, now = address_of(request), wiring.now()
    if not paces.asks.allows(caller, now) or not paces.numbers.allows(f"{caller} {number}", now):
        raise HTTPException(429)
    _insist_on_origin(request, wiring)
    attempt = secrets.token_urlsafe(24)
    answer = render(request, "guest.html", attempt=attempt, said="")
    answer.background = BackgroundTask(_send, wiring, attempt, number, phone[:LONGEST_PHONE])
    return answer


@router.post("/buyer/guest/enter")
async def enter(request: Request) -> Response:
    wiring = wiring_of(request)
    exchange, verifier = _insist_on_guests(wiring)
    if not _paces(request).enters.allows(address_of(request), wiring.now()):
        raise HTTPException(429)
    _insist_on_origin(request, wiring)
    attempt, code = await field(request, "attempt"), await field(request, "code")
    try:
        token = await exchange.guest_link(attempt[:100], code[:LONGEST_CODE])
        link = await verifier.verify_link(token)
    except (NoProof, TokenRefused, KeysUnavailable):
        return render(request, "guest.html", status=422, attempt=attempt[:100], said=language_of(request).say(WRONG))
    entry = AuditEntry(actor=link.buyer_id, action="return.guest_link", detail={})
    await AuditStore(wiring.pool).append(entry, wiring.now(), link.order_no)
    return RedirectResponse(f"/buyer/{token}", 303)


async def _send(wiring: Wiring, attempt: str, number: str, phone: str) -> None:
    """To the order's own phone, if that is the one that was entered."""
    exchange, _ = _insist_on_guests(wiring)
    order = await GuestOrders(wiring.pool).find(number, phone)
    if order is None:
        return
    try:
        await exchange.guest_code(attempt, order.order_no, order.buyer_id, order.phone)
    except NoProof as why:
        log.warning("no code was sent", order=order.order_no, why=str(why))


def _insist_on_guests(wiring: Wiring) -> tuple[TokenExchange, TokenVerifier]:
    """Raises `HTTPException` where there are no pages for guests."""
    if not wiring.settings.guests or wiring.links is None or wiring.exchange is None:
        raise HTTPException(404)
    return wiring.exchange, wiring.links


def _insist_on_origin(request: Request, wiring: Wiring) -> None:
    if not says_our_origin(request, wiring.settings.url):
        raise HTTPException(403)


def _paces(request: Request) -> GuestPaces:
    if not hasattr(request.app.state, "guest_paces"):
        request.app.state.guest_paces = GuestPaces()
    paces: GuestPaces = request.app.state.guest_paces
    return paces
