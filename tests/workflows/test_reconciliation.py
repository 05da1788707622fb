"""The nightly comparison: once a night at its hour, page by page, a second look before anybody is bothered."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.money.bills import BillNotRead, BillOfDay, BillsAsked, BillsDue
from activities.reconciling import DayDone, Page, PageDone
from tests.raw_messages import STRANGE
from tests.workflows.play import kinds, until
from workflows.loops.reconciliation import DAILY_WORKFLOW, MOST_CALLED, Daily, DailyWorkflow

SHANGHAI = timezone(timedelta(hours=8))


class Night:
    """Three pages of orders to compare, one to look at again."""

    def __init__(self) -> None:
        self.pages: list[tuple[datetime, Page]] = []
        self.done: list[DayDone] = []
        self.fails = 0
        self.bills = [BillOfDay(channel="wechat", day="2026-03-01")]
        self.away = ""
        self.read: list[datetime] = []
        self.not_read: list[BillNotRead] = []

    @activity.defn(name="reconcile.page")
    async def page(self, page: Page) -> PageDone:
        if self.fails:
            self.fails -= 1
            raise ApplicationError("the database is away")
        self.pages.append((activity.info().current_attempt_scheduled_time, page))
        last = {"": "B", "B": "D", "D": "F"} if page.since is not None else {"": "C"}
        if page.after not in last:
            return PageDone()
        return PageDone(last=last[page.after], looked_at=2, asked=5, unanswered=1)

    @activity.defn(name="reconcile.day_done")
    async def day_done(self, day: DayDone) -> None:
        self.done.append(day)

    @activity.defn(name="bills.due")
    async def bills_due(self, _asked: BillsAsked) -> BillsDue:
        return BillsDue(bills=tuple(self.bills))

    @activity.defn(name="bills.read")
    async def read_bill(self, bill: BillOfDay) -> None:
        self.read.append(activity.info().current_attempt_scheduled_time)
        if bill.channel == self.away:
            raise ApplicationError("alipay HTTP 500: the file is not given", type="UnknownOutcome")
        self.bills.remove(bill)

    @activity.defn(name="bills.not_read")
    async def bill_not_read(self, bill: BillNotRead) -> None:
        self.not_read.append(bill)

    @property
    def activities(self) -> list[Any]:
        return [self.page, self.day_done, self.bills_due, self.read_bill, self.bill_not_read]


@asynccontextmanager
async def nights(env: WorkflowEnvironment, night: Night, **how: Any) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    queue = f"daily-{uuid.uuid4().hex}"
    async with Worker(
        env.client, task_queue=queue, workflows=[DailyWorkflow], activities=night.activities,
        build_id="tests",
    ):  # fmt: skip
        with env.with_time_skipping_disabled():
            handle = await env.client.start_workflow(
                DAILY_WORKFLOW, Daily(**how), id=f"reconcile/{queue}", task_queue=queue
            )
        try:
            yield handle
        finally:
            await env.client.get_workflow_handle(handle.id).terminate()


async def test_every_night_once_all_pages_then_what_differed(skipping: WorkflowEnvironment) -> None:
    night = Night()
    async with nights(skipping, night) as handle:
        await skipping.fast_forward(handle, timedelta(hours=48, minutes=10))
        await until(lambda: len(night.done) == 2, "two nights")
    first = [(at.astimezone(SHANGHAI), page) for at, page in night.pages[:6]]
    assert [(page.after, page.since is None) for _, page in first] == [
        ("", False), ("B", False), ("D", False), ("F", False), ("", True), ("C", True),
    ]  # fmt: skip
    assert (first[0][0].hour, first[0][0].minute) == (3, 30)
    assert first[4][0] - first[3][0] >= timedelta(minutes=5), "time to heal"
    yesterday = first[0][0].date() - timedelta(days=1)
    assert {page.day for _, page in first} == {yesterday.isoformat()}
    assert first[0][1].since == datetime(yesterday.year, yesterday.month, yesterday.day, tzinfo=SHANGHAI)
    assert night.done[0] == DayDone(day=yesterday.isoformat(), looked_at=6, asked=20, unanswered=4)
    assert night.done[1].day == (yesterday + timedelta(days=1)).isoformat()


async def test_a_page_that_fails_is_tried_again(skipping: WorkflowEnvironment) -> None:
    night = Night()
    night.fails = 3
    async with nights(skipping, night) as handle:
        await handle.signal("run_now")
        await skipping.fast_forward(handle, timedelta(minutes=30))
        await until(lambda: bool(night.done), "the day is compared")
    assert night.done[0].looked_at == 6


async def test_bills_are_read_after_the_comparison_and_one_that_cannot_be_is_a_ticket(
    skipping: WorkflowEnvironment,
) -> None:
    night = Night()
    night.bills.insert(0, BillOfDay(channel="alipay", day="2026-03-01"))
    night.away = "alipay"
    later = (datetime.now(UTC) + timedelta(hours=12)).astimezone(SHANGHAI)  # not while it is looked at
    async with nights(skipping, night, hour=later.hour, minute=later.minute) as handle:
        await handle.signal("run_now")
        await skipping.fast_forward(handle, timedelta(hours=2))
        await until(lambda: bool(night.not_read) and len(night.bills) == 1, "the bills are read")
    assert len(night.done) == 1
    waits = [later - earlier for earlier, later in zip(night.read, night.read[1:4], strict=False)]
    assert [round(wait / timedelta(minutes=5)) for wait in waits] == [1, 2, 4], "one try and three more"
    (asked,) = night.not_read
    assert (asked.channel, "the file is not given" in asked.why) == ("alipay", True)
    assert night.bills == [BillOfDay(channel="alipay", day="2026-03-01")], "the other channel's was read all the same"


async def test_it_runs_when_asked_to_and_takes_new_hours(skipping: WorkflowEnvironment) -> None:
    night = Night()
    async with nights(skipping, night, settle_s=1) as handle:
        await handle.signal("run_now")
        await until(lambda: bool(night.pages), "the first page")
        await skipping.fast_forward(handle, timedelta(seconds=5))
        await until(lambda: len(night.done) == 1, "the day is compared")
        next_run = skipping.client.get_workflow_handle(handle.id)
        await next_run.signal("configure", Daily(hour=5, minute=0, settle_s=1))
        seen = len(night.pages)
        await skipping.fast_forward(next_run, timedelta(hours=24, minutes=5))
        await until(lambda: len(night.done) == 2, "the next night")
    at = night.pages[seen][0].astimezone(SHANGHAI)
    assert (at.hour, at.minute) == (5, 0)


async def test_new_settings_and_a_wish_told_together_both_count(skipping: WorkflowEnvironment) -> None:
    """Whether they arrive in one workflow task or in two."""
    night = Night()
    queue = f"daily-{uuid.uuid4().hex}"
    with skipping.with_time_skipping_disabled():
        handle = await skipping.client.start_workflow(
            DAILY_WORKFLOW, Daily(settle_s=86_000), id=f"reconcile/{queue}", task_queue=queue
        )
        await handle.signal("configure", Daily(settle_s=1))
        await handle.signal("run_now")
    async with Worker(
        skipping.client, task_queue=queue, workflows=[DailyWorkflow], activities=night.activities,
        build_id="tests",
    ):  # fmt: skip
        await until(lambda: len(night.pages) == 4, "the first round")
        await skipping.fast_forward(handle, timedelta(seconds=5))
        await until(lambda: len(night.done) == 1, "the day is compared")
        await skipping.client.get_workflow_handle(handle.id).terminate()


async def test_a_run_asked_for_while_one_is_under_way_follows_it(skipping: WorkflowEnvironment) -> None:
    night = Night()
    async with nights(skipping, night, settle_s=600) as handle:
        await handle.signal("run_now")
        await until(lambda: len(night.pages) == 4, "the first round")
        await handle.signal("run_now")
        await skipping.fast_forward(handle, timedelta(minutes=11))
        await until(lambda: len(night.pages) >= 10, "the next run begins at once")
    assert night.pages[6][0] - night.pages[5][0] < timedelta(minutes=5)


async def test_so_many_runs_a_day_are_asked_for_and_no_more(skipping: WorkflowEnvironment) -> None:
    """`run_now` has no seal: partners are asked no faster, whoever sends it however often."""
    now = datetime.now(UTC)
    later = (now + timedelta(hours=12)).astimezone(SHANGHAI)
    today = {"called_on": now.date().isoformat(), "called": MOST_CALLED - 1, "hour": later.hour, "minute": later.minute}
    night = Night()
    async with nights(skipping, night, settle_s=1, **today) as handle:
        for _ in range(3):
            await handle.signal("run_now")
        await until(lambda: bool(night.pages), "the last run of the day")
        await skipping.fast_forward(handle, timedelta(seconds=5))
        await until(lambda: len(night.done) == 1, "the day is compared")
        next_run = skipping.client.get_workflow_handle(handle.id)
        for _ in range(3):
            await next_run.signal("run_now")
        await skipping.fast_forward(next_run, timedelta(minutes=30))
    assert len(night.done) == 1


async def test_settings_of_any_shape_stop_nothing_and_change_nothing(skipping: WorkflowEnvironment) -> None:
    night = Night()
    async with nights(skipping, night) as handle:
        for arguments in STRANGE.values():
            await handle.signal("configure", args=list(arguments))
        await skipping.fast_forward(handle, timedelta(hours=24, minutes=10))
        await until(lambda: len(night.done) == 1, "the night is compared")
        assert kinds(await handle.fetch_history())["WORKFLOW_TASK_FAILED"] == 0
    at = night.pages[0][0].astimezone(SHANGHAI)
    assert (at.hour, at.minute) == (3, 30)
