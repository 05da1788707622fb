"""`/people`: who there is, what each may do and see, who stands in; each change is asked for, another one decides."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import PEOPLE_KEEPERS
from console.pages.acting import ActRefused, message
from console.pages.controls.asking import asked
from console.pages.rendering import render
from console.security.forms import read_form
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import CHINA, language_of
from console.text.refusals import RefusedAct
from console.wiring import wiring_of
from domain.access.controls import (
    AddPerson,
    ControlChange,
    DelegateRoles,
    EndDelegation,
    RevokeApiToken,
    SetActive,
    SetRole,
    SetScope,
)
from domain.approvals import Role
from store.approvals.approvals import ApprovalStore
from store.console.people import PeoplePages
from store.pool import clean

router = APIRouter()
GIVEN = tuple(role for role in Role if role is not Role.SERVICE)
"""Roles of people."""


@router.get("/people")
async def people(
    request: Request, user: Annotated[User, Depends(PEOPLE_KEEPERS)], asked: str = "", done: str = ""
) -> Response:
    return await _list(request, user, asked_no=asked, done=bool(done))


@router.get("/people/person")
async def person(
    request: Request, user: Annotated[User, Depends(PEOPLE_KEEPERS)], id: str = "", asked: str = "", done: str = ""
) -> Response:
    return await _person(request, user, id, asked_no=asked, done=bool(done))


@router.post("/people/change")
async def change(request: Request, user: Annotated[User, Depends(PEOPLE_KEEPERS)]) -> Response:
    form = await read_form(request)
    about = str(form.get("about") or "").strip()
    make = CHANGES.get(str(form.get("kind")))
    if make is None:
        raise HTTPException(400)
    try:
        wanted = make(request, form)
    except ActRefused as why:
        return await _back(request, user, about, RefusedAct("InvalidWork", why.said))
    came = await asked(request, user, wanted)
    if isinstance(came, RefusedAct):
        return await _back(request, user, about, came)
    query = {"id": about, **({"asked": came} if came else {"done": "1"})}
    return RedirectResponse(f"/people/person?{urlencode(query)}" if about else f"/people?{urlencode(query)}", 303)


async def _back(request: Request, user: User, about: str, refusal: RefusedAct) -> Response:
    if about:
        return await _person(request, user, about, refusal)
    return await _list(request, user, refusal)


async def _list(
    request: Request, user: User, refusal: RefusedAct | None = None, asked_no: str = "", done: bool = False
) -> Response:
    pages, now = PeoplePages(wiring_of(request).pool), wiring_of(request).now()
    return render(
        request, "controls/people.html", user, status=refusal.status if refusal else 200, refusal=refusal,
        people=await pages.everybody(now), scopes=await pages.scopes(), stand_ins=await pages.stand_ins(now),
        tokens=await pages.tokens(now), roles=GIVEN, asked_no=asked_no[:100], done=_done(done),
    )  # fmt: skip


async def _person(
    request: Request, user: User, number: str, refusal: RefusedAct | None = None, asked_no: str = "", done: bool = False
) -> Response:
    pool, now, number = wiring_of(request).pool, wiring_of(request).now(), clean(number)
    pages = PeoplePages(pool)
    found = await pages.person(number, now)
    if found is None:
        raise HTTPException(404)
    questions = await ApprovalStore(pool).list(subject=f"people/{number}")
    return render(
        request, "controls/person.html", user, status=refusal.status if refusal else 200, refusal=refusal, person=found,
        scope=(await pages.scopes(number)).get(number, {"channel": (), "warehouse": ()}), roles=GIVEN,
        stand_ins=await pages.stand_ins(now, number), questions=questions, asked_no=asked_no[:100], done=_done(done),
        others=[one.person_id for one in await pages.everybody(now) if one.active and one.person_id != number],
    )  # fmt: skip


def _done(done: bool) -> str:
    return N_("It is done: it only takes power away, so one administrator is enough.") if done else ""


def _text(form: FormData, name: str) -> str:
    return str(form.get(name) or "").strip()


def _names(form: FormData, name: str) -> tuple[str, ...]:
    """As people write lists: commas of both kinds, spaces, lines."""
    text = _text(form, name)
    for mark in "，、;；\n":
        text = text.replace(mark, ",")
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _role(request: Request, text: str) -> Role:
    """Raises `ActRefused`."""
    if text not in set(GIVEN):
        raise ActRefused(422, language_of(request).word("content", "role"))
    return Role(text)


def _add(request: Request, form: FormData) -> ControlChange:
    roles = tuple(_role(request, str(one)) for one in form.getlist("role"))
    return message(request, AddPerson, person_id=_text(form, "person_id"), roles=roles)


def _set_role(request: Request, form: FormData) -> ControlChange:
    role = _role(request, _text(form, "role"))
    return message(request, SetRole, person_id=_text(form, "about"), role=role, held=_text(form, "held") == "1")


def _set_active(request: Request, form: FormData) -> ControlChange:
    return message(request, SetActive, person_id=_text(form, "about"), active=_text(form, "active") == "1")


def _set_scope(request: Request, form: FormData) -> ControlChange:
    return message(
        request, SetScope, person_id=_text(form, "about"), channels=_names(form, "channels"),
        warehouses=_names(form, "warehouses"),
    )  # fmt: skip


def _delegate(request: Request, form: FormData) -> ControlChange:
    try:
        until = datetime.fromisoformat(_text(form, "until")).replace(tzinfo=CHINA)
    except ValueError:
        raise ActRefused(422, language_of(request).word("content", "until")) from None
    return message(
        request, DelegateRoles, delegator=_text(form, "about"), delegate=_text(form, "delegate"), until=until
    )  # fmt: skip


def _end(request: Request, form: FormData) -> ControlChange:
    return message(request, EndDelegation, delegator=_text(form, "delegator"), delegate=_text(form, "delegate"))


def _revoke(request: Request, form: FormData) -> ControlChange:
    return message(request, RevokeApiToken, service=_text(form, "service"), token_no=_text(form, "token_no"))


CHANGES: Mapping[str, Callable[[Request, FormData], ControlChange]] = {
    "add_person": _add, "set_role": _set_role, "set_active": _set_active, "set_scope": _set_scope,
    "delegate_roles": _delegate, "end_delegation": _end, "revoke_api_token": _revoke,
}  # fmt: skip
