"""`/returns/{no}`: one case for all roles: whose turn it is, money, units, pictures, decisions, its story."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import RETURN_READERS
from console.pages.rendering import render
from console.pages.returns.choices import choices_of
from console.security.access import refuse
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import PageLanguage, language_of
from console.wiring import wiring_of
from domain.returns.enums import GOODS_COME_BACK
from domain.returns.models import TimelineLine
from store.console.returns import ReturnContext, ReturnPages

router = APIRouter()
DONE = {
    "applied": N_("The return is applied for. It goes on by itself from here."),
    "cancelled": N_("The application is taken back."),
    "waybill": N_("The waybill belongs to this return now."),
    "lowered": N_("The amount is lowered; everybody who had agreed is asked again."),
    "disputed": N_("A supervisor decides about it."),
}


@router.get("/returns/{return_no}")
async def case(
    request: Request, user: Annotated[User, Depends(RETURN_READERS)], return_no: str, said: str = ""
) -> Response:
    wiring = wiring_of(request)
    found = await ReturnPages(wiring.pool).context(return_no, user.scope)
    if found is None:
        raise HTTPException(404)
    if not found.seen:
        await refuse(request, user, "OUT_OF_SCOPE")
    named = set(found.case.evidence)
    return render(
        request, "return.html", user, found=found, case=found.case, said=said, done=DONE,
        choices=choices_of(found, user), story=list(_story(found.case.timeline, language_of(request))),
        theirs=[p for p in found.pictures if p.evidence_id in named],
        ours=[p for p in found.pictures if p.purpose == "inspection"],
        goods_come_back=found.case.type in GOODS_COME_BACK, units=_units(found),
    )  # fmt: skip


def _units(found: ReturnContext) -> list[dict[str, Any]]:
    """By line and state, most of them alike: one row for each kind of fate, however many units share it."""
    counted: dict[tuple[str, str, str, str], int] = {}
    for unit in found.case.units:
        key = (unit.line_id, unit.reception.value, unit.acceptance.value, unit.grade.value if unit.grade else "")
        counted[key] = counted.get(key, 0) + 1
    return [
        {
            "name": found.lines.get(line, {}).get("name") or found.lines.get(line, {}).get("sku", line),
            "reception": reception, "acceptance": acceptance, "grade": grade, "n": n,
        }
        for (line, reception, acceptance, grade), n in counted.items()
    ]  # fmt: skip


def _story(timeline: tuple[TimelineLine, ...], language: PageLanguage) -> Iterator[dict[str, Any]]:
    """Newest first."""
    for line in reversed(timeline):
        detail = ", ".join(_detail(line.detail, language))
        yield {"line": line, "what": _what(line.action, language), "detail": detail}


def _what(action: str, language: PageLanguage) -> str:
    """An action in words; one about an approval is its kind and what was decided."""
    kind, _, verdict = action.rpartition(" ")
    if verdict in ("approve", "reject") and kind:
        state = {"approve": "approved", "reject": "rejected"}[verdict]
        return f"{language.word('approval', kind)}: {language.word('approval_state', state)}"
    return language.word("return_action", action)


def _detail(detail: Mapping[str, Any], language: PageLanguage) -> Iterator[str]:
    for name, value in detail.items():
        if value in ("", None) or name in ("return_no", "lines", "on_behalf_of", "type"):
            continue
        if name.endswith("_minor") and isinstance(value, int):
            yield language.money(value)
        elif name == "grade":
            yield language.word("grade", value)
        elif name == "reason":
            yield language.reason(str(value))
        elif name == "result":
            yield language.word("scan", value)
        elif isinstance(value, str):
            yield value
