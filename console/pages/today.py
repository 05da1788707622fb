"""`/`: what waits for people, how long already; one click to each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import MENU
from console.pages.rendering import render
from console.security.access import STAFF
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import PageLanguage, language_of
from console.wiring import wiring_of
from domain.approvals import Role
from store.console.today import TodayCounts, WaitingCount, count_today

router = APIRouter()
R = Role


@dataclass(frozen=True)
class Tile:
    """`urgent`: shown red: it waits for this person's kind of work, and cannot go on without."""

    text: str
    icon: str
    waiting: WaitingCount
    href: str | None
    urgent: bool = False
    parts: tuple[tuple[str, int], ...] = ()


@router.get("/")
async def today(request: Request, user: Annotated[User, Depends(STAFF)]) -> Response:
    return render(request, "today.html", user, tiles=await _tiles(request, user))


@router.get("/today/tiles")
async def tiles(request: Request, user: Annotated[User, Depends(STAFF)]) -> Response:
    return render(request, "_tiles.html", user, tiles=await _tiles(request, user))


async def _tiles(request: Request, user: User) -> list[Tile]:
    wiring, language = wiring_of(request), language_of(request)
    counts = await count_today(wiring.pool, user.scope, wiring.now())
    return list(_shown(counts, user, language))


def _shown(counts: TodayCounts, user: User, language: PageLanguage) -> Iterable[Tile]:
    tickets = counts.of("tickets", "urgent", "normal")
    urgent = counts.of("tickets", "urgent").n > 0
    severities = [(language.word("severity", part), w.n) for part, w in counts.by_part("tickets").items()]
    yield Tile(N_("Open tickets"), "ticket", tickets, _to(user, "/tickets"), urgent, tuple(severities))
    yield _approvals(counts, user, language)
    if user.holds(R.CS_AGENT, R.CS_SUPERVISOR, R.ORDER_OPS, R.WAREHOUSE):
        late = counts.of("late")
        yield Tile(
            N_("Late shipping"), "truck-delivery", late, _to(user, "/orders", "?only=late"),
            urgent=late.n > 0 and user.holds(R.WAREHOUSE, R.ORDER_OPS),
        )  # fmt: skip
        yield Tile(N_("To ship within 6 hours"), "clock", counts.of("due"), _to(user, "/orders", "?only=due"))
        yield Tile(
            N_("Waiting for stock"),
            "clock",
            counts.of("children", "BACKORDER"),
            _to(user, "/orders", "?only=backorder"),
        )
        about = tuple((language.word("hold", kind), w.n) for kind, w in counts.by_part("holds").items())
        yield Tile(N_("On hold"), "ban", counts.of("holds"), _to(user, "/orders", "?only=held"), parts=about)
        trouble = counts.of("children", "EXCEPTION")
        yield Tile(N_("Trouble at the courier"), "alert-triangle", trouble, _to(user, "/orders", "?only=exception"))
    if user.holds(R.CS_AGENT, R.CS_SUPERVISOR, R.ORDER_OPS, R.WAREHOUSE, R.FINANCE):
        turns = [(language.word("role", part), w.n) for part, w in counts.by_part("returns").items() if part]
        yield Tile(
            N_("Open returns"), "receipt-refund", counts.of("returns"), _to(user, "/returns"), parts=tuple(turns)
        )
    if user.holds(R.ORDER_OPS, R.ADMIN):
        yield Tile(
            N_("Callbacks refused (24 h)"), "shield-lock", counts.of("refusals"), _to(user, "/callbacks"),
            parts=tuple((source, w.n) for source, w in counts.by_part("refusals").items()),
        )  # fmt: skip


def _approvals(counts: TodayCounts, user: User, language: PageLanguage) -> Tile:
    """Of the roles that somebody has, or that are lent to them."""
    lent = {role for delegation in user.session.person.delegations for role in delegation.roles}
    mine = {role for role in (user.roles | lent) if counts.of("approvals", role).n}
    waiting = counts.of("approvals", *mine) if mine else WaitingCount()
    parts = tuple((language.word("role", part), w.n) for part, w in counts.by_part("approvals").items() if part in mine)
    return Tile(N_("Decisions for you"), "checkbox", waiting, _to(user, "/approvals"), waiting.n > 0, parts)


def _to(user: User, path: str, query: str = "") -> str | None:
    """None: there is no such page, or not for this person."""
    there = any(entry.path == path and user.holds(*entry.needs.roles) for entry in MENU)
    return path + query if there else None
