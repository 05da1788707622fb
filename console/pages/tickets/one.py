"""`/tickets/{id}`: what happened, what may be answered and what each answer means; taking it, handing it on."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import TICKET_READERS
from console.pages.rendering import render
from console.pages.tickets.answering import Action, answer, may_answer, result_of
from console.pages.tickets.queue import seen_by
from console.security.access import Needs
from console.security.forms import read_form
from console.session.user import User
from console.text.catalogue import N_
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.access.authority import AUTHORITY
from domain.strict import faults
from starter.clients.ticket_results import result_fields, tells_of_money
from store.approvals.people import PeopleStore
from store.pool import clean
from store.tickets.pages import TicketPages
from store.tickets.queue import TicketQueue
from store.tickets.tickets import TicketRow, TicketStore
from workflows.messages import ResolveTicket

router = APIRouter()
ANSWERERS = Needs(*AUTHORITY["order.resolve_ticket"].roles)
DONE = {
    "retry": N_("The step is being tried again."),
    "supply": N_("The result was taken; it goes on."),
    "give_up": N_("The step was given up."),
    "asked": N_("Another person of finance has to agree; until then the ticket is open."),
    "take": N_("You look after it now."),
    "assign": N_("It was handed on."),
    "release": N_("It is back in the queue."),
}


@dataclass(frozen=True)
class StoryEntry:
    """One thing that was done with a ticket."""

    at: datetime
    who: str
    what: str
    detail: str = ""


@router.get("/tickets/{ticket_id:path}")
async def ticket(
    request: Request, user: Annotated[User, Depends(TICKET_READERS)], ticket_id: str, done: str = "", approval: str = ""
) -> Response:
    found = await seen_ticket(request, user, ticket_id)
    return await _page(request, user, found, said=DONE.get(done), approval=approval[:60])


@router.post("/tickets/{ticket_id:path}/answer")
async def answered(request: Request, user: Annotated[User, Depends(ANSWERERS)], ticket_id: str) -> Response:
    found = await seen_ticket(request, user, ticket_id)
    form = {name: value.strip() for name, value in (await read_form(request)).items() if isinstance(value, str)}
    message = _message(user, found, form)
    if isinstance(message, RefusedAct):
        return await _page(request, user, found, refusal=message, form=form)
    key = form.get("key") or secrets.token_hex(8)
    came = await tried(answer(wiring_of(request), user, found, message, key[:64]))
    if isinstance(came, RefusedAct):
        return await _page(request, user, await seen_ticket(request, user, ticket_id), refusal=came, form=form)
    if came.approval_id:
        return _seen(ticket_id, done="asked", approval=came.approval_id)
    return _seen(ticket_id, done=message.action)


def _message(user: User, found: TicketRow, form: dict[str, str]) -> ResolveTicket | RefusedAct:
    """Refused before anything is sent, if it will be: it does not fit the ticket, or is not for this person to say."""
    action = form.get("action", "")
    if found.state != "open" or action not in found.actions:
        return RefusedAct("BadResult" if found.state == "open" else "NoSuchTicket", "")
    if not may_answer(user, found, action):
        return RefusedAct("WRONG_ROLE", "")
    try:
        result = result_of(found, form) if action == "supply" else None
        return ResolveTicket(
            ticket_id=found.ticket_id, action=cast(Action, action), remark=clean(form.get("remark", "")), by=user.id,
            result=result,
        )  # fmt: skip
    except ValidationError as error:
        return RefusedAct("BadResult", faults(error))
    except ValueError as error:
        return RefusedAct("BadResult", str(error))


@router.post("/tickets/{ticket_id:path}/take")
async def take(request: Request, user: Annotated[User, Depends(ANSWERERS)], ticket_id: str) -> Response:
    found, wiring = await seen_ticket(request, user, ticket_id), wiring_of(request)
    came = await tried(TicketQueue(wiring.pool).take(found.ticket_id, user.id, wiring.now()))
    return await _moved(request, user, found, came, "take")


@router.post("/tickets/{ticket_id:path}/release")
async def release(request: Request, user: Annotated[User, Depends(ANSWERERS)], ticket_id: str) -> Response:
    found, wiring = await seen_ticket(request, user, ticket_id), wiring_of(request)
    came = await tried(TicketQueue(wiring.pool).release(found.ticket_id, user.id, wiring.now()))
    return await _moved(request, user, found, came, "release")


@router.post("/tickets/{ticket_id:path}/assign")
async def assign(request: Request, user: Annotated[User, Depends(ANSWERERS)], ticket_id: str) -> Response:
    found, wiring = await seen_ticket(request, user, ticket_id), wiring_of(request)
    owner = str((await read_form(request)).get("owner") or "")
    if owner not in {person.person_id for person in await _answerers(request)}:
        return await _page(request, user, found, refusal=RefusedAct("UNKNOWN_PERSON", ""))
    came = await tried(TicketQueue(wiring.pool).assign(found.ticket_id, owner, user.id, wiring.now()))
    return await _moved(request, user, found, came, "assign")


async def seen_ticket(request: Request, user: User, ticket_id: str) -> TicketRow:
    """404: not there, or not in a shop or warehouse of theirs."""
    wiring, number = wiring_of(request), clean(ticket_id)
    found = await TicketStore(wiring.pool).get(number)
    if found is None or not await TicketPages(wiring.pool).sees(number, seen_by(user)):
        raise HTTPException(404)
    return found


def _seen(ticket_id: str, **query: str) -> Response:
    return RedirectResponse(f"/tickets/{quote(ticket_id)}?{urlencode(query)}", 303)


async def _moved(request: Request, user: User, found: TicketRow, came: RefusedAct | None, done: str) -> Response:
    if isinstance(came, RefusedAct):
        return await _page(request, user, await seen_ticket(request, user, found.ticket_id), refusal=came)
    return _seen(found.ticket_id, done=done)


async def _answerers(request: Request) -> Sequence[Any]:
    """To whom a ticket may be handed."""
    roles = set(AUTHORITY["order.resolve_ticket"].roles)
    wiring = wiring_of(request)
    return [p for p in await PeopleStore(wiring.pool).list(wiring.now()) if p.active and not roles.isdisjoint(p.roles)]


async def _page(
    request: Request,
    user: User,
    found: TicketRow,
    *,
    said: str | None = None,
    approval: str = "",
    refusal: RefusedAct | None = None,
    form: dict[str, str] | None = None,
) -> Response:
    queue = TicketQueue(wiring_of(request).pool)
    fields = result_fields(found.step) if "supply" in found.actions else None
    return render(
        request, "tickets/one.html", user, status=refusal.status if refusal else 200, ticket=found, said=said,
        approval=approval, refusal=refusal, form=form or {}, fields=fields, of_money=tells_of_money(found.step),
        story=await _story(queue, found), answerers=[p.person_id for p in await _answerers(request)],
        may={action: may_answer(user, found, action) for action in found.actions},
        is_answerer=user.holds(*ANSWERERS.roles), key=secrets.token_hex(8),
    )  # fmt: skip


async def _story(queue: TicketQueue, found: TicketRow) -> list[StoryEntry]:
    """The newest first."""
    told = [StoryEntry(found.opened_at, "", "opened")]
    for move in await queue.history(found.ticket_id):
        detail = str(move.detail.get("to") or "") if move.action in ("assign", "escalate") else ""
        told.append(StoryEntry(move.at, move.actor, move.action, detail))
    if found.resolved_at is not None:
        told.append(StoryEntry(found.resolved_at, found.resolved_by or "", found.action or "", found.remark or ""))
    return sorted(told, key=lambda entry: entry.at, reverse=True)
