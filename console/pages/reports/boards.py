"""`/reports/boards`: measures of the newest report as somebody has arranged them, shared with roles (R70)."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import REPORT_READERS
from console.pages.problems import problem
from console.pages.rendering import render
from console.pages.reports.for_all import insist_on_all
from console.security.forms import read_form
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.text.report_figures import in_words, shown
from console.wiring import wiring_of
from domain.insight.definitions import BY_KEY, MEASURES
from domain.insight.health import HealthReport
from store.console.boards import LONGEST_NAME, Board, ReportBoards
from store.insight.reports import KeptReport, newest_and_before
from store.pool import clean

router = APIRouter()
SHARED_WITH = tuple(role.value for role in REPORT_READERS.roles)
"""Who may read reports at all."""


@router.get("/reports/boards")
async def boards(request: Request, user: Annotated[User, Depends(REPORT_READERS)], name: str = "") -> Response:
    """`name`: which one; without it the first that this person sees."""
    await insist_on_all(request, user)
    wiring, language = wiring_of(request), language_of(request)
    seen = await ReportBoards(wiring.pool).visible(user.id, [role.value for role in user.roles])
    if name and name not in {board.name for board in seen}:
        raise HTTPException(404)
    board = next((one for one in seen if one.name == name), seen[0] if seen else None)
    kept, before = await newest_and_before(wiring.pool)
    figures = {one.key: one for one in shown(language, _read(kept), _read(before))}
    return render(
        request, "reports/boards.html", user, boards=seen, board=board, kept=kept,
        figures=[figures[key] for key in (board.measures if board else ()) if key in figures],
        measures=[(one.key, in_words(language, one.name)) for one in MEASURES], roles=SHARED_WITH,
    )  # fmt: skip


@router.post("/reports/boards")
async def save(request: Request, user: Annotated[User, Depends(REPORT_READERS)]) -> Response:
    """`at:{measure}`: its place; empty: it is not on the board. Of one's own name it is saved anew."""
    await insist_on_all(request, user)
    wiring, language, form = wiring_of(request), language_of(request), await read_form(request)
    name = clean(str(form.get("name", "")))[:LONGEST_NAME].strip()
    places = {key: str(form.get(f"at:{key}", "")).strip() for key in BY_KEY}
    chosen = [key for key, place in places.items() if place]
    if not name or not chosen or not all(places[key].isascii() and places[key].isdigit() for key in chosen):
        said = N_("A board has a name, and measures with the number of their place.")
        return problem(request, 422, language.say(said), user)
    arranged = tuple(sorted(chosen, key=lambda key: int(places[key][:6])))
    roles = tuple(role for role in SHARED_WITH if role in form.getlist("role"))
    if not await ReportBoards(wiring.pool).save(Board(name, arranged, roles, user.id), wiring.now()):
        said = N_("This board is another person's, or there are too many: choose another name, or remove one.")
        return problem(request, 409, language.say(said), user)
    return RedirectResponse(f"/reports/boards?{urlencode({'name': name})}", 303)


@router.post("/reports/boards/forget")
async def forget(request: Request, user: Annotated[User, Depends(REPORT_READERS)]) -> Response:
    await insist_on_all(request, user)
    form = await read_form(request)
    await ReportBoards(wiring_of(request).pool).forget(clean(str(form.get("name", ""))), user.id)
    return RedirectResponse("/reports/boards", 303)


def _read(kept: KeptReport | None) -> HealthReport | None:
    return None if kept is None else HealthReport.model_validate_json(kept.text)
