"""`/orders/{no}/return`: customer service applies for a buyer: units, why, pictures; what would come of it, live."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages.acting import ActRefused, insist_on_order, return_act
from console.pages.rendering import render
from console.security.access import Needs
from console.security.forms import read_form
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from domain.access.authority import AUTHORITY, BY_STAFF
from domain.returns.enums import REASONS, Fault, ReturnType
from domain.returns.models import MAX_EVIDENCE, Actor, ApplyReturn
from starter.clients.evidence import EvidenceRefused, StoredEvidence
from starter.clients.return_errors import ReturnRefused
from store.console.returns import ReturnableOrder, ReturnPages
from store.forms.judging import fields_asked, rules_of_order
from store.returns.quoting import QuotedReturn, quote_return

router = APIRouter()
APPLICANTS = Needs(*AUTHORITY[f"return.apply{BY_STAFF}"].roles)
WAYS = ("phone", "app", "pc", "mini_program", "chat")
"""Where the buyer asked: a label."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
UNITS = "qty:"
INSTEAD = "sku:"
ANSWER = "answer:"


@router.get("/orders/{order_no}/return")
async def form(request: Request, user: Annotated[User, Depends(APPLICANTS)], order_no: str) -> Response:
    await insist_on_order(request, user, order_no)
    return await _shown(request, user, await returnable(request, order_no), {"return_no": new_number(request)})


@router.post("/orders/{order_no}/return/quote")
async def quote(request: Request, user: Annotated[User, Depends(APPLICANTS)], order_no: str) -> Response:
    """The part of the page that says what would come of what is filled in."""
    await insist_on_order(request, user, order_no)
    order, given = await returnable(request, order_no), await read_form(request)
    application = application_of(order, given, _actor(order, user.id))
    quoted = None
    if application is not None:
        application = await as_asked(request, application)
        quoted = await quote_return(wiring_of(request).pool, application, wiring_of(request).now())
    return render(request, "_return_quote.html", user, quoted=quoted, refusals=told(request, quoted))


@router.post("/orders/{order_no}/return/pictures")
async def pictures(request: Request, user: Annotated[User, Depends(APPLICANTS)], order_no: str) -> Response:
    """Dropped or pasted ones, before the form is sent: what the form then carries."""
    await insist_on_order(request, user, order_no)
    order, given = await returnable(request, order_no), await read_form(request)
    stored, refused = await take_pictures(request, order, given, _actor(order, user.id))
    return render(
        request, "_pictures.html", user, stored=stored, refused=refused, return_no=str(given.get("return_no", "")),
        status=200 if stored or not refused else 422,
    )  # fmt: skip


@router.post("/orders/{order_no}/return")
async def apply(request: Request, user: Annotated[User, Depends(APPLICANTS)], order_no: str) -> Response:
    await insist_on_order(request, user, order_no)
    order, given = await returnable(request, order_no), await read_form(request)
    stored, refused = await take_pictures(request, order, given, _actor(order, user.id))
    more = [one.evidence_id for one in stored]
    application = application_of(order, given, _actor(order, user.id), more)
    if application is None or refused:
        said = refused or [language_of(request).say(N_("Say which units are sent back, and why."))]
        return await _shown(request, user, order, kept_of(given, more), said, 422)
    application = await as_asked(request, application)
    try:
        await return_act(request, user, lambda client: client.apply(application))
    except ReturnRefused as why:
        said = reasons_of(request, why)
        # What was refused has failed, so it may be asked again under the number that its pictures have.
        return await _shown(request, user, order, kept_of(given, more), said, 422)
    except ActRefused as why:
        if why.status == 409:  # sent twice: the first one is there
            return RedirectResponse(f"/returns/{application.return_no}", 303)
        return await _shown(request, user, order, kept_of(given, more), [why.said], why.status)
    return RedirectResponse(f"/returns/{application.return_no}?said=applied", 303)


def new_number(request: Request) -> str:
    """Of a return, taken before it is applied for: its pictures are stored under it."""
    chance = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"RT{wiring_of(request).now():%y%m%d}{chance}"


