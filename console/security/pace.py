"""How often somebody may come who is not signed in: counted by who it is, forgotten after a minute, or another
span."""

from datetime import datetime, timedelta

from starlette.requests import Request

from console.wiring import wiring_of

SPAN = timedelta(minutes=1)
MOST_KNOWN = 20_000
"""When so many are known within a span, everybody else waits for the next one: a flood fills no memory."""


def address_of(request: Request) -> str:
    """Of who calls, through proxies of ours only."""
    peer = request.client.host if request.client else ""
    return wiring_of(request).addresses.caller(peer, ", ".join(request.headers.getlist("x-forwarded-for")))


class VisitorPace:
    def __init__(self, most: int, span: timedelta = SPAN) -> None:
        self._most = most
        self._span = span
        self._began: datetime | None = None
        self._counted: dict[str, int] = {}

    def allows(self, who: str, now: datetime) -> bool:
        if self._began is None or now - self._began >= self._span:
            self._began, self._counted = now, {}
        if who not in self._counted and len(self._counted) >= MOST_KNOWN:
            return False
        self._counted[who] = self._counted.get(who, 0) + 1
        return self._counted[who] <= self._most
