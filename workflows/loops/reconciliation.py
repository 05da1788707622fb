"""The daily reconciliation, `reconcile/daily`: every night the books are compared with everybody else's (R65).

A workflow with a timer and not a Temporal schedule: it has one name, shows what it waits for, carries its cursor when
it continues as new, and runs the same in tests on skipped time (decision 0007).
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, NoReturn

from pydantic import Field
from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.money.bills import BillActivities, BillNotRead, BillsAsked
    from activities.reconciling import DayDone, Page, PageDone, ReconcileActivities
    from domain.polling.reconciling import day_before, next_run
    from domain.strict import Strict, UnableToRead
    from workflows.durable.raw_messages import NO_ARGUMENT, StartRefused, read_only_one
    from workflows.durable.seals import answered
    from workflows.loops.signals import LoopSignals, start_settings, until_told_otherwise

DAILY_WORKFLOW = "ReconcileDaily"
DAILY_WORKFLOW_ID = "reconcile/daily"
MOST_EVENTS = 1_500
MOST_CALLED = 12
"""Runs a day that may be asked for: `run_now` carries nothing, so no seal, and anybody in the namespace can send it."""
ONE_PAGE = timedelta(minutes=5)
SILENCE = timedelta(seconds=45)
STORE_STEP = timedelta(seconds=10)
ONE_BILL = timedelta(minutes=15)
BILL_RETRY = RetryPolicy(initial_interval=timedelta(minutes=5), backoff_coefficient=2.0, maximum_attempts=4)
"""A channel that is away at night mostly is there again half an hour later. Then a ticket, and the next night."""


class Progress(Strict):
    """Where a day's run stands. `settling`: the second round, over what differed in the first."""

    day: str
    since: str
    after: str = ""
    settling: bool = False
    looked_at: int = 0
    asked: int = 0
    unanswered: int = 0


class Daily(Strict):
    """When (Asia/Shanghai) and how gently. `settle_s`: time for what was found to reach the orders; what differs after
    it is a ticket."""

    hour: Annotated[int, Field(ge=0, le=23)] = 3
    minute: Annotated[int, Field(ge=0, le=59)] = 30
    page: Annotated[int, Field(ge=1, le=500)] = 100
    rate_per_s: Annotated[int, Field(ge=1, le=1_000)] = 20
    at_once: Annotated[int, Field(ge=1, le=100)] = 8
    settle_s: Annotated[int, Field(ge=1, le=86_400)] = 300
    progress: Progress | None = None
    asked: bool = False
    """Somebody asked for a run while one was under way: the next begins at once."""
    called_on: str = ""
    called: int = 0
    """So many runs of that day (UTC) began because somebody asked for them."""


