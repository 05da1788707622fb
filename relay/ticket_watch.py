"""Keeps an eye on the queue of tickets: raises what nobody looks after, and shows how much is open (R10)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from domain.policy import Policy
from domain.tickets import SEVERITIES
from relay.metrics import TICKETS_ESCALATED, TICKETS_OLDEST, TICKETS_OPEN
from relay.settle import Clock
from store.escalating import EscalationStore

log = structlog.get_logger("relay")
LOOK_S = 15.0


class TicketWatch:
    """`policy`: asked anew at each look, so that changed ages count at once. Every relay may have one."""

    def __init__(
        self, store: EscalationStore, policy: Callable[[], Awaitable[Policy]], clock: Clock, *, look_s: float = LOOK_S
    ) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._look_s = look_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="tickets")

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
                log.error("unable to look after tickets", error=repr(failure)[:200])
            await asyncio.sleep(self._look_s)

    async def look(self) -> None:
        """Raise what is due, and show how things stand."""
        rules = (await self._policy()).escalation
        for one in await self._store.escalate(rules, self._clock()):
            TICKETS_ESCALATED.labels(one.severity).inc()
            log.warning("ticket raised", ticket=one.ticket_id, was=one.was, severity=one.severity, told=one.group)
        standing = {s.severity: s for s in await self._store.standing()}
        for severity in SEVERITIES:
            now = standing.get(severity)
            TICKETS_OPEN.labels(severity).set(now.open if now else 0)
            age_s = (self._clock() - now.oldest).total_seconds() if now else 0.0
            TICKETS_OLDEST.labels(severity).set(max(age_s, 0.0))
