"""`/tickets/together`: many open tickets that ask the same, answered at once; each by itself, each with its result."""

import asyncio
import secrets
from dataclasses import dataclass, replace
from typing import Annotated, cast

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.pages.rendering import render
from console.pages.tickets.answering import Action, answer, may_answer
from console.pages.tickets.one import ANSWERERS
from console.pages.tickets.queue import seen_by
from console.security.forms import read_form
from console.session.user import User
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from store.pool import clean
from store.tickets.pages import TicketFilter, TicketPages
from store.tickets.tickets import TicketRow
from workflows.messages import ResolveTicket, TicketAnswer

router = APIRouter()
AT_ONCE = 100
SIDE_BY_SIDE = 4
"""The workers have other things to do."""


@dataclass(frozen=True)
class ItemResult:
    """Of one of many. `refusal` None: it was taken."""

    ticket: TicketRow
    refusal: RefusedAct | None


@router.get("/tickets/together/answer")
async def together(
    request: Request, user: Annotated[User, Depends(ANSWERERS)], system: str = "", step: str = "", action: str = "retry"
) -> Response:
    """Which ones, and how many: before anything is done."""
    if action not in ("retry", "give_up"):
        raise HTTPException(400)
    wanted = _wanted(user, system, step, action)
    page = await TicketPages(wiring_of(request).pool).page(wanted, AT_ONCE)
    return render(
        request, "tickets/together.html", user, tickets=page.tickets, more=page.next is not None, system=system,
        step=step, action=action, key=secrets.token_hex(8),
        may=all(may_answer(user, ticket, action) for ticket in page.tickets),
    )  # fmt: skip


@router.post("/tickets/together/answer")
async def answered(request: Request, user: Annotated[User, Depends(ANSWERERS)]) -> Response:
    """Shown as the answer and not by 303: what came of each is kept nowhere. Sent again, each has its first answer."""
    form = await read_form(request)
    text = {name: str(form.get(name) or "").strip() for name in ("system", "step", "action", "remark", "key")}
    chosen = {str(number) for number in form.getlist("ticket")}
    if text["action"] not in ("retry", "give_up") or not text["key"] or len(chosen) > AT_ONCE:
        raise HTTPException(400)
    wiring = wiring_of(request)
    page = await TicketPages(wiring.pool).page(_wanted(user, text["system"], text["step"], text["action"]), AT_ONCE)
    tickets = [ticket for ticket in page.tickets if ticket.ticket_id in chosen]
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(ticket: TicketRow) -> ItemResult:
        if not may_answer(user, ticket, text["action"]):
            return ItemResult(ticket, RefusedAct("WRONG_ROLE", ""))
        try:
            message = ResolveTicket(
                ticket_id=ticket.ticket_id, action=cast(Action, text["action"]), remark=clean(text["remark"]),
                by=user.id,
            )  # fmt: skip
        except ValidationError:
            return ItemResult(ticket, RefusedAct("BadResult", ""))
        async with gate:
            came: TicketAnswer | RefusedAct = await tried(answer(wiring, user, ticket, message, text["key"][:64]))
        return ItemResult(ticket, came if isinstance(came, RefusedAct) else None)

    results = await asyncio.gather(*map(one, tickets))
    gone = len(chosen) - len(tickets)
    return render(
        request,
        "tickets/together_done.html",
        user,
        results=results,
        gone=gone,
        system=text["system"],
        step=text["step"],
    )


def _wanted(user: User, system: str, step: str, action: str) -> TicketFilter:
    if not system or not step:
        raise HTTPException(400)
    return replace(seen_by(user), system=clean(system), step=clean(step), action=action)
