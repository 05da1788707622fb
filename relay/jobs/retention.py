"""The nightly tidying of the inbox (R06): after four in the morning in Shanghai, once a day, by one of the relays."""

from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

import structlog

from domain.clock import Clock
from domain.policy import Policy
from relay.jobs.periodic import Watch
from store.inbox.retention import RetentionStore, summary

log = structlog.get_logger("relay")
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = 4
LOOK_S = 300.0
TASK = "retention"


class Nightly(Watch):
    """Any number of relays may have one. `policy`: asked anew each night."""

    def __init__(
        self, store: RetentionStore, policy: Callable[[], Awaitable[Policy]], clock: Clock, *, look_s: float = LOOK_S
    ) -> None:
        super().__init__("the night's tidying", look_s)
        self._store = store
        self._policy = policy
        self._clock = clock

    async def look(self) -> bool:
        """True: this was the night's work, and it is done."""
        here = self._clock().astimezone(SHANGHAI)
        if here.hour < HOUR or not await self._store.begin(TASK, here.date(), self._clock()):
            return False
        tidied = await self._store.tidy((await self._policy()).retention, self._clock())
        await self._store.end(TASK, here.date(), summary(tidied))
        log.info("the inbox is tidied", **vars(tidied))
        return True
