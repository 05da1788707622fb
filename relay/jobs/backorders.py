"""Watches for parcels that wait for goods which are there: set free by a cancellation, or back from a return.

A goods receipt tells them at once (`store/stock/goods_receipts.py`); this finds every other way in which stock becomes
free.
"""

from domain.clock import Clock
from domain.fulfilment.backorders import Waiting
from relay.jobs.periodic import Watch
from store.inbox.inbox import InboxStore
from store.orders.backorders import BackorderStore, announcement

LOOK_S = 15.0
AGAIN_S = 300
"""A parcel that was told and still waits is told again after this: its worker may have been away."""


class BackorderWatch(Watch):
    """Every relay may have one: what two of them tell is one message."""

    def __init__(self, backorders: BackorderStore, inbox: InboxStore, clock: Clock, *, look_s: float = LOOK_S) -> None:
        super().__init__("backorders", look_s)
        self._backorders = backorders
        self._inbox = inbox
        self._clock = clock

    async def look(self) -> tuple[Waiting, ...]:
        """Tell everybody whose goods are there, longest paid first."""
        found = await self._backorders.servable()
        if found:
            now = self._clock()
            span = int(now.timestamp()) // AGAIN_S
            await self._inbox.add_many([announcement(waiting, f"free:{span}", "any", now) for waiting in found])
        return found
