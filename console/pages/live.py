"""`/live`: server-sent events. `changed` names what changed, at most once a second; the page asks for what it shows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from console.live import EVERYTHING
from console.security.access import STAFF
from console.session.cookies import hash_of
from console.session.user import User
from console.wiring import Wiring, wiring_of

router = APIRouter()
QUIET_S = 15.0
"""After so long without news a line goes out, so that both ends know of each other; and the session is looked at."""
PAUSE_S = 1.0


@router.get("/live")
async def live(request: Request, user: Annotated[User, Depends(STAFF)], order: str = "") -> Response:
    """`order`: only what is about this one."""
    stream = _events(wiring_of(request), user.number, f"order {order}" if order else "")
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _events(wiring: Wiring, number: str, wanted: str) -> AsyncIterator[str]:
    async with wiring.live.page() as queue:
        yield ": here\n\n"
        while True:
            heard = await _next(queue)
            if None in heard or await _is_over(wiring, number):
                return
            if (not wanted and heard) or {wanted, EVERYTHING} & heard:
                yield "event: changed\ndata: 1\n\n"
                await asyncio.sleep(PAUSE_S)
            elif not heard:
                yield ": still here\n\n"


async def _next(queue: asyncio.Queue[str | None]) -> set[str | None]:
    """What was told since the last look; empty when nothing was for a while."""
    try:
        heard = {await asyncio.wait_for(queue.get(), QUIET_S)}
    except TimeoutError:
        return set()
    while not queue.empty():
        heard.add(queue.get_nowait())
    return heard


async def _is_over(wiring: Wiring, number: str) -> bool:
    """Signed out elsewhere, deactivated, or too old."""
    return await wiring.sessions.find(hash_of(number), wiring.now(), wiring.idle) is None
