"""Tells people of tickets through the channels they chose; what fails is tried three times more, then only counted."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from domain.clock import Clock
from domain.notices import Notice
from domain.policy import Policy
from domain.retries import delay_before_retry
from providers.notices.channels import AT_ONCE, Channels, NotSent
from relay.metrics import NOTICES
from store.tickets.notices import ATTEMPTS, Copy, NoticeStore

log = structlog.get_logger("relay")
WAITS_S = (5, 10, 20)


@dataclass(frozen=True)
class NoticePace:
    """`lease_s`: far longer than an attempt may take; who still holds a claim then is dead. `stop_s`: a little longer
    than an attempt. `speed` divides waits."""

    look_s: float = 1.0
    lease_s: float = 60.0
    stop_s: float = 9.0
    speed: float = 1.0


class Notices:
    """Any number of relays may have one: a copy is claimed by one of them."""

    def __init__(
        self,
        store: NoticeStore,
        channels: Channels,
        policy: Callable[[], Awaitable[Policy]],
        clock: Clock,
        pace: NoticePace | None = None,
    ) -> None:
        self._store = store
        self._channels = channels
        self._policy = policy
        self._clock = clock
        self._pace = pace or NoticePace()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="notices")

    async def stop(self) -> None:
        """What is under way is finished and written down, so that a clean restart tells nobody twice."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=self._pace.stop_s)
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._channels.close()

    async def look(self) -> int:
        """Once around. Returns how many copies were sent or tried."""
        groups = (await self._policy()).escalation
        await self._store.address(lambda level: self._channels.targets(groups.group(level)), self._clock())
        copies = await self._store.claim(self._clock(), self._pace.lease_s, AT_ONCE)
        await asyncio.gather(*(self._tell(copy, groups.group(copy.level)) for copy in copies))
        if buried := await self._store.bury(self._clock()):
            NOTICES.labels("given up").inc(buried)
        return len(copies)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if await self.look():
                    continue
            except Exception as failure:
                log.error("unable to tell people of tickets", error=type(failure).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.look_s):
                    await self._stopping.wait()

    async def _tell(self, copy: Copy, group: str) -> None:
        notice = Notice(
            event=copy.event,
            ticket_id=copy.ticket_id,
            severity=copy.severity,
            system=copy.system,
            step=copy.step,
            order_no=copy.order_no,
            child_no=copy.child_no,
            owner=copy.owner,
            opened_at=copy.opened_at,
            group=group,
        )
        outcome = "sent"
        try:
            await self._channels.send(copy.target, notice.title(), notice.body(self._clock()))
            await self._store.sent(copy, self._clock())
        except NotSent as why:
            outcome = why.outcome
            await self._store.failed(copy, self._next_try_at(copy), self._clock())
            if copy.attempt >= ATTEMPTS:
                NOTICES.labels("given up").inc()
        NOTICES.labels(outcome).inc()
        told = {"ticket": copy.ticket_id, "channel": copy.target, "attempt": copy.attempt}
        log.info("notice of a ticket", **told, outcome=outcome)

    def _next_try_at(self, copy: Copy) -> datetime | None:
        if copy.attempt >= ATTEMPTS:
            return None
        wait_s = delay_before_retry(copy.attempt, WAITS_S) / self._pace.speed
        return self._clock() + timedelta(seconds=wait_s)
