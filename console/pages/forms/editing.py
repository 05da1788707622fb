"""`/forms`: what an after-sales application has to say, by goods and type: looked at, then asked for."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import FORM_EDITORS
from console.pages.controls.asking import asked
from console.pages.forms.reading import rule_of, said_by, slips_of
from console.pages.rendering import render
from console.pages.returns.applying import ANSWER
from console.security.forms import read_form
from console.session.user import User
from console.text.language import language_of
from console.text.refusals import RefusedAct
from console.wiring import wiring_of
from domain.access.controls import PublishForms
from domain.returns.enums import REASONS, ReturnType
from domain.returns.forms import FormBook, FormRule
from store.approvals.approvals import ApprovalStore
from store.automation.books import BookStore

router = APIRouter()
SEVERAL = ("types", "reasons", "pictures_for")


@router.get("/forms")
async def forms(request: Request, user: Annotated[User, Depends(FORM_EDITORS)], asked: str = "") -> Response:
    return await _list(request, user, asked_no=asked[:100])


@router.get("/forms/rule")
async def rule(request: Request, user: Annotated[User, Depends(FORM_EDITORS)], id: str = "") -> Response:
    known = next((one for one in (await _book(request)).rules if one.id == id), None)
    if id and known is None:
        raise HTTPException(404)
    if known is None:
        return _form(request, user, {"without_reason": "1", "pictures": "0"}, {})
    several = {"types": known.types, "reasons": known.reasons or (), "pictures_for": known.pictures_for}
    return _form(request, user, said_by(known), {name: list(map(str, values)) for name, values in several.items()})


@router.post("/forms/look")
async def look(request: Request, user: Annotated[User, Depends(FORM_EDITORS)]) -> Response:
    """As the buyer will see it; nothing is asked yet."""
    said, chosen = await _said(request)
    wanted = rule_of(said, chosen)
    return _form(request, user, said, chosen, wanted)


@router.post("/forms/ask")
async def ask(request: Request, user: Annotated[User, Depends(FORM_EDITORS)]) -> Response:
    """One rule added, changed or taken away; or the numbers of slips."""
    said, chosen = await _said(request)
    book, what = await _book(request), said.get("what", "rule")
    if what == "slips":
        slips = slips_of(said)
        if isinstance(slips, RefusedAct):
            return await _list(request, user, slips)
        wanted = book.model_copy(update={"slips": slips})
    elif what == "remove":
        wanted = book.model_copy(update={"rules": tuple(r for r in book.rules if r.id != said.get("id"))})
    else:
        new = rule_of(said, chosen)
        if isinstance(new, RefusedAct):
            return _form(request, user, said, chosen, new)
        wanted = _with(book, new)
    came = await asked(request, user, PublishForms(book=wanted.model_copy(update={"version": 0})))
    if isinstance(came, RefusedAct):
        return await _list(request, user, came)
    return RedirectResponse(f"/forms?asked={came}", 303)


@router.post("/forms/again")
async def again(request: Request, user: Annotated[User, Depends(FORM_EDITORS)]) -> Response:
    """An earlier version."""
    said, _ = await _said(request)
    number = said.get("version", "")
    plain = number.isascii() and number.isdigit() and len(number) < 9
    then = await BookStore(wiring_of(request).pool).version("forms", int(number)) if plain else None
    if then is None:
        raise HTTPException(404)
    book = then.read(FormBook).model_copy(update={"version": 0})
    came = await asked(request, user, PublishForms(book=book))
    if isinstance(came, RefusedAct):
        return await _list(request, user, came)
    return RedirectResponse(f"/forms?asked={came}", 303)


def _with(book: FormBook, new: FormRule) -> FormBook:
    if all(one.id != new.id for one in book.rules):
        return book.model_copy(update={"rules": (*book.rules, new)})
    return book.model_copy(update={"rules": tuple(new if one.id == new.id else one for one in book.rules)})


async def _book(request: Request) -> FormBook:
    found = await BookStore(wiring_of(request).pool).newest("forms")
    return FormBook() if found is None else found.read(FormBook)


async def _said(request: Request) -> tuple[dict[str, str], dict[str, list[str]]]:
    form = await read_form(request)
    said = {name: value.strip() for name, value in form.items() if isinstance(value, str) and name not in SEVERAL}
    return said, {name: [str(value) for value in form.getlist(name)] for name in SEVERAL}


async def _list(request: Request, user: User, refusal: RefusedAct | None = None, *, asked_no: str = "") -> Response:
    pool = wiring_of(request).pool
    return render(
        request, "forms/list.html", user, status=refusal.status if refusal else 200, refusal=refusal,
        book=await _book(request), versions=await BookStore(pool).history("forms"), asked_no=asked_no,
        questions=await ApprovalStore(pool).list(subject="forms"),
    )  # fmt: skip


def _form(
    request: Request, user: User, said: Mapping[str, str], chosen: Mapping[str, list[str]],
    wanted: FormRule | RefusedAct | None = None,
) -> Response:  # fmt: skip
    language = language_of(request)
    refusal = wanted if isinstance(wanted, RefusedAct) else None
    return render(
        request, "forms/rule.html", user, status=refusal.status if refusal else 200, refusal=refusal, said=said,
        chosen=chosen, preview=wanted if isinstance(wanted, FormRule) else None, answer=ANSWER,
        types=[(one.value, language.word("return_type", one)) for one in ReturnType],
        reasons=[(one.value, language.reason(one)) for one in REASONS],
    )  # fmt: skip
