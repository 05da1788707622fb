"""`/approvals/{id}`: one question with all that helps to decide it: money, goods, pictures of both sides, history."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.pages.approvals.deciding import DONE
from console.pages.approvals.queue import concerns
from console.pages.rendering import render
from console.security.access import STAFF, refuse
from console.session.user import User
from console.text.language import PageLanguage, language_of
from console.wiring import wiring_of
from domain.approvals import Allowed, may_decide
from store.console.approvals import ApprovalContext, ApprovalPages

router = APIRouter()
SHOWN_APART = frozenset({"looser", "units", "money", "evidence", "not_stopped", "currency", "return_no", "order_no"})
"""Of a return's question; of any other only what becomes looser is."""


@router.get("/approvals/{approval_id:path}")
async def approval(
    request: Request, user: Annotated[User, Depends(STAFF)], approval_id: str, said: str = ""
) -> Response:
    wiring = wiring_of(request)
    found = await ApprovalPages(wiring.pool).context(approval_id, user.scope)
    if found is None:
        raise HTTPException(404)
    if not found.seen:
        await refuse(request, user, "OUT_OF_SCOPE")
    if not concerns(found.approval, user):
        await refuse(request, user, "WRONG_ROLE", [found.approval.request.role])
    question = found.approval.request
    verdict = may_decide(question, user.session.person, wiring.now())
    evidence = question.content.get("evidence") if found.case else ()
    return render(
        request, "approval.html", user, found=found, approval=found.approval, question=question, said=said, done=DONE,
        may=isinstance(verdict, Allowed), verdict=verdict, facts=list(_facts(found, language_of(request))),
        looser=question.content.get("looser"), goods=_goods(found), not_stopped=_not_stopped(found),
        theirs=[p for p in found.pictures if p.evidence_id in (evidence or ())],
        ours=[p for p in found.pictures if p.purpose == "inspection"],
        grades=_grades(found),
    )  # fmt: skip


def _facts(found: ApprovalContext, language: PageLanguage) -> Iterator[tuple[str, str]]:
    """The content, a line each, in words where there are some; nothing of it is left out."""
    content = found.approval.request.content
    apart = SHOWN_APART if found.case else {"looser"}
    currency = str(content.get("currency", "CNY"))
    for name, value in content.items():
        if name not in apart:
            yield from _rows(name, value, currency, language)


def _rows(name: str, value: Any, currency: str, language: PageLanguage, where: str = "") -> Iterator[tuple[str, str]]:
    label = where + language.word("content", name)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _rows(str(key), inner, currency, language, f"{label} · ")
    elif isinstance(value, list | tuple) and any(isinstance(inner, Mapping | list) for inner in value):
        for n, inner in enumerate(value, 1):
            yield from _rows(str(n), inner, currency, language, f"{label} ")
    elif isinstance(value, list | tuple):
        yield label, ", ".join(map(str, value))
    elif name.endswith("_minor") and isinstance(value, int):
        yield label, language.money(value, currency)
    elif value not in (None, ""):
        yield label, _value(name, value, language)


def _value(name: str, value: Any, language: PageLanguage) -> str:
    if name == "reason":
        return language.reason(str(value))
    kind = {"type": "return_type", "fault": "fault", "role": "role", "payee": "payee"}.get(name)
    return language.word(kind, value) if kind else str(value)


def _goods(found: ApprovalContext) -> list[dict[str, Any]]:
    """Lines of a return's question, with names and what each pays."""
    if found.case is None:
        return []
    return [
        {**money, "name": line.get("name") or line.get("sku", ""), "sku": line.get("sku", "")}
        for money in found.approval.request.content.get("money", ())
        for line in (found.lines.get(money["line_id"], {}),)
    ]


def _not_stopped(found: ApprovalContext) -> list[tuple[str, int]]:
    """What the warehouse could not stop: it is on its way to the buyer although money goes back."""
    units = found.approval.request.content.get("not_stopped") or {}
    return [(str(found.lines.get(line, {}).get("name") or line), n) for line, n in units.items()]


def _grades(found: ApprovalContext) -> list[tuple[str, int]]:
    counted: dict[str, int] = {}
    for unit in found.case.units if found.case else ():
        if unit.grade is not None:
            counted[unit.grade.value] = counted.get(unit.grade.value, 0) + 1
    return list(counted.items())
