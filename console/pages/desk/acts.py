"""What the return desk does: receives, grades a unit, ends an inspection, checks and labels what goes out."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages.acting import ActRefused, field, message, return_act
from console.pages.desk.scanning import DESK, case_of, code_of, there
from console.pages.rendering import render
from console.security.forms import read_form
from console.session.user import User
from console.text.language import language_of
from console.wiring import wiring_of
from domain.returns.enums import Grade
from domain.returns.models import Actor
from starter.clients.evidence import EvidenceRefused, StoredEvidence
from starter.clients.returns import ReturnClient
from store.returns.errors import TooManyGuesses, UnknownCode
from workflows.returns.messages import CheckOutbound, FinishInspection, PrintLabel, ReceiveReturn, ScanUnit

router = APIRouter()
Act = Callable[[ReturnClient, str, str], Awaitable[str]]
"""With the number of the case and its own code; its answer is what the desk shows."""


@router.post("/desk/{code}/receive")
async def receive(request: Request, user: Annotated[User, Depends(DESK)], code: str) -> Response:
    async def act(client: ReturnClient, number: str, own: str) -> str:
        await client.receive(number, ReceiveReturn(by=user.id, code=own))
        return "RECEIVED"

    return await _answered(request, user, code, act)


@router.post("/desk/{code}/scan")
async def scan(request: Request, user: Annotated[User, Depends(DESK)], code: str) -> Response:
    """One unit, by the key of its grade."""
    given = await read_form(request)
    grade = str(given.get("grade", ""))
    if grade not in set(Grade):
        raise HTTPException(400)
    photos = tuple(str(one) for one in given.getlist("evidence"))

    async def act(client: ReturnClient, number: str, own: str) -> str:
        unit = message(
            request, ScanUnit, scan_id=str(given.get("scan_id", "")), by=user.id, code=own, grade=Grade(grade),
            sku=str(given.get("sku", "")) or None, photos=() if grade == Grade.GOOD else photos[:9],
        )  # fmt: skip
        return (await client.scan(number, unit)).result

    return await _answered(request, user, code, act)


@router.post("/desk/{code}/finish")
async def finish(request: Request, user: Annotated[User, Depends(DESK)], code: str) -> Response:
    """Nothing more came: what is missing a supervisor decides about."""

    async def act(client: ReturnClient, number: str, _own: str) -> str:
        remark = await field(request, "remark")
        await client.finish_inspection(number, message(request, FinishInspection, by=user.id, remark=remark))
        return "FINISHED"

    return await _answered(request, user, code, act)


@router.post("/desk/{code}/check")
async def check(request: Request, user: Annotated[User, Depends(DESK)], code: str) -> Response:
    """The replacement on its way out: only a passed check lets its label print."""
    passed = await field(request, "passed") == "1"

    async def act(client: ReturnClient, number: str, _own: str) -> str:
        remark = await field(request, "remark")
        await client.check_outbound(number, message(request, CheckOutbound, by=user.id, passed=passed, remark=remark))
        return "PASSED" if passed else "FAILED"

    return await _answered(request, user, code, act)


@router.post("/desk/{code}/label")
async def label(request: Request, user: Annotated[User, Depends(DESK)], code: str) -> Response:
    async def act(client: ReturnClient, number: str, _own: str) -> str:
        answer = await client.print_label(number, PrintLabel(by=user.id))
        return f"{answer.result} {answer.waybill_no or ''}".strip()

    return await _answered(request, user, code, act)


@router.post("/desk/{code}/pictures")
async def pictures(request: Request, user: Annotated[User, Depends(DESK)], code: str) -> Response:
    """Of the unit in hand: what the form of its grade then carries."""
    wiring, language = wiring_of(request), language_of(request)
    given = await read_form(request)
    stored: list[StoredEvidence] = []
    refused: list[str] = []
    return_no = ""
    try:
        found, _ = await case_of(request, user, code)
        return_no, order_no, actor = found.case.return_no, found.case.order_no, Actor(kind="cs_agent", id=user.id)
        for one in given.getlist("pictures"):
            if isinstance(one, UploadFile) and wiring.pictures is not None:
                content = await one.read()
                added = wiring.pictures.add(return_no, order_no, actor, content, wiring.now(), "inspection")
                stored.append(await added)
    except (UnknownCode, TooManyGuesses) as why:
        refused.append(language.word("desk", code_of(why)))
    except EvidenceRefused as why:
        refused.append(language.word("picture", why.code))
    return render(request, "_pictures.html", user, stored=stored, refused=refused, return_no=return_no)


async def _answered(request: Request, user: User, code: str, act: Act) -> Response:
    try:
        found, own = await case_of(request, user, code)
    except (UnknownCode, TooManyGuesses) as why:
        return RedirectResponse(f"/desk?said={code_of(why)}", 303)
    try:
        said, _, about = (await return_act(request, user, lambda c: act(c, found.case.return_no, own))).partition(" ")
    except ActRefused as why:
        # Every refusal is an answer at the desk: red, in words, the field ready for the next scan.
        said, about = why.code or "REFUSED", why.said
    return RedirectResponse(there(code, said=said, about=about) if about else there(code, said=said), 303)
