"""`/automations/one`: one automation as a form, tried on past orders as it is, then asked for."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import AUTOMATION_EDITORS
from console.pages.controls.asking import asked
from console.pages.controls.policy_fields import Unreadable, duration, minor_of, seconds_of
from console.pages.rendering import render
from console.security.forms import read_form
from console.session.user import User
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.access.controls import PublishAutomations
from domain.access.desk import TryAutomation
from domain.automation.acts import HeldFor
from domain.automation.conditions import fault_of, fields_of
from domain.automation.model import MATRIX, Automation, AutomationBook, Trigger
from domain.strict import faults, of
from domain.tickets import SEVERITIES
from store.automation.books import BookStore
from store.automation.desk import AutomationDesk

router = APIRouter()
MOST_NUMBER = 10**9
DAYS = 30
EXAMPLE = "channel == 'douyin' and amount_minor > 50000"
ROLES = ("CS_SUPERVISOR", "ORDER_OPS", "FINANCE")
_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "hold": ("kind", "reason", "ends_after_s"), "release": ("of",), "carrier": ("carrier",),
    "refund": ("at_most_minor", "reason"), "tag": ("tag",), "note": ("text",), "assign": ("owner",),
    "notify": ("severity", "text"), "webhook": (), "approval": ("role", "question", "kind"), "refresh": (),
}  # fmt: skip


@router.get("/automations/one")
async def one(request: Request, user: Annotated[User, Depends(AUTOMATION_EDITORS)], id: str = "") -> Response:
    known = (await _book(request)).find(id) if id else None
    if id and known is None:
        raise HTTPException(404)
    return _form(request, user, _said_by(known) if known else {"enabled": "1", "on": "order_paid", "act": "hold"})


@router.post("/automations/try")
async def try_it(request: Request, user: Annotated[User, Depends(AUTOMATION_EDITORS)]) -> Response:
    """What it would have done; nothing is asked yet."""
    said = await _said(request)
    wanted = automation_of(said)
    if isinstance(wanted, RefusedAct):
        return _form(request, user, said, wanted)

    async def tested() -> Any:
        work = TryAutomation(automation=wanted, days=DAYS)
        return await (await user.desk()).do(work, secrets.randbelow(MOST_NUMBER), user.id)

    came = await tried(tested())
    if isinstance(came, RefusedAct):
        return _form(request, user, said, came)
    shown = came["would_do"] if user.scope.channels is None and user.scope.warehouses is None else []
    return render(
        request, "automation/tried.html", user, one=wanted, said=said, days=DAYS, looked_at=came["looked_at"],
        orders=len(came["would_do"]) + came["more"], would_do=shown,
    )  # fmt: skip


@router.post("/automations/ask")
async def ask(request: Request, user: Annotated[User, Depends(AUTOMATION_EDITORS)]) -> Response:
    said = await _said(request)
    wanted = automation_of(said)
    if isinstance(wanted, RefusedAct):
        return _form(request, user, said, wanted)
    return await _asked(request, user, (await _book(request)).with_one(wanted), said)


@router.post("/automations/remove")
async def remove(request: Request, user: Annotated[User, Depends(AUTOMATION_EDITORS)]) -> Response:
    said, book = await _said(request), await _book(request)
    left = book.without(said.get("id", ""))
    if left == book:
        raise HTTPException(404)
    return await _asked(request, user, left, said)


@router.post("/automations/again")
async def again(request: Request, user: Annotated[User, Depends(AUTOMATION_EDITORS)]) -> Response:
    """As they were, after they had been stopped; or, with `version`, as they were then."""
    said, book = await _said(request), await _book(request)
    number = said.get("version", "")
    if number.isascii() and number.isdigit() and len(number) < 9:
        then = await BookStore(wiring_of(request).pool).version("automations", int(number))
        if then is None:
            raise HTTPException(404)
        book = then.read(AutomationBook)
    elif not book.automations:  # there is nothing that could run again
        raise HTTPException(404)
    return await _asked(request, user, book, said)


async def _asked(request: Request, user: User, book: AutomationBook, said: Mapping[str, str]) -> Response:
    came = await asked(request, user, PublishAutomations(book=book.model_copy(update={"version": 0})))
    if isinstance(came, RefusedAct):
        return _form(request, user, said, came)
    return RedirectResponse(f"/automations?asked={came}", 303)


async def _book(request: Request) -> AutomationBook:
    return await AutomationDesk(wiring_of(request).pool).book()


async def _said(request: Request) -> dict[str, str]:
    form = await read_form(request)
    return {name: value.strip() for name, value in form.items() if isinstance(value, str)}


def automation_of(said: Mapping[str, str]) -> Automation | RefusedAct:
    """Of the fields of a form; those that its trigger or action has not are passed over."""
    try:
        plain = {
            "id": said.get("id", ""), "name": said.get("name", ""), "on": _moment(said),
            "condition": said.get("condition", ""), "do": _do(said), "enabled": said.get("enabled") == "1",
        }  # fmt: skip
        wanted = of(Automation, plain)
    except Unreadable as why:
        return RefusedAct("InvalidWork", why.name)
    except ValidationError as error:
        return RefusedAct("InvalidWork", faults(error))
    fault = fault_of(wanted)
    return RefusedAct("InvalidWork", fault) if fault else wanted


def _moment(said: Mapping[str, str]) -> dict[str, Any]:
    trigger = said.get("on", "")
    if trigger in ("child_waits", "waybill_silent"):
        return {"trigger": trigger, "after_s": seconds_of("after", said.get("after", ""))}
    if trigger == "deadline_near":
        at = said.get("at", "")
        return {"trigger": trigger, "at": at} if at else {
            "trigger": trigger, "before_s": seconds_of("before", said.get("before", "")),
        }  # fmt: skip
    return {"trigger": trigger}


def _do(said: Mapping[str, str]) -> dict[str, Any]:
    act = said.get("act", "")
    made: dict[str, Any] = {"act": act}
    for name in _PARAMETERS.get(act, ()):
        text = said.get(name, "")
        if name == "at_most_minor":
            made[name] = minor_of(name, text)
        elif name == "ends_after_s":
            made[name] = seconds_of(name, text) if text else None
        elif text or name != "of":
            made[name] = text
    return made


def _said_by(one: Automation) -> dict[str, str]:
    plain, on = one.do.model_dump(mode="json"), one.on
    said = {name: str(value) for name, value in plain.items() if value is not None}
    if "at_most_minor" in plain:
        said["at_most_minor"] = f"{plain['at_most_minor'] // 100}.{plain['at_most_minor'] % 100:02}"
    if plain.get("ends_after_s"):
        said["ends_after_s"] = duration(plain["ends_after_s"])
    return said | {
        "id": one.id, "name": one.name, "on": on.trigger, "condition": one.condition,
        "enabled": "1" if one.enabled else "", "after": duration(on.after_s) if on.after_s else "",
        "before": duration(on.before_s) if on.before_s else "", "at": on.at or "",
    }  # fmt: skip


def _form(request: Request, user: User, said: Mapping[str, str], refusal: RefusedAct | None = None) -> Response:
    return render(
        request, "automation/one.html", user, status=refusal.status if refusal else 200, refusal=refusal, said=said,
        triggers=[one.value for one in Trigger], acts=list(_PARAMETERS), matrix=MATRIX, roles=ROLES,
        severities=SEVERITIES, example=EXAMPLE, kinds=get_args(HeldFor),
        fields={one.value: ", ".join(fields_of(one)) for one in Trigger},
    )  # fmt: skip
