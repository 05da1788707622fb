"""Warns before what was promised to leave is late, and takes the warning back when it has left (R82)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from domain.clock import Clock
from domain.policy import Policy
from relay.jobs.periodic import Watch
from store.dispatch.deadlines import DispatchStore

LOOK_S = 60.0


class DispatchWatch(Watch):
    """`policy`: asked anew at each look. Every relay may have one: an order has one ticket."""

    def __init__(
        self, store: DispatchStore, policy: Callable[[], Awaitable[Policy]], clock: Clock, *, look_s: float = LOOK_S
    ) -> None:
        super().__init__("dispatch deadlines", look_s)
        self._store = store
        self._policy = policy
        self._clock = clock

    async def look(self) -> tuple[int, int]:
        """How many tickets were opened, and closed."""
        ahead = timedelta(seconds=(await self._policy()).dispatch_warning_s)
        return await self._store.warn(self._clock(), ahead)
