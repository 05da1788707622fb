"""Ties the audit down: its last row is written, signed, to a file outside the database whenever there is a new one, and
to a second place where there is one. Where the audit lacks what was anchored, people are asked at once."""

import asyncio

import structlog

from domain.clock import Clock
from relay.jobs.periodic import Watch
from store.audit.alarm import ask_about_the_audit
from store.audit.anchor import Anchor, AnchorFile, UnableToAnchor
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
        self._met = copies is None
        """The copies have been read and compared: until then the file goes on alone."""
        self._waiting: list[Anchor] = []
        """Anchors of the file that have no copy yet, in their order."""

    async def look(self) -> None:
        """One line when the audit has grown since the last one, and a copy of each line. Raises `UnableToAnchor`, while
        the second place is away after the file has been written."""
        if not self._looked:
            self._last, self._looked = await asyncio.to_thread(self._file.newest), True
        head = await self._audit.head()
        away = None
        try:
            if self._copies is not None and not self._met:
                self._met = await self._compared(self._copies, head.id if head else 0)
                if not self._met:
                    return
        except UnableToAnchor as why:
            away = why
        if self._last is not None and not await self._still_there(self._last):
            if not await self._answered(self._last, head.id if head else 0):
                return
            self._last = None
        if head is not None and (self._last is None or head.id > self._last.seq):
            self._last = await asyncio.to_thread(self._file.append, head, self._clock())
            self._waiting.append(self._last)
        if away is not None:
            raise away
        while self._copies is not None and self._waiting:
            await self._copies.put(self._waiting[0])
            del self._waiting[0]

    async def _compared(self, copies: AnchorCopies, last: int) -> bool:
        """What the file has and the copies lack is to be copied; what the copies have and the file lacks, the audit has
        to have. False: it has not, and nobody has answered yet."""
        newest = max((await copies.newest(1))[0], key=lambda anchor: anchor.order, default=None)
        known = await asyncio.to_thread(self._file.signed)
        self._waiting = [anchor for anchor in known if newest is None or anchor.order > newest.order]
        if newest is None or newest.mac in {anchor.mac for anchor in known}:
            return True
        if not await self._still_there(newest):
            return await self._answered(newest, last)
        if self._last is None or newest.order > self._last.order:
            self._last = newest
        return True

    async def _still_there(self, anchor: Anchor) -> bool:
        return (await self._audit.hashes([anchor.seq])).get(anchor.seq) == anchor.hash

    async def _answered(self, anchor: Anchor, last: int) -> bool:
        log.error("the audit lacks what was anchored", row=anchor.seq, anchored_at=anchor.at, last_row=last)
        return await ask_about_the_audit(self._pool, anchor, last, self._clock())
