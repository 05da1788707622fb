"""Sends at a fixed rate, whatever the receiver does, and again until it is thanked for."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench.load.callbacks.http_lines import Lines, NoAnswer
from bench.load.callbacks.journal import Journal
from bench.load.callbacks.messages import Message

PATIENCE_S = 10.0
AGAIN_S = (0.5, 1.0, 2.0, 4.0)
"""Waits before attempts 2, 3, …; then the last one again. A provider's own waits are longer."""
GIVE_UP_AFTER = 60


Due = Callable[[int], float]
"""When the n-th message is sent, in seconds after the first."""


def evenly(per_second: float) -> Due:
    return lambda n: n / per_second


def rising(count: int, per_second: float) -> Due:
    """From nothing to `per_second` at the last of `count`."""
    return lambda n: 2 * math.sqrt(n * count) / per_second


@dataclass
class SentLog:
    """`acks`: seconds from sending to a 2xx, with the moment of sending on the sender's clock; `refused`: by status."""

    acks: list[tuple[float, float]] = field(default_factory=list)
    behind_s: float = 0.0
    """How late the sender itself has been at worst."""
    refused: dict[int, int] = field(default_factory=dict)
    broken: int = 0
    """Attempts that ended without any answer."""
    given_up: list[str] = field(default_factory=list)


class Sender:
    """`url`: the relay's. `attempted` and `acked`: its own two journals."""

    def __init__(self, url: str, attempted: Journal, acked: Journal) -> None:
        self._lines = Lines(url, PATIENCE_S)
        self.attempted = attempted
        self.acked = acked
        self.told = SentLog()

    async def send_all(
        self, messages: Sequence[Message], due_s: Due, progress: Callable[[int], None] = lambda _: None
    ) -> None:
        """`progress` hears how many have been sent for the first time. Returns when all are acknowledged."""
        began, under_way = time.monotonic(), set[asyncio.Task[None]]()
        for n, message in enumerate(messages):
            due = began + due_s(n)
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self.told.behind_s = max(self.told.behind_s, time.monotonic() - due)
            task = asyncio.create_task(self._surely(message))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            progress(n + 1)
        await asyncio.gather(*under_way)
        await self._lines.close()

    async def _surely(self, message: Message) -> None:
        for attempt in range(GIVE_UP_AFTER):
            if await self._try(message):
                return
            await asyncio.sleep(AGAIN_S[min(attempt, len(AGAIN_S) - 1)])
        self.told.given_up.append(message.id)

    async def _try(self, message: Message) -> bool:
        signed = message.sign(datetime.now(UTC))
        self.attempted.add(message.id, source=message.source)
        sent = time.monotonic()
        try:
            status = await self._lines.post(f"/hooks/{message.source}", signed.params, signed.headers, signed.body)
        except NoAnswer:
            self.told.broken += 1
            return False
        took = time.monotonic() - sent
        if not 200 <= status < 300:
            self.told.refused[status] = self.told.refused.get(status, 0) + 1
            return False
        self.acked.add(message.id, took_ms=round(took * 1000, 1))
        self.told.acks.append((sent, took))
        return True
