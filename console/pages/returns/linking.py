"""`/orders/{no}/buyer-link`: the link that customer service sends a buyer. Who made one is written down."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from console.pages.acting import insist_on_order
from console.pages.problems import problem
from console.pages.rendering import render
from console.pages.returns.applying import APPLICANTS, returnable
from console.session.user import User
from console.text.language import language_of
from console.wiring import wiring_of
from domain.access.buyer_links import LINK_LIVES
from domain.records import AuditEntry
from starter.clients.exchange import NoProof
from store.audit.audit import AuditStore

router = APIRouter()


@router.post("/orders/{order_no}/buyer-link")
async def buyer_link(request: Request, user: Annotated[User, Depends(APPLICANTS)], order_no: str) -> Response:
    """Shown once and kept nowhere: who has it is the buyer for this order."""
    await insist_on_order(request, user, order_no)
    order, wiring = (await returnable(request, order_no)).order, wiring_of(request)
    try:
        token = await user.buyer_link(order_no, order["buyer_id"])
    except NoProof:
        return problem(request, 503, language_of(request).word("refusal", "NO_PROOF"), user)
    entry = AuditEntry(actor=user.id, action="return.link", detail={"for": order["buyer_id"]})
    await AuditStore(wiring.pool).append(entry, wiring.now(), order_no)
    return render(
        request, "buyer_link.html", user, order_no=order_no, address=f"{wiring.settings.url}/buyer/{token}",
        until=wiring.now() + LINK_LIVES,
    )  # fmt: skip
