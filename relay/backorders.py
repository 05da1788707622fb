"""Watches for parcels that wait for goods which are there: set free by a cancellation, or back from a return.

A goods receipt tells them at once (`starter/arrivals.py`); this finds every other way in which stock becomes free.
"""

import asyncio
from contextlib import suppress

import structlog

from domain.backorders import Waiting
from relay.settle import Clock
from store.backorders import BackorderStore, announcement
from store.inbox import InboxStore

log = structlog.get_logger("relay")
LOOK_S = 15.0
AGAIN_S = 300
"""A parcel that was told and still waits is told again after this: its worker may have been away."""


class BackorderWatch:
    """Every relay may have one: what two of them tell is one message."""

    def __init__(self, backorders: BackorderStore, inbox: InboxStore, clock: Clock, *, look_s: float = LOOK_S) -> None:
        self._backorders = backorders
        self._inbox = inbox
        self._clock = clock
        self._look_s = look_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="backorders")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as failure:
                log.error("unable to look for waiting parcels", error=repr(failure)[:200])
            await asyncio.sleep(self._look_s)

    async def look(self) -> tuple[Waiting, ...]:
        """Tell everybody whose goods are there, longest paid first."""
        found = await self._backorders.servable()
        if found:
            now = self._clock()
            span = int(now.timestamp()) // AGAIN_S
            await self._inbox.add_many([announcement(waiting, f"free:{span}", "any", now) for waiting in found])
        return found
