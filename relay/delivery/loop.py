"""The delivery loop: claim rows, find their orders, gather what belongs together, signal, write down what became of it.

At least once: a relay that dies between signal and mark leaves the row to the next one, and the order dedupes.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from domain.clock import Clock
from relay.delivery.circuit_breaker import Breaker
from relay.delivery.coalescing import Bundle, Gathering, SignalPart
from relay.delivery.outcomes import Settling
from relay.delivery.routing import RoutingPlan, plan
from relay.delivery.signalling import OrderSender, SignalOutcome, SignalResult
from relay.metrics import DELIVERY_SECONDS, HELD, TEMPORAL_UP
from relay.tracing import delivery_span
from store.inbox.inbox import Claimed, InboxStore

log = structlog.get_logger("relay")

_WORST_LAST = (
    SignalResult.DELIVERED,
    SignalResult.POISON,
    SignalResult.UNCLEAR,
    SignalResult.NO_WORKFLOW,
    SignalResult.BUSY,
    SignalResult.OUTAGE,
)
"""A row with several signals is settled by the worst: whatever still may succeed is tried again as a whole."""


@dataclass(frozen=True)
class DeliverySettings:
    """`claim`: rows at once; `held`: rows in hand at most; `signals`: at the same time; the rest in seconds."""

    linger_s: float = 0.15
    quiet_s: float = 0.0
    """How long facts ride that an order has nothing to do about; at least `linger_s`."""
    claim: int = 200
    held: int = 1_000
    signals: int = 32
    lease_s: float = 20.0
    """How long rows in the hand of a relay that was killed wait for the next one; longer than a signal may take."""
    poll_s: float = 0.25
    claim_interval_s: float = 0.1
    """Between two claims, so that a burst is claimed in handfuls and not row by row; shorter than `linger_s`, which a
    row waits anyway."""
    stop_s: float = 8.0


@dataclass
class _Held:
    """A row in hand: signals still under way, and the worst verdict so far."""

    plan: RoutingPlan
    open: int
    verdict: SignalOutcome = field(default_factory=lambda: SignalOutcome(SignalResult.DELIVERED))

    def apply(self, verdict: SignalOutcome) -> bool:
        """True when it was the last."""
        if _WORST_LAST.index(verdict.sent) > _WORST_LAST.index(self.verdict.sent):
            self.verdict = verdict
        self.open -= 1
        return self.open == 0


class DeliveryLoop:
    """One loop of one relay; any number of relays may run."""

    def __init__(
        self,
        inbox: InboxStore,
        sender: OrderSender,
        settling: Settling,
        clock: Clock,
        pace: DeliverySettings | None = None,
    ) -> None:
        self._inbox = inbox
        self._sender = sender
        self._settling = settling
        self._clock = clock
        self._pace = pace or DeliverySettings()
        self._gathering = Gathering(timedelta(seconds=self._pace.linger_s), timedelta(seconds=self._pace.quiet_s))
        self._breaker = Breaker()
        self._held: dict[int, _Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(self._pace.signals)
        self._wake = asyncio.Event()
        self._claim_at = self._next_claim_at = self._claim_again_at = clock()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        TEMPORAL_UP.set(1)
        self._loop = asyncio.create_task(self._run(), name="delivery")

    def wake(self) -> None:
        """There may be something to claim."""
        self._claim_at = min(self._claim_at, max(self._clock(), self._next_claim_at))
        self._wake.set()

    async def stop(self) -> None:
        """Claim no more, send what is in hand, give back what cannot be sent in time."""
        self._stopping = True
        self.wake()
        if self._loop is not None:
            await self._loop
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.stop_s):
                while self._held or self._tasks:
                    self._send(self._gathering.take_due(self._clock(), all_of_them=True))
                    if not self._tasks:
                        break
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            task.cancel()
        if self._held:
            with suppress(Exception):
                await self._settling.give_back([held.plan.row for held in self._held.values()])

    # --- the loop ----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Due bundles go out on time; claims keep their interval."""
        while not self._stopping:
            self._wake.clear()
            if self._clock() >= self._claim_at:
                self._claim_at = self._clock() + timedelta(seconds=self._pace.poll_s)
                self._next_claim_at = self._clock() + timedelta(seconds=self._pace.claim_interval_s)
                await self._claim_or_wait()
            full = len(self._held) >= self._pace.held  # what may ride must keep nobody waiting for room
            self._send(self._gathering.take_due(self._clock(), all_of_them=full))
            HELD.set(len(self._held))
            until = min(filter(None, (self._gathering.next_due(), self._claim_at)))
            with suppress(TimeoutError):
                async with asyncio.timeout(max((until - self._clock()).total_seconds(), 0.0)):
                    await self._wake.wait()

    async def _claim_or_wait(self) -> None:
        try:
            await self._claim()
        except Exception as failure:
            # The database is away: what is in hand goes on, the rest waits there.
            log.error("unable to claim from the inbox", error=repr(failure)[:200])
            self._claim_again_at = self._clock() + timedelta(seconds=1)

    async def _claim(self) -> None:
        now = self._clock()
        room = min(self._pace.claim, self._pace.held - len(self._held))
        if now < self._claim_again_at or self._breaker.quiet(now) or room <= 0:
            return
        # One row finds out whether Temporal is back; a full claim would only count up everybody's attempts.
        rows = await self._inbox.claim(1 if self._breaker.doubtful else room, self._pace.lease_s, now)
        fresh = [row for row in rows if row.id not in self._held]
        if fresh:
            targets = await self._inbox.orders_of([fact for row in fresh for fact in row.facts])
            for row in fresh:
                self._take(plan(row, targets), now)
        if len(rows) == room:
            self.wake()

    def _take(self, planned: RoutingPlan, now: datetime) -> None:
        held = self._held[planned.row.id] = _Held(planned, len(planned.parts))
        for part in planned.parts:
            self._gathering.add(part, now)
        if not planned.parts:
            self._spawn(self._settle(held))

    # --- one bundle --------------------------------------------------------------------------------------------------

    def _send(self, bundles: Sequence[Bundle]) -> None:
        for bundle in bundles:
            self._spawn(self._deliver(bundle))

    async def _deliver(self, bundle: Bundle) -> None:
        try:
            async with self._slots:
                verdict = await self._try(bundle.order_no, bundle.parts)
                if verdict.sent in (SignalResult.POISON, SignalResult.UNCLEAR) and len(bundle.parts) > 1:
                    # One part of it is to blame; the others must not share its fate.
                    for part in sorted(bundle.parts, key=lambda p: p.row_id):
                        await self._record_outcome(part, await self._try(bundle.order_no, [part]))
                else:
                    for part in bundle.parts:
                        await self._record_outcome(part, verdict)
        finally:
            self._gathering.arrived(bundle)

    async def _try(self, order_no: str, parts: Sequence[SignalPart]) -> SignalOutcome:
        if self._breaker.quiet(self._clock()):
            return SignalOutcome(SignalResult.OUTAGE, "Temporal could not be reached a moment ago")
        facts = Bundle(order_no, self._clock(), list(parts)).facts()
        with delivery_span(order_no, (part.traceparent for part in parts)) as span:
            try:
                verdict = await self._sender.send(order_no, facts)
            except Exception as bug:
                log.exception("a delivery failed inside the relay", order_no=order_no)
                verdict = SignalOutcome(SignalResult.UNCLEAR, repr(bug)[:200])
            span.set_attribute("oms.outcome", verdict.sent.value)
            log.debug("signalled", order_no=order_no, facts=len(facts), outcome=verdict.sent.value, note=verdict.note)
        self._learn(verdict)
        return verdict

    def _learn(self, verdict: SignalOutcome) -> None:
        if verdict.sent is SignalResult.UNCLEAR:
            return
        up = verdict.sent is not SignalResult.OUTAGE
        TEMPORAL_UP.set(1 if up else 0)
        if up:
            self._breaker.worked()
        else:
            self._breaker.failed(self._clock())

    async def _record_outcome(self, part: SignalPart, verdict: SignalOutcome) -> None:
        if verdict.sent is SignalResult.DELIVERED:
            DELIVERY_SECONDS.observe(max((self._clock() - part.received_at).total_seconds(), 0.0))
        held = self._held[part.row_id]
        if held.apply(verdict):
            await self._settle(held)

    async def _settle(self, held: _Held) -> None:
        row: Claimed = held.plan.row
        try:
            await self._settling.settle(held.plan, held.verdict)
        except Exception as failure:
            # The row is claimed again when its lease ends.
            log.error("unable to settle an event", inbox_id=row.id, source=row.source, error=repr(failure)[:200])
        finally:
            self._held.pop(row.id, None)

    def _spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("a delivery task broke", error=repr(task.exception())[:200])
