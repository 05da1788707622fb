"""Messages whose order is not known: delivered when it appears, a person's business when it does not."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from domain.clock import Clock
from relay.delivery.outcomes import Settling
from relay.jobs.periodic import Watch
from store.inbox.inbox import InboxStore

LOOK_S = 1.0
ASK_EVERY_S = 15.0
AT_ONCE = 100


class Parked(Watch):
    """`ticket_after_s`: the policy's `parked_ticket_after_s`, asked anew each time. `on_ready`: rows may be claimed."""

    def __init__(
        self,
        inbox: InboxStore,
        settling: Settling,
        clock: Clock,
        *,
        ticket_after_s: Callable[[], Awaitable[float]],
        on_ready: Callable[[], None],
        look_s: float = LOOK_S,
    ) -> None:
        super().__init__("parked events", look_s)
        self._inbox = inbox
        self._settling = settling
        self._clock = clock
        self._ticket_after_s = ticket_after_s
        self._on_ready = on_ready
        self._ask_at = clock()
        self._asked: set[int] = set()

    async def look(self) -> None:
        if await self._inbox.unpark_ready():
            self._on_ready()
        if self._clock() >= self._ask_at:
            await self.ask_about_overdue()
            self._ask_at = self._clock() + timedelta(seconds=ASK_EVERY_S)

    async def ask_about_overdue(self) -> None:
        """One ticket a row that has been parked for too long. Rows asked about before do not hide later ones."""
        after_s = await self._ticket_after_s()
        older_than = self._clock() - timedelta(seconds=after_s)
        rows = await self._inbox.overdue_parked(older_than, AT_ONCE + len(self._asked))
        still = {row.id for row in rows}
        for row in rows:
            if row.id not in self._asked:
                error = f"inbox row {row.id} ({row.kind}) names an order that has not appeared for {after_s / 3600:g} h"
                await self._settling.ask(row, step="parked event", error=error)
                self._asked.add(row.id)
        self._asked &= still
