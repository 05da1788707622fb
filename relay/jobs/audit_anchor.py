"""Ties the audit down: its last row is written, signed, to a file outside the database whenever there is a new one, and
to a second place where there is one. Where the audit lacks what was anchored, people are asked at once."""

import asyncio

import structlog

from domain.clock import Clock
from relay.jobs.periodic import Watch
from store.audit.alarm import ask_about_the_audit
from store.audit.anchor import Anchor, AnchorFile
from store.audit.audit import AuditStore
from store.audit.copies import AnchorCopies
from store.pool import Pool

log = structlog.get_logger("relay")


class Anchoring(Watch):
    """Every relay may have one: two anchors of the same row do no harm. What cannot be written is logged and tried
    again."""

    def __init__(
        self, pool: Pool, file: AnchorFile, clock: Clock, *, every_s: float, copies: AnchorCopies | None = None
    ) -> None:
        super().__init__("audit anchor", every_s)
        self._pool = pool
        self._audit = AuditStore(pool)
        self._file = file
        self._clock = clock
        self._copies = copies
        self._last: Anchor | None = None
        self._looked = False
        self._copied: Anchor | None = None

    async def look(self) -> None:
        """One line when the audit has grown since the last one."""
        if not self._looked:
            self._last, self._looked = await self._known(), True
        head = await self._audit.head()
        if self._last is not None and not await self._still_there(self._last):
            if not await self._answered(self._last, head.id if head else 0):
                return
            self._last = None
        if head is not None and (self._last is None or head.id > self._last.seq):
            self._last = await asyncio.to_thread(self._file.append, head, self._clock())
        if self._copies is not None and self._last is not None and self._last != self._copied:
            await self._copies.put(self._last)
            self._copied = self._last

    async def _known(self) -> Anchor | None:
        """The newest of what was anchored before this process began."""
        known = [await asyncio.to_thread(self._file.newest)]
        if self._copies is not None:
            known += (await self._copies.newest(1))[0]
        return max((anchor for anchor in known if anchor is not None), key=lambda anchor: anchor.order, default=None)

    async def _still_there(self, anchor: Anchor) -> bool:
        return (await self._audit.hashes([anchor.seq])).get(anchor.seq) == anchor.hash

    async def _answered(self, anchor: Anchor, last: int) -> bool:
        log.error("the audit lacks what was anchored", row=anchor.seq, anchored_at=anchor.at, last_row=last)
        return await ask_about_the_audit(self._pool, anchor, last, self._clock())
