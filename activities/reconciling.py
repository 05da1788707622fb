"""One page of the daily comparison of three books: sources, workflows, tables (R65)."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from temporalio import activity

from activities.connectors import Connector, SystemAnswer, ask_each, connector_of
from domain.clock import Clock
from domain.polling.reconciling import BooksSnapshot, Drift, against_source, against_view
from domain.strict import Strict
from providers.callbacks import TracePoint
from store.outside_money.found import MoneyAfterEnd
from store.polling.due import Subject
from store.polling.poll_results import FindingStore
from store.polling.polling import PullStore
from store.polling.reconciling import Compared, ReconcileStore

View = Callable[[str], Awaitable[Mapping[str, Any] | None]]
SECOND_LOOK_S = 2.0
"""An order that is just moving differs from its tables for a moment."""
FORGET = timedelta(days=40)


class Page(Strict):
    """`since`: orders written to since then; None: those whose differences have not healed. `after`: the last order
    number of the page before."""

    day: str
    since: AwareDatetime | None
    after: str = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    rate_per_s: Annotated[int, Field(ge=1, le=1_000)] = 20
    at_once: Annotated[int, Field(ge=1, le=100)] = 8


class PageDone(Strict):
    """`last`: empty when there was nothing left."""

    last: str = ""
    looked_at: int = 0
    asked: int = 0
    unanswered: int = 0
    drifts: int = 0


class DayDone(Strict):
    day: str
    looked_at: int
    asked: int
    unanswered: int


@dataclass
class _Answers:
    """What the sources said, by subject; and of whom nothing was heard."""

    told: list[tuple[Compared, Subject, SystemAnswer]] = field(default_factory=list)
    scans: list[tuple[str, TracePoint]] = field(default_factory=list)
    unclear: set[tuple[str, str]] = field(default_factory=set)
    asked: int = 0
    unanswered: int = 0


class ReconcileActivities:
    def __init__(
        self,
        store: ReconcileStore,
        pulls: PullStore,
        findings: FindingStore,
        after_end: MoneyAfterEnd,
        connectors: Mapping[str, Connector],
        view: View,
        clock: Clock,
    ) -> None:
        self._store = store
        self._pulls = pulls
        self._findings = findings
        self._after_end = after_end
        self._connectors = connectors
        self._view = view
        self._clock = clock

    @activity.defn(name="reconcile.page")
    async def page(self, page: Page) -> PageDone:
        """Compares, notes what differs (or, without `since`, what has healed) and puts what was missing into the
        inbox, where the orders hear of it as of any message."""
        if page.since is None:
            numbers = await self._store.drifting(page.after, page.limit)
        else:
            numbers = await self._store.changed(page.since, page.after, page.limit)
        if not numbers:
            return PageDone()
        orders = await self._store.standing(numbers)
        answers = await self._ask(orders, page)
        await self._keep(answers)
        drifts = [
            drift
            for order, subject, told in answers.told
            for drift in against_source(order.books, subject.kind, subject.number, subject.child_no, told.facts)
        ]
        drifts += await self._against_views(orders, page)
        books, now = [o.books for o in orders], self._clock()
        if page.since is None:
            await self._store.settle(books, drifts, answers.unclear, now)
        else:
            await self._store.note(date.fromisoformat(page.day), drifts, now)
        return PageDone(
            last=numbers[-1],
            looked_at=len(orders),
            asked=answers.asked,
            unanswered=answers.unanswered,
            drifts=len(drifts),
        )

    @activity.defn(name="reconcile.day_done")
    async def day_done(self, day: DayDone) -> None:
        now = self._clock()
        await self._store.done(date.fromisoformat(day.day), day.looked_at, day.asked, day.unanswered, now)
        await self._pulls.prune(now - FORGET)

    # --- the sources -------------------------------------------------------------------------------------------------

    async def _ask(self, orders: Sequence[Compared], page: Page) -> _Answers:
        answers, owner = _Answers(), {}
        by_system: defaultdict[str, list[Subject]] = defaultdict(list)
        for order in orders:
            for subject in order.subjects:
                name = connector_of(self._connectors, order.channel, subject)
                if name is None or not await self._allowed(name, subject):
                    answers.unclear.add((subject.kind, subject.number))
                    continue
                owner[subject] = order
                by_system[name].append(subject)
        for name, subjects in by_system.items():
            asked = await ask_each(self._connectors[name].ask, subjects, page, activity.heartbeat)
            answers.told += [(owner[subject], subject, told) for subject, told in asked.answers]
            answers.scans += [(name, scan) for _, told in asked.answers for scan in told.trace]
            answered = {subject for subject, _ in asked.answers}
            answers.unclear |= {(s.kind, s.number) for s in subjects if s not in answered}
            answers.asked += len(subjects)
            answers.unanswered += len(subjects) - len(answered)
        return answers

    async def _allowed(self, name: str, subject: Subject) -> bool:
        """Only couriers count how often one asks about the same parcel."""
        if subject.kind != "parcel":
            return True
        spacing = timedelta(seconds=self._connectors[name].spacing_s)
        last = await self._pulls.may_ask(name, subject.kind, subject.number, spacing, self._clock())
        return last is None

    async def _keep(self, answers: _Answers) -> None:
        # Of an ended order nobody listens any more: the difference itself is what people need to see, and money that
        # is not its own.
        for order, subject, told in answers.told:
            news = [f for f in told.facts if f.key not in order.books.known]
            if order.books.ended and news:
                await self._after_end.keep(subject.order_no, news, self._clock())
        facts = [(s.order_no, f) for order, s, told in answers.told if not order.books.ended for f in told.facts]
        if facts or answers.scans:
            await self._findings.put(facts, answers.scans, self._clock())

    # --- the workflows -----------------------------------------------------------------------------------------------

    async def _against_views(self, orders: Sequence[Compared], page: Page) -> list[Drift]:
        slots = asyncio.Semaphore(page.at_once)

        async def one(books: BooksSnapshot) -> list[Drift]:
            async with slots:
                drifts = await self._look(books)
                activity.heartbeat()
            return drifts

        found = await asyncio.gather(*(one(order.books) for order in orders))
        suspects = [d.order_no for drifts in found for d in drifts]
        if not suspects:
            return []
        await asyncio.sleep(SECOND_LOOK_S)
        again = await asyncio.gather(*(one(order.books) for order in await self._store.standing(suspects)))
        return [d for drifts in again for d in drifts]

    async def _look(self, books: BooksSnapshot) -> list[Drift]:
        return [] if books.ended else against_view(books, await self._view(books.order_no))
