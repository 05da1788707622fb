"""Keeps an eye on the sources: how many of their calls are accepted, and a ticket when that stays too low (R18)."""

from collections.abc import Awaitable, Callable

import structlog

from domain.clock import Clock
from domain.policy import Policy
from relay.jobs.periodic import Watch
from relay.metrics import CALLBACK_ALERT, CALLBACK_RATE
from store.inbox.callback_rates import BUCKET, GRACE, BoardStore, bucket_start
from telemetry import tickets_opened

log = structlog.get_logger("relay")
LOOK_S = 15.0


class BoardWatch(Watch):
    """`policy`: asked anew at each look, so that changed limits count at once. Every relay may have one."""

    def __init__(
        self, board: BoardStore, policy: Callable[[], Awaitable[Policy]], clock: Clock, *, look_s: float = LOOK_S
    ) -> None:
        super().__init__("callback rates", look_s)
        self._board = board
        self._policy = policy
        self._clock = clock

    async def look(self) -> None:
        """Judge what has ended since the last look, and show how things stand."""
        policy, now = await self._policy(), self._clock()
        alerts = await self._board.judge(
            now, below_bp=policy.callback_alert_below_bp, after=policy.callback_alert_after
        )
        for alert in alerts:
            source = alert.worst.source
            tickets_opened.labels(source, "callback rate").inc()
            log.warning("callbacks are refused", source=source, rate_bp=alert.worst.rate_bp, ticket=alert.ticket_id)
        until = bucket_start(now - GRACE)
        last = await self._board.buckets(until - BUCKET, until)
        # A source that was silent has no rate: the one before it would look like a present one.
        CALLBACK_RATE.clear()
        for bucket in last:
            CALLBACK_RATE.labels(bucket.source).set(bucket.rate_bp)
        for source, alerted in (await self._board.alerted()).items():
            CALLBACK_ALERT.labels(source).set(alerted)
