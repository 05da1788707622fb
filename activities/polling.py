"""One tick of a connector's loop: whom to ask, ask, and what is news into the inbox (decision 0006).

Nothing is decided here: what a fact means is for the order to say, as if the system had told it by itself.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Annotated, Literal

from pydantic import Field
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.connectors import AskResult, Connector, ask_each
from activities.messages import Facts
from domain.clock import Clock
from domain.facts import Fact
from domain.strict import Strict
from store.polling.poll_results import FindingStore
from store.polling.polling import PullStore, Tick

SHANGHAI = timezone(timedelta(hours=8))
Seconds = Annotated[int, Field(ge=1, le=86_400)]


class Pull(Strict):
    """How one connector's loop asks; its start argument. `rate_per_s`: questions; `at_once`: of them side by side;
    `backoff_s`: waits after the first, second, … tick in which nothing was answered (then the last again);
    `ticket_after`: so many of these ticks, and a person is told."""

    connector: str
    tick_s: Seconds = 30
    batch: Annotated[int, Field(ge=1, le=1_000)] = 200
    rate_per_s: Annotated[int, Field(ge=1, le=1_000)] = 20
    at_once: Annotated[int, Field(ge=1, le=100)] = 8
    backoff_s: Annotated[tuple[Seconds, ...], Field(min_length=1)] = (30, 60, 120)
    ticket_after: Annotated[int, Field(ge=1, le=1_000)] = 4


class Pulled(Strict):
    """A tick that brought news."""

    asked: int
    found: int


class Found(Strict):
    """What an order's own workflow has found by asking."""

    order_no: str
    facts: tuple[Fact, ...]


class MayAsk(Strict):
    """A person wants a system asked now. `number` as the connector knows it."""

    connector: str
    kind: Literal["payment", "refund", "outbound", "parcel"]
    number: str


class PullActivities:
    """`connectors`: by name; the systems that this installation can ask."""

    def __init__(
        self,
        store: PullStore,
        findings: FindingStore,
        connectors: Mapping[str, Connector],
        clock: Clock,
    ) -> None:
        self._store = store
        self._findings = findings
        self._connectors = connectors
        self._clock = clock

    @activity.defn(name="pull.tick")
    async def tick(self, settings: Pull) -> Pulled:
        """Fails until there is news: the caller's retry policy is the clock, and waiting costs no event."""
        began = asyncio.get_running_loop().time()
        connector, now = self._connectors[settings.connector], self._clock()
        spacing = timedelta(seconds=connector.spacing_s)
        subjects = await self._store.claim(connector.scope, settings.batch, spacing, now)
        asked = await ask_each(connector.ask, subjects, settings, activity.heartbeat)
        await self._store.give_back(settings.connector, asked.unasked)
        found = await self._keep(settings.connector, asked)
        error = asked.error if asked.down else ""
        failed = 0
        if subjects:
            tick = Tick(len(subjects) - len(asked.unasked), found, error)
            failed = await self._store.note(settings.connector, tick, now, settings.ticket_after)
        if found:
            return Pulled(asked=len(subjects), found=found)
        if asked.down:
            raise _again(error, settings.backoff_s[min(failed, len(settings.backoff_s)) - 1], "unavailable")
        took = asyncio.get_running_loop().time() - began
        full = len(subjects) == settings.batch
        raise _again("no news", 1 if full else max(1.0, settings.tick_s - took), "nothing_yet")

    async def _keep(self, source: str, asked: AskResult) -> int:
        facts = [(subject.order_no, fact) for subject, told in asked.answers for fact in told.facts]
        scans = [(source, scan) for _, told in asked.answers for scan in told.trace]
        return await self._findings.put(facts, scans, self._clock()) if facts or scans else 0

    @activity.defn(name="pull.may_ask")
    async def may_ask(self, wish: MayAsk) -> str:
        """Empty: ask. Else why not now."""
        connector = self._connectors.get(wish.connector)
        if connector is None:
            return ""
        spacing = timedelta(seconds=connector.spacing_s)
        last = await self._store.may_ask(wish.connector, wish.kind, wish.number, spacing, self._clock())
        if last is None:
            return ""
        again = (last + spacing).astimezone(SHANGHAI).strftime("%H:%M:%S")
        return f"{wish.connector} was asked about {wish.number} a short while ago; it allows it again at {again}"

    @activity.defn(name="pull.hand_over")
    async def hand_over(self, found: Found) -> Facts:
        """Into the inbox, and back with the rows' numbers: what the books know already is left out."""
        return Facts(facts=await self._findings.hand_over(found.order_no, found.facts, self._clock()))


def _again(text: str, wait_s: float, kind: str) -> ApplicationError:
    return ApplicationError(
        text,
        type=kind,
        next_retry_delay=timedelta(seconds=wait_s),
        category=ApplicationErrorCategory.BENIGN,
    )
