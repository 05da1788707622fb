"""Approve or reject, one or many: each with a proof of its own, each with a result."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from config.sources import UnableToConfigure
from console.pages.finance import booking
from console.security.access import STAFF, refuse
from console.security.forms import read_form
from console.session.user import User
from console.text.refusals import tried
from console.wiring import wiring_of
from domain.approvals import Decision, RefusalCode
from starter.clients.approvals import ApprovalClient, DecisionNotTaken
from starter.clients.errors import Unreachable
from starter.clients.exchange import NoProof
from store.approvals.approvals import Approval
from store.console.approvals import ApprovalPages

router = APIRouter()
MOST = 50
AT_ONCE = 5
DONE = "decided"
Verb = Literal["approve", "reject"]
NOT_SENT: dict[type[Exception], str] = {NoProof: "NO_PROOF", ValidationError: RefusalCode.BAD_DECISION}
VERBS: dict[str, Verb] = {"approve": "approve", "reject": "reject"}


@dataclass(frozen=True)
class Seen:
    """One question and the hash of the content that the person has looked at."""

    approval_id: str
    content_hash: str


@router.post("/approvals")
async def decide(request: Request, user: Annotated[User, Depends(STAFF)]) -> Response:
    """`chosen`: hash and number of each; one that was decided on its own page goes back there."""
    form = await read_form(request)
    chosen = [_seen(str(one)) for one in form.getlist("chosen")]
    verb = VERBS.get(str(form.get("decision", "")))
    if verb is None or len(chosen) > MOST:
        raise HTTPException(400)
    if not chosen:
        return RedirectResponse("/approvals", 303)
    remark = str(form.get("remark", "")).strip()
    known = await ApprovalPages(wiring_of(request).pool).some([one.approval_id for one in chosen])
    if set(known) - await ApprovalPages(wiring_of(request).pool).seen(list(known), user.scope):
        await refuse(request, user, "OUT_OF_SCOPE")  # before the first of them is decided
    one_by_one = asyncio.Semaphore(AT_ONCE)

    async def result(seen: Seen) -> str:
        async with one_by_one:
            return await _one(user, known.get(seen.approval_id), seen, verb, remark)

    results = await asyncio.gather(*[result(seen) for seen in chosen])
    if len(chosen) == 1 and form.get("page"):
        return RedirectResponse(f"/approvals/{chosen[0].approval_id}?{urlencode({'said': results[0]})}", 303)
    of = [("of", f"{seen.approval_id}~{said}") for seen, said in zip(chosen, results, strict=True)]
    return RedirectResponse(f"/approvals-decided?{urlencode(of)}", 303)


async def _one(user: User, approval: Approval | None, seen: Seen, verb: Verb, remark: str) -> str:
    """`decided`, or the code of the refusal."""
    if approval is None:
        return RefusalCode.UNKNOWN_APPROVAL
    if not remark:
        return RefusalCode.REMARK_REQUIRED
    try:
        token = await user.decision_token(seen.approval_id, seen.content_hash)
        decision = Decision(
            approval_id=seen.approval_id, decision=verb, remark=remark, content_hash=seen.content_hash, token=token
        )
        await _send(await user.approvals(), approval.workflow_id, decision)
    except DecisionNotTaken as why:
        return why.type
    except (NoProof, Unreachable, UnableToConfigure, ValidationError) as why:
        return NOT_SENT.get(type(why), "UNREACHABLE")
    return await _booked(user, approval) if verb == "approve" and booking.pays(approval.request) else DONE


async def _booked(user: User, approval: Approval) -> str:
    """A payment that finance has just agreed to is booked in the same name, so that its order goes on. Where that
    cannot be done now, the decision stands, and it is booked from its page."""
    content, order_no = approval.request.content, approval.request.order_no
    if not user.may_give("order.book_money") or order_no is None:
        return DONE
    came = await tried(booking.book(user, int(content["money_no"]), order_no))
    return DONE if came == "booked" else "NOT_BOOKED"


async def _send(client: ApprovalClient, workflow_id: str | None, decision: Decision) -> None:
    if workflow_id is None:
        await client.decide_in_place(decision)
    else:
        await client.decide(workflow_id, decision)


def _seen(text: str) -> Seen:
    content_hash, _, number = text.partition(" ")
    return Seen(number[:100], content_hash[:64])