async def take_pictures(
    request: Request, order: ReturnableOrder, given: FormData, actor: Actor
) -> tuple[list[StoredEvidence], list[str]]:
    """Those of the field `pictures`; and, in words, why one was not taken."""
    wiring, language = wiring_of(request), language_of(request)
    stored: list[StoredEvidence] = []
    files = [one for one in given.getlist("pictures") if isinstance(one, UploadFile) and one.filename]
    if files and wiring.pictures is None:
        return [], [language.word("picture", "AWAY")]
    for one in files[:MAX_EVIDENCE]:
        assert wiring.pictures is not None
        try:
            stored.append(
                await wiring.pictures.add(
                    str(given.get("return_no", "")), order.order["order_no"], actor, await one.read(), wiring.now()
                )
            )
        except EvidenceRefused as why:
            return stored, [language.word("picture", why.code)]
    return stored, []


async def returnable(request: Request, order_no: str) -> ReturnableOrder:
    order = await ReturnPages(wiring_of(request).pool).returnable(order_no)
    if order is None:
        raise HTTPException(404)
    return order


def _actor(order: ReturnableOrder, person: str) -> Actor:
    return Actor(kind="cs_agent", id=person, on_behalf_of=order.order["buyer_id"])


def application_of(
    order: ReturnableOrder, given: FormData, actor: Actor, more: list[str] | None = None
) -> ApplyReturn | None:
    """None: something is not filled in yet."""
    try:
        return ApplyReturn.model_validate({**filled_in(order, given, more or []), "actor": actor}, strict=False)
    except ValidationError:
        return None


async def as_asked(request: Request, application: ApplyReturn) -> ApplyReturn:
    """Without answers to what the form does not ask of this very application: a page shows the fields of all kinds."""
    if not application.answers:
        return application
    asked = await fields_asked(wiring_of(request).pool, application)
    kept = {name: said for name, said in application.answers.items() if name in asked}
    return application.model_copy(update={"answers": kept})


def filled_in(order: ReturnableOrder, given: FormData, more: list[str]) -> dict[str, Any]:
    """Fields of an application, as the form has them."""
    lines = {line["line_id"]: _number(given.get(UNITS + line["line_id"])) for line in order.lines}
    kind = str(given.get("type", ""))
    instead = {line: str(given.get(INSTEAD + line) or "").strip() for line, n in lines.items() if n}
    exchanged = kind in (ReturnType.EXCHANGE, ReturnType.WARRANTY_REPLACEMENT)
    return {
        "return_no": str(given.get("return_no", "")), "order_no": order.order["order_no"], "type": kind,
        "channel": str(given.get("channel", "")), "lines": {line: n for line, n in lines.items() if n},
        "reason": str(given.get("reason", "")), "fault": str(given.get("fault", "none")),
        "description": str(given.get("description") or "").strip() or None,
        "answers": {
            name.removeprefix(ANSWER): text for name, value in given.items()
            if name.startswith(ANSWER) and isinstance(value, str) and (text := value.strip())
        },
        "evidence": tuple(dict.fromkeys([*(str(e) for e in given.getlist("evidence")), *more])),
        "replacements": {line: sku for line, sku in instead.items() if sku} if exchanged else {},
    }  # fmt: skip


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 7 else 0


def kept_of(given: FormData, more: list[str]) -> dict[str, Any]:
    """What was filled in, to be shown again."""
    kept: dict[str, Any] = {name: value for name, value in given.items() if isinstance(value, str)}
    return {**kept, "evidence": [*(str(e) for e in given.getlist("evidence")), *more]}


def reasons_of(request: Request, why: ReturnRefused) -> list[str]:
    """Every one, in the reader's language."""
    text = f"text_{language_of(request).code}"
    return [str(one.get(text, one.get("code"))) for one in why.reasons] or [str(why)]


def told(request: Request, quoted: QuotedReturn | None) -> list[str]:
    zh = language_of(request).code == "zh"
    return [r.text_zh if zh else r.text_en for r in quoted.refusals] if quoted else []


async def _shown(
    request: Request, user: User, order: ReturnableOrder, given: Mapping[str, Any],
    said: list[str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    language = language_of(request)
    return render(
        request, "return_apply.html", user, status=status, order=order.order, lines=order.lines, given=given,
        said=said or [], most=MAX_EVIDENCE, units=UNITS, instead=INSTEAD,
        types=[(one.value, language.word("return_type", one)) for one in ReturnType],
        reasons=[(one.value, language.reason(one)) for one in REASONS],
        faults=[(one.value, language.word("fault", one)) for one in Fault],
        ways=[(one, language.word("way", one)) for one in WAYS],
        rules=await rules_of_order(wiring_of(request).pool, order.order["order_no"]), answer=ANSWER,
    )  # fmt: skip
