"""When what a message brought can be seen: watched from outside, as a reader of the tables sees it."""

import asyncio
import time
from contextlib import suppress
from datetime import datetime

import asyncpg

LOOK_S = 0.1
BACK = 300
"""Rows get their numbers before they are committed: so many are looked at again each time."""
NEWS = "SELECT id, inbox_id FROM order_events WHERE id > $1 AND inbox_id IS NOT NULL ORDER BY id"
RECEIVED = "SELECT id, received_at FROM inbox WHERE via = 'callback' AND received_at >= $1"


class Watch:
    """`seen`: inbox row → when an outcome of it was first visible."""

    def __init__(self, database: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._database = database
        self._last = 0
        self.seen: dict[int, float] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(asyncpg.PostgresError, OSError, TimeoutError):
                await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        rows = await self._database.fetch(NEWS, max(0, self._last - BACK))
        now = time.time()
        for row in rows:
            self.seen.setdefault(row["inbox_id"], now)
            self._last = max(self._last, row["id"])

    async def delays(self, since: datetime) -> list[float]:
        """Seconds from receipt to visible, ascending, of what was received since then."""
        rows = await self._database.fetch(RECEIVED, since)
        received: dict[int, datetime] = {row["id"]: row["received_at"] for row in rows}
        return sorted(max(0.0, at - received[row].timestamp()) for row, at in self.seen.items() if row in received)


def quantile(ascending: list[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed; 0 without any."""
    if not ascending:
        return 0.0
    return ascending[min(len(ascending) - 1, max(0, -int(-share * len(ascending) // 1) - 1))]