@workflow.defn(name=DAILY_WORKFLOW)
class DailyWorkflow(LoopSignals):
    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        self._changed = False
        try:
            self._settings = start_settings(Daily, raw)
        except StartRefused as refused:
            self._refused = refused
            return
        self._at_once = self._settings.asked
        self._progress = self._settings.progress

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> None:
        if self._refused is not None:
            raise self._refused.error()
        await until_told_otherwise(self._one_day(), lambda: self._go_on(self._progress))

    async def _one_day(self) -> None:
        self._progress = progress = self._progress or await self._wait()
        if progress is not None:
            settle = timedelta(seconds=self._settings.settle_s)
            if not progress.settling:
                progress = await self._round(progress)
                workflow.set_current_details(f"{progress.day}: {progress.looked_at} orders compared; settling")
                await workflow.sleep(settle, summary="time to heal")
                self._progress = progress = progress.model_copy(update={"settling": True, "after": ""})
            progress = await self._round(progress)
            await self._finish(progress)
            await self._bills()
        self._go_on(None)

    def _go_on(self, progress: Progress | None) -> NoReturn:
        """As a new run that forgets neither the settings nor that somebody asked for a run."""
        workflow.continue_as_new(self._settings.model_copy(update={"progress": progress, "asked": self._at_once}))

    def _hear(self, name: str, arguments: Sequence[RawValue]) -> None:
        if name == "configure":
            self._configure(read_only_one(Daily, arguments, "signal"))
        elif name == "run_now":
            self._at_once = self._at_once or self._called_today() < MOST_CALLED
        else:
            raise UnableToRead("the reconciliation knows no such signal")

    def _configure(self, settings: Daily) -> None:
        """New settings count from the next run on."""
        plain = self._settings.model_copy(update={"progress": None, "asked": False, "called_on": "", "called": 0})
        self._changed = self._changed or settings != plain
        kept = {"called_on": self._settings.called_on, "called": self._settings.called}
        self._settings = settings.model_copy(update=kept)

    def _called_today(self) -> int:
        return self._settings.called if self._settings.called_on == workflow.now().date().isoformat() else 0

    async def _wait(self) -> Progress | None:
        """The day to compare; None: other settings have come."""
        due = next_run(workflow.now(), self._settings.hour, self._settings.minute)
        workflow.set_current_details(f"waits for {due:%Y-%m-%d %H:%M} (Asia/Shanghai)")
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._at_once or self._changed,
                timeout=due - workflow.now(),
                timeout_summary="the next reconciliation",
            )
        if self._changed and not self._at_once:
            return None
        if self._at_once:
            today = workflow.now().date().isoformat()
            counted = {"called_on": today, "called": self._called_today() + 1}
            self._settings = self._settings.model_copy(update=counted)
        self._at_once = False
        since = day_before(workflow.now())
        return Progress(day=since.date().isoformat(), since=since.isoformat())

    async def _round(self, progress: Progress) -> Progress:
        while True:
            page = await self._page(progress)
            if not page.last:
                return progress
            self._progress = progress = progress.model_copy(
                update={
                    "after": page.last,
                    "looked_at": progress.looked_at + (0 if progress.settling else page.looked_at),
                    "asked": progress.asked + page.asked,
                    "unanswered": progress.unanswered + page.unanswered,
                }
            )
            if workflow.info().get_current_history_length() >= MOST_EVENTS:
                self._go_on(progress)

    async def _page(self, progress: Progress) -> PageDone:
        settings = self._settings
        page = Page(
            day=progress.day,
            since=None if progress.settling else datetime.fromisoformat(progress.since),
            after=progress.after,
            limit=settings.page,
            rate_per_s=settings.rate_per_s,
            at_once=settings.at_once,
        )
        return await answered(
            lambda: workflow.execute_activity_method(
                ReconcileActivities.page,
                page,
                start_to_close_timeout=ONE_PAGE,
                heartbeat_timeout=SILENCE,
                retry_policy=RetryPolicy(initial_interval=timedelta(seconds=10), maximum_interval=timedelta(minutes=5)),
                summary=f"{'settle' if progress.settling else 'compare'} after {progress.after or 'the beginning'}",
            )
        )

    async def _finish(self, progress: Progress) -> None:
        done = DayDone(
            day=progress.day,
            looked_at=progress.looked_at,
            asked=progress.asked,
            unanswered=progress.unanswered,
        )
        await workflow.execute_activity_method(
            ReconcileActivities.day_done, done, start_to_close_timeout=STORE_STEP, summary=f"{progress.day} is compared"
        )

    async def _bills(self) -> None:
        """Each channel's own bill is compared with the books, as soon as the day's is there; what they do not have, the
        orders hear of (domain/polling/bills.py)."""
        if not workflow.patched("the channels' bills are read"):
            return
        asked = BillsAsked(now=workflow.now())
        due = await answered(
            lambda: workflow.execute_activity_method(
                BillActivities.due, asked, start_to_close_timeout=STORE_STEP, summary="which bills are to be read"
            )
        )
        for bill in due.bills:
            try:
                await workflow.execute_activity_method(
                    BillActivities.read, bill, start_to_close_timeout=ONE_BILL, retry_policy=BILL_RETRY,
                    summary=f"bill of {bill.day} at {bill.channel}",
                )  # fmt: skip
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                unread = BillNotRead(channel=bill.channel, day=bill.day, why=str(error.cause or error)[:500])
                await workflow.execute_activity_method(
                    BillActivities.not_read, unread, start_to_close_timeout=STORE_STEP, summary="ask about the bill"
                )
