"""Keeps an eye on the sources: how many of their calls are accepted, and a ticket when that stays too low (R18)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from domain.policy import Policy
from relay.metrics import CALLBACK_ALERT, CALLBACK_RATE
from relay.settle import Clock
from store.board import BUCKET, GRACE, BoardStore, floor
from telemetry import tickets_opened

log = structlog.get_logger("relay")
LOOK_S = 15.0


class BoardWatch:
    """`policy`: asked anew at each look, so that changed limits count at once. Every relay may have one."""

    def __init__(
        self, board: BoardStore, policy: Callable[[], Awaitable[Policy]], clock: Clock, *, look_s: float = LOOK_S
    ) -> None:
        self._board = board
        self._policy = policy
        self._clock = clock
        self._look_s = look_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="board")

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
                log.error("unable to judge the callback rates", error=repr(failure)[:200])
            await asyncio.sleep(self._look_s)

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
        until = floor(now - GRACE)
        last = await self._board.buckets(until - BUCKET, until)
        # A source that was silent has no rate: the one before it would look like a present one.
        CALLBACK_RATE.clear()
        for bucket in last:
            CALLBACK_RATE.labels(bucket.source).set(bucket.rate_bp)
        for source, alerted in (await self._board.alerted()).items():
            CALLBACK_ALERT.labels(source).set(alerted)
