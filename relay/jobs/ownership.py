"""The nightly look for units and money without one owner: after four in the morning in Shanghai, by one of the relays.

All orders that are not ended, those whose books have changed since the last night (they may have ended, or their case
did), and those that had something found. A violation is a ticket, once, and closes when it is gone.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from relay.jobs.periodic import Watch
from relay.jobs.retention import HOUR, LOOK_S, SHANGHAI
from relay.metrics import OWNERLESS
from store.inbox.retention import RetentionStore
from store.ownership.check import OwnershipStore

log = structlog.get_logger("relay")
TASK = "ownership"
FIRST = timedelta(days=2)
"""How far back the very first night looks at orders that have ended."""
OVERLAP = timedelta(hours=1)
"""Orders that were still moving when the last night looked are looked at again."""


class NightlyOwnership(Watch):
    """Any number of relays may have one. `nights`: says which night's work has been begun."""

    def __init__(
        self, store: OwnershipStore, nights: RetentionStore, clock: Callable[[], datetime], *, look_s: float = LOOK_S
    ) -> None:
        super().__init__("the night's look for units without an owner", look_s)
        self._store = store
        self._nights = nights
        self._clock = clock

    async def look(self) -> bool:
        """True: this was the night's work, and it is done."""
        here = self._clock().astimezone(SHANGHAI)
        if here.hour < HOUR or not await self._nights.begin(TASK, here.date(), self._clock()):
            return False
        last = await self._store.last_run(TASK)
        since = self._clock() - FIRST if last is None else last - OVERLAP
        opened = closed = standing = 0
        looked = set[str]()
        async for more in self._store.to_look_at(since):
            now, page = self._clock(), [number for number in more if number not in looked]
            found = await self._store.violations(page, now)
            new, gone = await self._store.settle(page, found, now)
            looked.update(page)
            opened, closed, standing = opened + new, closed + gone, standing + len(found)
        OWNERLESS.set(standing)
        told = f"looked_at {len(looked)}, opened {opened}, closed {closed}"
        await self._nights.end(TASK, here.date(), told)
        log.info("owners are looked for", looked_at=len(looked), opened=opened, closed=closed)
        return True
