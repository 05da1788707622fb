"""Refused calls: each a row while they are few; of a flood the relay keeps numbers, and tells them to the books.

Whoever may call at all can call without end, and nothing of it is worth a row. A message is always read first: what is
genuine is stored however much else comes, also from the same address (proxies lend theirs to everybody).
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network

import structlog

from relay.inbound.token_buckets import Pace, TokenBuckets
from relay.micro_batch import Batch
from store.inbox.inbox import InboxStore, RefusalFlood, RefusedMessage
from telemetry import callbacks_refused

log = structlog.get_logger("relay")
REFUSAL_S = 2.0
EACH = Pace(burst=20, per_s=0.2)
"""Rows of one address at one source."""
TOGETHER = Pace(burst=200, per_s=2)
"""Rows of all addresses at one source: of a thousand addresses none is worth twenty rows."""
FLUSH_S = 5.0
MOST_COUNTED = 2_000
"""Numbers that are kept between two flushes; beyond them addresses are counted together."""
EVERYBODY = "*"


class Refusals:
    """`clock`: for rows; `monotonic`: for the buckets."""

    def __init__(
        self,
        inbox: InboxStore,
        clock: Callable[[], datetime],
        *,
        write_s: float = 4.0,
        flush_s: float = FLUSH_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inbox = inbox
        self._rows: Batch[RefusedMessage, None] = Batch(inbox.refuse_many, write_s=write_s)
        self._clock = clock
        self._write_s = write_s
        self._flush_s = flush_s
        self._monotonic = monotonic
        self._each, self._together = TokenBuckets(EACH), TokenBuckets(TOGETHER)
        self._counted: Counter[tuple[str, str, str, datetime]] = Counter()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._rows.start()
        self._task = asyncio.create_task(self._run(), name="refusals")

    async def stop(self) -> None:
        """What is counted is told."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._rows.stop()
        await self.flush()

    async def note(self, refused: RefusedMessage) -> bool:
        """False: its address has had enough rows, and this one was only counted. A row may be lost with the database;
        an answer does not wait for that."""
        source, reason = refused.source, refused.reason
        callbacks_refused.labels(source, reason).inc()
        if not self._may_have_a_row(source, refused.remote_ip):
            self._count(source, refused.remote_ip, reason)
            return False
        log.warning("callback refused", source=source, remote_ip=refused.remote_ip, reason=reason,
                    detail=refused.text[:200])  # fmt: skip
        try:
            async with asyncio.timeout(REFUSAL_S):
                await self._rows.add(refused)
        except Exception as failure:
            log.error("unable to store a refusal", source=source, reason=reason, error=repr(failure)[:200])
        return True

    async def flush(self) -> None:
        """Numbers that the books do not take now are kept for the next time."""
        told, self._counted = self._counted, Counter()
        if not told:
            return
        floods = [RefusalFlood(*key, calls) for key, calls in told.items()]
        log.warning("calls refused in floods", calls=told.total(), rows=len(floods))
        try:
            async with asyncio.timeout(self._write_s):
                await self._inbox.refuse_floods(floods)
        except Exception as failure:
            log.error("unable to store refusals of a flood", error=repr(failure)[:200])
            self._counted += told

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._flush_s)
            await self.flush()

    def _may_have_a_row(self, source: str, caller: str) -> bool:
        now_s = self._monotonic()
        return self._each.take((source, _neighbourhood(caller)), now_s) and self._together.take(source, now_s)

    def _count(self, source: str, caller: str, reason: str) -> None:
        key = (source, caller, reason, self._clock().replace(second=0, microsecond=0))
        if key not in self._counted and len(self._counted) >= MOST_COUNTED:
            key = (source, EVERYBODY, *key[2:])
        self._counted[key] += 1


def _neighbourhood(caller: str) -> str:
    """Who has one IPv6 address has the 2^64 beside it."""
    try:
        address = ip_address(caller)
    except ValueError:
        return caller
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else caller
