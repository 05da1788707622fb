"""The sending loop: claim what is due, sign, send, write down how it ended, tell somebody when it goes on failing.

At least once: a relay that dies between the answer and the books leaves the delivery to the next one, which sends it
again under the same id.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from domain.clock import Clock
from domain.records import TicketRecord
from relay.micro_batch import Batch
from relay.outbound import tickets
from relay.outbound.metrics import ATTEMPT_SECONDS, ATTEMPTS, GIVEN_UP, HEARD_SECONDS
from relay.outbound.response_policy import GONE, judge
from relay.outbound.retry_schedule import NOTICE_S, RetrySchedule
from relay.outbound.safe_post import NoReply, PostAnswer, Poster
from relay.outbound.signing import Keyring, UnableToSign
from store.outbound.deliveries import ACKNOWLEDGED, EXHAUSTED, DeliveryStore, Due, End
from store.outbound.subscriptions import NoSuchSubscription, SubscriptionStore
from telemetry import tickets_opened

log = structlog.get_logger("relay.outbound")


class Sender:
    """One loop of one process; any number may run. `chance`: 0 to 1, for the jitter."""

    def __init__(
        self,
        deliveries: DeliveryStore,
        subscriptions: SubscriptionStore,
        poster: Poster,
        keyring: Keyring,
        clock: Clock,
        pace: RetrySchedule,
        chance: Callable[[], float],
    ) -> None:
        self._deliveries = deliveries
        self._subscriptions = subscriptions
        self._poster = poster
        self._keyring = keyring
        self._clock = clock
        self._pace = pace
        self._chance = chance
        self._ends: Batch[End, datetime | None] = Batch(deliveries.settle)
        self._in_hand: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._crowded = False
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._ends.start()
        self._loop = asyncio.create_task(self._run(), name="outbound")

    async def stop(self) -> None:
        """Claim no more and finish what is under way; what takes too long is tried again when its lease is over."""
        self._stopping = True
        self._wake.set()
        if self._loop is not None:
            await self._loop
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._pace.stop_s)
            for task in late:
                task.cancel()
        await self._ends.stop()

    async def turn(self) -> list[asyncio.Task[None]]:
        """Claim once. Returns the attempts that this has begun."""
        claimed = await self._deliveries.claim(
            self._clock(), self._pace.lease_s, self._pace.most, {name: n for name, n in self._in_hand.items() if n}
        )
        begun = [self._begin(due) for due in claimed]
        self._crowded = any(n >= self._pace.most for n in self._in_hand.values())
        return begun

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                await self.turn()
            except Exception as failure:
                log.error("unable to claim deliveries", error=repr(failure)[:200])
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.poll_s):
                    await self._wake.wait()
            await asyncio.sleep(self._pace.claim_interval_s)

    def _begin(self, due: Due) -> asyncio.Task[None]:
        self._in_hand[due.subscription_id] += 1
        task = asyncio.create_task(self._attempt(due), name=f"deliver {due.event_id}")
        self._tasks.add(task)

        def ended(_: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._in_hand[due.subscription_id] -= 1
            if self._crowded:
                self._wake.set()

        task.add_done_callback(ended)
        return task

    async def _attempt(self, due: Due) -> None:
        # A process that stood still for so long may not be the only one any more that holds this claim.
        if self._clock() > due.leased_until - timedelta(seconds=2 * self._pace.attempt_s):
            log.warning("a claim is too old to be used", event_id=due.event_id, subscription=due.subscription_id)
            return
        began = time.perf_counter()
        answer = await self._answer(due)
        end = judge(due, answer, self._clock(), self._pace, self._chance())
        _measure(end, time.perf_counter() - began)
        try:
            failing_since = await self._ends.add(end)
            await self._follow_up(end, failing_since)
        except Exception as failure:
            # The lease runs out and the event is sent again, which receivers are told to expect.
            log.error("unable to write down an attempt", event_id=due.event_id, error=repr(failure)[:200])

    async def _answer(self, due: Due) -> PostAnswer | NoReply:
        body = due.body.encode()
        try:
            signed = self._keyring.signer(due.secret_ref).sign(due.event_id, self._clock(), body)
            headers = {**signed, "content-type": "application/json", "user-agent": "order-orchestrator"}
            return await self._poster.post(due.url, headers, body)
        except NoReply as failure:
            return failure
        except UnableToSign as why:
            return NoReply("unsigned", str(why))
        except Exception as failure:
            log.exception("attempt failed inside the relay", event_id=due.event_id)
            return NoReply("internal", type(failure).__name__)

    async def _follow_up(self, end: End, failing_since: datetime | None) -> None:
        if end.state == ACKNOWLEDGED:
            return
        due, told = end.due, _told(end)
        if due.needs_ack and due.failures + 1 > len(NOTICE_S):
            how = f"{due.failures + 1} tries, the last one {told}"
            ticket = tickets.unacknowledged(due.id, due.subscription_id, due.order_no, due.event_id, how)
            if await self._deliveries.ask(due.id, ticket, due.order_no, end.ended_at):
                _opened(ticket.ticket_id, ticket)
        if end.status == GONE:
            await self._disable(due, "its receiver says it is gone (410)", end.ended_at)
        elif failing_since and end.ended_at - failing_since >= self._pace.faster(self._pace.sustained_s):
            days = self._pace.sustained_s / 86_400
            await self._disable(due, f"nothing was acknowledged for {days:g} days, the last try {told}", end.ended_at)

    async def _disable(self, due: Due, why: str, at: datetime) -> None:
        ticket = tickets.stopped(due.subscription_id, due.role, why)
        # Another attempt, or another relay, may have been quicker.
        with suppress(NoSuchSubscription):
            number = await self._subscriptions.disable(due.subscription_id, why, "relay", at, ticket)
            _opened(number, ticket)


def _measure(end: End, seconds: float) -> None:
    due = end.due
    ATTEMPTS.labels(due.subscription_id, end.outcome).inc()
    ATTEMPT_SECONDS.labels(due.subscription_id).observe(seconds)
    if end.state == ACKNOWLEDGED:
        HEARD_SECONDS.labels(due.subscription_id).observe(max((end.ended_at - due.at).total_seconds(), 0.0))
    if end.state == EXHAUSTED:
        GIVEN_UP.labels(due.subscription_id).inc()
    told = {"subscription": due.subscription_id, "event_id": due.event_id, "type": due.type, "order_no": due.order_no}
    say = log.info if end.state == ACKNOWLEDGED else log.warning
    say("event told", **told, attempt=due.attempt, outcome=end.outcome, status=end.status, note=end.note)


def _told(end: End) -> str:
    return f"{end.outcome} (HTTP {end.status})" if end.status else f"{end.outcome}: {end.note}"


def _opened(number: str, ticket: TicketRecord) -> None:
    tickets_opened.labels(ticket.system, ticket.step).inc()
    log.warning("ticket opened", ticket=number, source=ticket.system, step=ticket.step)
