"""`/callbacks`: each source's success and delay (R18), refusals with their cause, and connectors."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
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
from domain.inbox.callback_rates import Bucket, total_bp
from store.console.callbacks import CallbackPages, SourceDelay
from store.inbox.callback_rates import BoardStore, SourceBucket, bucket_start

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
    boards, pages = BoardStore(wiring.pool), CallbackPages(wiring.pool)
    alerted, delays = await boards.alerted(), await pages.delays(since, now)
    trend = await pages.delay_trend(since, now, parts)
    by_source: dict[str, list[SourceBucket]] = {}
    for bucket in await boards.buckets(since, now):
        by_source.setdefault(bucket.source, []).append(bucket)
    times = [language.time(since + n * (now - since) / parts) for n in range(parts)]
    return [
        _board(
            source, by_source.get(source, []), delays, alerted.get(source, False), (since, now), times,
            trend.get(source, {}),
        )
        for source in sorted(by_source.keys() | delays.keys())
    ]  # fmt: skip


def _board(
    source: str,
    buckets: list[SourceBucket],
    delays: Mapping[str, SourceDelay],
    is_bad: bool,
    between: tuple[datetime, datetime],
    times: list[str],
    delay_ms: Mapping[int, int],
) -> SourceBoard:
    refused: Counter[str] = Counter()
    for bucket in buckets:
        refused.update(bucket.refused)
    return SourceBoard(
        source=source,
        received=sum(b.received for b in buckets),
        accepted=sum(b.accepted for b in buckets),
        rate_bp=total_bp(Bucket(b.bucket, b.received, b.accepted) for b in buckets),
        refused=tuple(refused.most_common()),
        delay=delays.get(source),
        trend=_trend(buckets, between, times, delay_ms),
        is_bad=is_bad,
    )


def _trend(
    buckets: list[SourceBucket], between: tuple[datetime, datetime], times: list[str], delay_ms: Mapping[int, int]
) -> SourceTrend:
    """Spans of five minutes, summed up to the parts that are drawn."""
    since, now = between
    parts = len(times)
    accepted, refused = [0] * parts, [0] * parts
    for bucket in buckets:
        n = min(max(int((bucket.bucket - since) / (now - since) * parts), 0), parts - 1)
        accepted[n] += bucket.accepted
        refused[n] += bucket.received - bucket.accepted
    return SourceTrend(times, accepted, refused, [delay_ms.get(n) for n in range(parts)])
