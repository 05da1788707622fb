"""Keeps an eye on the queue of tickets: raises what nobody looks after, and shows how much is open (R10)."""

from collections.abc import Awaitable, Callable

import structlog

from domain.clock import Clock
from domain.policy import Policy
from domain.tickets import SEVERITIES
from relay.jobs.periodic import Watch
from relay.metrics import TICKETS_ESCALATED, TICKETS_OLDEST, TICKETS_OPEN
from store.tickets.escalating import EscalationStore

log = structlog.get_logger("relay")
LOOK_S = 15.0


class TicketWatch(Watch):
    """`policy`: asked anew at each look, so that changed ages count at once. Every relay may have one."""

    def __init__(
        self, store: EscalationStore, policy: Callable[[], Awaitable[Policy]], clock: Clock, *, look_s: float = LOOK_S
    ) -> None:
        super().__init__("tickets", look_s)
        self._store = store
        self._policy = policy
        self._clock = clock

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
