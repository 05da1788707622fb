"""Beside the sending: overdue acknowledgements, old events, and how much waits."""

from datetime import timedelta

import structlog

from domain.clock import Clock
from relay.jobs.periodic import Watch
from relay.outbound import tickets
from relay.outbound.metrics import WAITING
from relay.outbound.retry_schedule import NOTICE_S, RetrySchedule
from store.outbound.deliveries import DeliveryStore
from telemetry import tickets_opened

log = structlog.get_logger("relay.outbound")


class Housekeeping(Watch):
    def __init__(self, deliveries: DeliveryStore, clock: Clock, pace: RetrySchedule) -> None:
        super().__init__("outbound care", max(pace.look_s / pace.speed, 1.0))
        self._deliveries = deliveries
        self._clock = clock
        self._pace = pace

    async def look(self) -> None:
        """Once around."""
        await self._ask_for_the_unacknowledged()
        await self._deliveries.forget(self._clock() - timedelta(seconds=self._pace.keep_s))
        for name, n in (await self._deliveries.waiting()).items():
            WAITING.labels(name).set(n)

    async def _ask_for_the_unacknowledged(self) -> None:
        """The sender asks after the last quick try; this is for what it never gets to: a disabled subscription, a
        long queue, a receiver that wants to be left alone, a relay that died in between."""
        now = self._clock()
        for late in await self._deliveries.unacknowledged(
            now - self._pace.faster(self._pace.notice_late_s), len(NOTICE_S) + 1
        ):
            how = f"{late.attempts} tries so far, the subscription is {late.state}"
            ticket = tickets.unacknowledged(late.id, late.subscription_id, late.order_no, late.event_id, how)
            if await self._deliveries.ask(late.id, ticket, late.order_no, now):
                tickets_opened.labels(ticket.system, ticket.step).inc()
                log.warning("ticket opened", ticket=ticket.ticket_id, source=ticket.system, step=ticket.step)
