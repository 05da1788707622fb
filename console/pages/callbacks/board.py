"""`/callbacks`: each source's success and delay (R18), refusals with their cause, and connectors."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import CALLBACK_READERS
from console.pages.rendering import render
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from domain.inbox.callback_rates import rate_bp
from store.console.callbacks import CallbackPages, SourceCalls, SourceDelay
from store.inbox.callback_rates import BoardStore, bucket_start

router = APIRouter()
SPANS = {"2h": (timedelta(hours=2), 24), "1d": (timedelta(days=1), 48), "7d": (timedelta(days=7), 56)}
"""How far back, and in how many columns that is drawn."""
AGAIN_S = {"2h": 10, "1d": 30, "7d": 60}
"""How often an open page asks anew: the longer the time, the less a minute moves it, and the more there is to count."""
SPAN_WORDS = {"2h": N_("2 hours"), "1d": N_("1 day"), "7d": N_("7 days")}


@dataclass(frozen=True)
class SourceTrend:
    """Of equal parts of the time that is shown: when each begins, what was accepted and refused in it, and the mean
    delay in ms; None: nothing was delivered then."""

    times: list[str]
    accepted: list[int]
    refused: list[int]
    delay_ms: list[int | None]


@dataclass(frozen=True)
class SourceBoard:
    """`rate_bp`: accepted of received, in 1/10000; None: nothing came."""

    source: str
    received: int
    accepted: int
    rate_bp: int | None
    refused: tuple[tuple[str, int], ...]
    delay: SourceDelay | None
    trend: SourceTrend
    is_bad: bool


@router.get("/callbacks")
async def board(request: Request, user: Annotated[User, Depends(CALLBACK_READERS)], span: str = "1d") -> Response:
    wiring, language = wiring_of(request), language_of(request)
    pages = CallbackPages(wiring.pool)
    return render(
        request, "callbacks/board.html", user, span=span, sources=await _sources(request, span),
        waiting=await pages.waiting(), connectors=await pages.connectors(), again_s=AGAIN_S[span],
        spans=[(value, language.say(text)) for value, text in SPAN_WORDS.items()],
    )  # fmt: skip


@router.get("/callbacks/trends")
async def trends(request: Request, user: Annotated[User, Depends(CALLBACK_READERS)], span: str = "1d") -> Response:
    """What of the page moves: asked for again and again by a page that is open."""
    return render(request, "callbacks/_trends.html", user, span=span, sources=await _sources(request, span))


async def _sources(request: Request, span: str) -> list[SourceBoard]:
    """Raises `HTTPException` for a span that there is not."""
    wiring, language = wiring_of(request), language_of(request)
    if span not in SPAN_WORDS:
        raise HTTPException(400)
    back, parts = SPANS[span]
    now = wiring.now()
    since = bucket_start(now - back)
    alerted, called = (
        await BoardStore(wiring.pool).alerted(),
        await CallbackPages(wiring.pool).called(since, now, parts),
    )
    times = [language.time(since + n * (now - since) / parts) for n in range(parts)]
    return [_board(source, called[source], alerted.get(source, False), times) for source in sorted(called)]


def _board(source: str, calls: SourceCalls, is_bad: bool, times: list[str]) -> SourceBoard:
    accepted, refused = sum(calls.accepted), sum(calls.refused)
    delay_ms = [calls.delay_ms.get(n) for n in range(len(times))]
    return SourceBoard(
        source=source,
        received=accepted + refused,
        accepted=accepted,
        rate_bp=rate_bp(accepted, accepted + refused),
        refused=tuple(calls.reasons.most_common()),
        delay=calls.delay,
        trend=SourceTrend(times, calls.accepted, calls.refused, delay_ms),
        is_bad=is_bad,
    )
