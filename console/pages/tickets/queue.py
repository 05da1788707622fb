"""`/tickets`: the queue, by team; the loudest first, of these the oldest."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import TICKET_READERS
from console.pages.rendering import render
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from domain.access.teams import Team
from domain.tickets import SEVERITIES
from store.pool import clean
from store.tickets.pages import TicketFilter, TicketPages

router = APIRouter()
A_PAGE = 30
WHOSE = {"mine": N_("Mine"), "nobody": N_("Nobody's")}
AGES = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "1d": timedelta(days=1), "3d": timedelta(days=3)}
OLDER = {"1h": N_("1 hour"), "4h": N_("4 hours"), "1d": N_("1 day"), "3d": N_("3 days")}


@router.get("/tickets")
async def tickets(
    request: Request,
    user: Annotated[User, Depends(TICKET_READERS)],
    team: str = "",
    severity: str = "",
    whose: str = "",
    older: str = "",
    system: str = "",
    step: str = "",
    state: str = "",
    number: str = "",
    after: str = "",
) -> Response:
    wiring, language = wiring_of(request), language_of(request)
    known = (
        (team, set(Team)), (severity, set(SEVERITIES)), (whose, WHOSE), (older, AGES), (state, {"resolved"}),
    )  # fmt: skip
    if any(value and value not in among for value, among in known):
        raise HTTPException(400)
    seen = seen_by(user)
    wanted = TicketFilter(
        is_open=not state, team=Team(team) if team else None, severity=severity or None, system=clean(system) or None,
        step=clean(step) or None, owner=user.id if whose == "mine" else None,
        unowned=True if whose == "nobody" else None, opened_before=_before(wiring.now(), older),
        number=clean(number.strip()) or None, channels=seen.channels, warehouses=seen.warehouses,
    )  # fmt: skip
    pages = TicketPages(wiring.pool)
    try:
        page = await pages.page(wanted, A_PAGE, after or None)
    except ValueError:
        raise HTTPException(400) from None
    counts = await pages.by_team(seen)
    return render(
        request, "tickets/queue.html", user, page=page,
        teams=[(t.value, f"{language.word('team', t)} {counts.get(t, 0)}") for t in Team],
        severities=[(s, language.word("severity", s)) for s in reversed(SEVERITIES)],
        whose=[(value, language.say(text)) for value, text in WHOSE.items()],
        older=[(value, language.say(text)) for value, text in OLDER.items()],
        alike=await pages.alike(wanted) if not state else (),
    )  # fmt: skip


def seen_by(user: User) -> TicketFilter:
    return TicketFilter(channels=user.scope.channels, warehouses=user.scope.warehouses)


def _before(now: datetime, older: str) -> datetime | None:
    return now - AGES[older] if older else None
