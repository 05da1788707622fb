"""`/callbacks`: each source's success and delay (R18), refusals with their cause, and connectors."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
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
SPAN_WORDS = {"2h": N_("2 hours"), "1d": N_("1 day"), "7d": N_("7 days")}
WIDTH, HEIGHT = 300, 60


@dataclass(frozen=True)
class TrendColumn:
    """One column of a picture. `height`: of what was received, `bad`: of it refused; in units of the picture."""

    x: float
    width: float
    height: float
    bad: float
    title: str


@dataclass(frozen=True)
class SourceBoard:
    """`rate_bp`: accepted of received, in 1/10000; None: nothing came."""

    source: str
    received: int
    accepted: int
    rate_bp: int | None
    refused: tuple[tuple[str, int], ...]
    delay: SourceDelay | None
    columns: tuple[TrendColumn, ...]
    is_bad: bool


@router.get("/callbacks")
async def board(request: Request, user: Annotated[User, Depends(CALLBACK_READERS)], span: str = "1d") -> Response:
    wiring, language = wiring_of(request), language_of(request)
    if span not in SPAN_WORDS:
        raise HTTPException(400)
    back, columns = SPANS[span]
    now = wiring.now()
    since = bucket_start(now - back)
    boards, pages = BoardStore(wiring.pool), CallbackPages(wiring.pool)
    found, alerted = await boards.buckets(since, now), await boards.alerted()
    delays = await pages.delays(since, now)
    by_source: dict[str, list[SourceBucket]] = {}
    for bucket in found:
        by_source.setdefault(bucket.source, []).append(bucket)
    sources = [
        _board(
            source, by_source.get(source, []), delays, alerted.get(source, False), since, now, columns, language.time
        )
        for source in sorted(by_source.keys() | delays.keys())
    ]
    return render(
        request, "callbacks/board.html", user, span=span, sources=sources, waiting=await pages.waiting(),
        connectors=await pages.connectors(), width=WIDTH, height=HEIGHT,
        spans=[(value, language.say(text)) for value, text in SPAN_WORDS.items()],
    )  # fmt: skip


def _board(
    source: str,
    buckets: list[SourceBucket],
    delays: Mapping[str, SourceDelay],
    is_bad: bool,
    since: datetime,
    now: datetime,
    columns: int,
    time: Callable[[datetime], str],
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
        columns=tuple(_columns(buckets, since, now, columns, time)),
        is_bad=is_bad,
    )


def _columns(
    buckets: list[SourceBucket], since: datetime, now: datetime, columns: int, time: Callable[[datetime], str]
) -> Iterable[TrendColumn]:
    """Spans of five minutes summed up to columns; the highest fills the picture."""
    each = (now - since) / columns
    received, accepted = [0] * columns, [0] * columns
    for bucket in buckets:
        n = min(max(int((bucket.bucket - since) / each), 0), columns - 1)
        received[n] += bucket.received
        accepted[n] += bucket.accepted
    most, width = max(received, default=0), WIDTH / columns
    for n, (came, good) in enumerate(zip(received, accepted, strict=True)):
        if came:
            at = time(since + n * each)
            high = HEIGHT * came / most
            yield TrendColumn(
                round(n * width, 2), round(width - 1, 2), round(high, 2), round(high * (came - good) / came, 2),
                f"{at}  {good}/{came}",
            )  # fmt: skip
