"""`/buyer/{token}`: an order's returns as its buyer sees them, and the form; a slip to print; one's own pictures."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.pages.buyer.links import LinkedBuyer, buyer_of
from console.pages.rendering import render
from console.pages.returns.applying import ANSWER, INSTEAD, UNITS, new_number, returnable
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from domain.returns.enums import GOODS_COME_BACK, REASONS, CaseStatus, ReturnType
from domain.returns.models import MAX_EVIDENCE, ReturnView
from domain.returns.windows import SHOP_TIME
from starter.clients.evidence import EvidenceRefused
from starter.return_slip import qr_picture
from store.console.returns import ReturnableOrder, ReturnPages
from store.forms.judging import rules_of_order
from store.insight.offers import MadeOffer, OfferStore
from store.pool import clean
from store.returns import ReturnStore
from store.returns.evidence import EvidenceStore

router = APIRouter()
S = CaseStatus
SENT_BACK = frozenset({S.WAITING_RETURN, S.IN_RETURN})
TAKEN_BACK = frozenset({S.APPLIED, S.SUPERVISOR_REVIEW, S.WAITING_RETURN})
DONE = {
    "applied": N_("Your application has arrived. This is your receipt."),
    "cancelled": N_("Your application is taken back."),
    "refused": N_("Thank you: you will not be asked about it again."),
    "waybill": N_("Thank you: your parcel is expected."),
}


@router.get("/buyer/{token}")
async def buyer_page(request: Request, token: str, said: str = "", no: str = "", take: str = "") -> Response:
    """`take`: the line whose offer is taken: the form is filled in for its replacement."""
    buyer = await buyer_of(request, token)
    order = await returnable(request, buyer.link.order_no)
    given = {"return_no": new_number(request)}
    if units := [one for one in await _offers(request, buyer) if one.line_id == take]:
        given |= {"type": ReturnType.WARRANTY_REPLACEMENT.value, f"{UNITS}{take}": str(len(units))}
    return await shown(request, buyer, order, given, done=said, receipt=no)


@router.get("/buyer/{token}/slip/{return_no}")
async def slip(request: Request, token: str, return_no: str) -> Response:
    """To print and to put into the parcel: code and QR code, where to, until when. It names nobody."""
    buyer = await buyer_of(request, token)
    found = await ReturnPages(wiring_of(request).pool).with_code(clean(return_no))
    if found is None or found.case.order_no != buyer.link.order_no or found.case.type not in GOODS_COME_BACK:
        raise HTTPException(404)
    return render(
        request, "slip.html", case=found.case, code=found.code, lines=found.lines, slip_no=found.slip_no,
        # Our own picture of our own code.
        qr=Markup(qr_picture(found.code)), address=wiring_of(request).settings.return_address,  # noqa: S704
    )  # fmt: skip


@router.get("/buyer/{token}/pictures/{return_no}/{evidence_id}")
async def own_picture(request: Request, token: str, return_no: str, evidence_id: str) -> Response:
    buyer = await buyer_of(request, token)
    wiring = wiring_of(request)
    row = await EvidenceStore(wiring.pool).get(clean(return_no), clean(evidence_id))
    mine = row is not None and row.order_no == buyer.link.order_no and row.purpose == "application"
    if not mine or wiring.pictures is None:
        raise HTTPException(404)
    try:
        found = await wiring.pictures.fetch(return_no, evidence_id, buyer.link.buyer_id, staff=False)
    except EvidenceRefused:
        raise HTTPException(404) from None
    return Response(found.content, headers=found.headers)


async def shown(
    request: Request, buyer: LinkedBuyer, order: ReturnableOrder, given: dict[str, Any], *,
    said: list[str] | None = None, status: int = 200, done: str = "", receipt: str = "",
) -> Response:  # fmt: skip
    language = language_of(request)
    cases = await ReturnStore(wiring_of(request).pool).list(order_no=buyer.link.order_no, limit=20)
    return render(
        request, "buyer.html", status=status, base=f"/buyer/{buyer.token}", link=buyer.link, lines=order.lines,
        order=order.order, offers=_by_line(await _offers(request, buyer)),
        cases=list(_cases(cases)), given=given, said=said or [], done=DONE.get(done, ""),
        receipt=next((case for case in cases if case.return_no == receipt), None), most=MAX_EVIDENCE,
        units=UNITS, instead=INSTEAD, reasons=[(one.value, language.reason(one)) for one in REASONS],
        types=[(one.value, language.word("return_type", one)) for one in ReturnType],
        rules=await rules_of_order(wiring_of(request).pool, buyer.link.order_no), answer=ANSWER,
        names={line["line_id"]: line["name"] or line["sku"] for line in order.lines},
    )  # fmt: skip


async def _offers(request: Request, buyer: LinkedBuyer) -> list[MadeOffer]:
    """Those that are open."""
    wiring = wiring_of(request)
    today = wiring.now().astimezone(SHOP_TIME).date()
    return [one for one in await OfferStore(wiring.pool).of_order(buyer.link.order_no) if one.is_open(today)]


def _by_line(offers: list[MadeOffer]) -> list[dict[str, Any]]:
    found = Counter((one.line_id, one.ends, one.expires) for one in offers)
    return [{"line_id": line, "ends": what, "expires": end, "units": n} for (line, what, end), n in found.items()]


def _cases(cases: tuple[ReturnView, ...]) -> Iterator[dict[str, Any]]:
    """Each with what its buyer may do now."""
    for case in cases:
        by_buyer = case.applied_by.kind == "buyer"
        yield {
            "case": case, "sends": case.status in SENT_BACK and case.type in GOODS_COME_BACK,
            "takes_back": by_buyer and case.status in TAKEN_BACK,
        }  # fmt: skip
