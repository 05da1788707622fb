"""Pulling: a lost message is made up for at the next tick, waiting costs nothing, an outage is told once (R12)."""

import asyncio
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities.polling import Pull
from domain.facts import Fact, Kind
from domain.polling.polling import LATE_AFTER, late
from tests.raw_messages import STRANGE
from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order
from tests.workflows.play import kinds, until
from tests.workflows.world.asked import Asked, answering
from workflows.loops import polling
from workflows.loops.start import PerpetualWorkflow, restart_ended

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def queue() -> str:
    return f"pull-{uuid.uuid4().hex}"


def paid(asked: Asked, number: str) -> Fact:
    fact = Fact(
        key=f"wechat:pay:{number}", kind=Kind.PAYMENT_SUCCEEDED, source="wechat", occurred_at=asked.ticks[-1],
        order_no=number, amount_minor=1, currency="CNY",
    )  # fmt: skip
    asked.answers[number] = lambda: (fact,)
    return fact


async def events(handle: WorkflowHandle[Any, Any]) -> Counter[str]:
    return kinds(await handle.fetch_history())


async def test_a_tick_every_thirty_seconds_costs_no_event_while_there_is_no_news(skipping: WorkflowEnvironment) -> None:
    asked = Asked()
    asked.add("T00001", "T00002")
    async with asked.pulling(skipping, queue()) as handle:
        await until(lambda: asked.ticks, "the first tick")
        before = await events(handle)
        await skipping.fast_forward(handle, 10 * MINUTE)
        cost = await events(handle) - before
    gaps = {round((b - a).total_seconds()) for a, b in zip(asked.ticks, asked.ticks[1:], strict=False)}
    assert gaps <= {30, 31} and len(asked.ticks) >= 19
    assert Counter(asked.asked).keys() == {"T00001", "T00002"} and min(Counter(asked.asked).values()) >= 19
    assert not cost


async def test_a_tick_with_news_costs_six_events(skipping: WorkflowEnvironment) -> None:
    asked = Asked()
    asked.add(*(f"T{n:05}" for n in range(5)))
    async with asked.pulling(skipping, queue()) as handle:
        await until(lambda: asked.ticks, "the first tick")
        before = await events(handle)
        for n in range(5):
            paid(asked, f"T{n:05}")
            await skipping.fast_forward(handle, 31 * SECOND)
        await until(lambda: len(asked.rows) == 5, "all found")
        cost = await events(handle) - before
    assert sum(cost.values()) <= 5 * 6, cost
    assert len(asked.found) == 5


async def test_one_question_that_fails_does_not_hold_the_others(skipping: WorkflowEnvironment) -> None:
    asked = Asked()
    asked.add("T00001", "T00002", "T00003")
    asked.faults.fail("ask", item="T00002")
    async with asked.pulling(skipping, queue()) as handle:
        await until(lambda: asked.ticks, "the first tick")
        for number in ("T00001", "T00003"):
            paid(asked, number)
        await skipping.fast_forward(handle, MINUTE)
        await until(lambda: len(asked.rows) == 2, "both others found")
    assert asked.failed == 0 and asked.tickets == []


async def test_a_system_that_is_down_is_left_alone_and_told_of_once(skipping: WorkflowEnvironment) -> None:
    asked = Asked()
    asked.add(*(f"T{n:05}" for n in range(50)))
    asked.faults.fail("ask", how="unknown")
    async with asked.pulling(skipping, queue(), at_once=4, backoff_s=(30, 60, 120), ticket_after=3) as handle:
        await until(lambda: asked.ticks, "the first tick")
        await skipping.fast_forward(handle, 30 * MINUTE)
        assert len(asked.tickets) == 1 and "does not answer" in asked.tickets[0]
        gaps = [round((b - a).total_seconds()) for a, b in zip(asked.ticks, asked.ticks[1:], strict=False)]
        assert [gap // 10 for gap in gaps[:3]] == [3, 6, 12] and {gap // 10 for gap in gaps[2:]} == {12}
        assert len(asked.asked) <= 4 * len(asked.ticks), "the first questions say enough"
        asked.faults.heal()
        paid(asked, "T00049")
        await skipping.fast_forward(handle, 3 * MINUTE)
        await until(lambda: "wechat:pay:T00049" in asked.rows, "the payment found after the outage")
    assert asked.failed == 0 and len(asked.tickets) == 1


async def test_more_than_a_batch_is_asked_about_without_waiting_for_the_tick(skipping: WorkflowEnvironment) -> None:
    asked = Asked()
    asked.add(*(f"T{n:05}" for n in range(30)))
    async with asked.pulling(skipping, queue(), batch=10, rate_per_s=1000) as handle:
        await until(lambda: asked.ticks, "the first tick")
        await skipping.fast_forward(handle, 10 * SECOND)
    assert len(set(asked.asked)) == 30


async def test_the_loop_goes_on_in_a_new_run_with_new_settings(skipping: WorkflowEnvironment) -> None:
    asked = Asked()
    asked.add("T00001")
    async with asked.pulling(skipping, queue()) as handle:
        await until(lambda: asked.ticks, "the first tick")
        await handle.signal("configure", Pull(connector="wechat"))
        same = await skipping.client.get_workflow_handle(handle.id).describe()
        assert same.run_id == handle.first_execution_run_id
        await handle.signal("configure", Pull(connector="wechat", tick_s=300))
        seen = len(asked.ticks)
        await until(lambda: len(asked.ticks) > seen, "the first tick of the next run")
        first = await skipping.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id).describe()
        assert first.status is not None and first.status.name == "CONTINUED_AS_NEW"


async def test_history_never_grows_beyond_its_measure(skipping: WorkflowEnvironment) -> None:
    asked = Asked()
    asked.ticks.append(datetime.now(UTC))
    numbers = [f"T{n:05}" for n in range(polling.MOST_EVENTS // 6 + 5)]
    asked.add(*numbers)
    for number in numbers:
        paid(asked, number)
    async with asked.pulling(skipping, queue(), batch=1) as handle:
        await until(lambda: len(asked.rows) == len(numbers), "all found")
        first = await skipping.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id).describe()
    assert first.status is not None and first.status.name == "CONTINUED_AS_NEW"
    assert first.history_length < polling.MOST_EVENTS + 20


# --- S03: the callback never comes -----------------------------------------------------------------------------------


async def test_a_payment_without_its_callback_is_found_within_a_tick_and_counts_as_in_step(plays: Plays) -> None:
    async with plays() as play:
        await play.start(one_parcel_order())
        number = play.order.order_no
        asked = Asked()
        asked.add(number)
        asked.answers[number] = answering(play.world.channel.captured, number)
        async with asked.pulling(play.env, queue()) as handle:
            await until(lambda: asked.ticks, "the first tick")
            await play.env.fast_forward(handle, 29 * MINUTE)
            await play.pass_time(29 * MINUTE)
            at = await play.env.get_current_time(handle)
            fact = play.world.channel.pay(number, play.order.payable_minor, at)
            await play.env.fast_forward(handle, 31 * SECOND)
            await until(lambda: asked.found, "the payment found")
        known = asked.rows[fact.key]
        assert timedelta(0) <= known - at <= 31 * SECOND and not late(at, known)
        await play.tell(*asked.found)  # as the relay does with every row of the inbox
        await play.pass_time(2 * MINUTE)
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED")
        assert play.world.channel.closed == []
        assert known - at < LATE_AFTER


async def test_paid_between_the_last_tick_and_the_deadline_the_order_asks_by_itself(plays: Plays) -> None:
    async with plays() as play:
        await play.start(one_parcel_order())
        await play.pass_time(29 * MINUTE + 50 * SECOND)
        paid_at = await play.now()
        await play.buyer_pays()
        await play.pass_time(15 * SECOND)
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED")
        assert play.world.channel.closed == [], "never closed, never cancelled"
        booked = next(w.at for w in play.world.account.writes if w.payment is not None)
        assert not late(paid_at, booked)


# --- refreshing goes the same way ------------------------------------------------------------------------------------


async def test_what_a_refresh_finds_has_a_row_in_the_inbox_and_is_applied_once(plays: Plays) -> None:
    async with plays() as play:
        await play.start(one_parcel_order())
        fact = await play.buyer_pays()
        await play.refresh()
        row = play.world.inbox.rows[play.order.order_no, fact.key]
        assert [(e.outcome.value, e.inbox_id) for e in play.world.account.events] == [("APPLIED", row)]
        await play.tell(fact)  # the callback after all
        outcomes = [o.value for o in play.world.account.outcomes(fact.key)]
        assert outcomes == ["APPLIED", "DUPLICATE"]


async def test_a_courier_that_was_just_asked_is_not_asked_again_for_a_person(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no="YT1000000000001", carrier="YTO")
        play.world.inbox.not_now["YT1000000000001"] = "kuaidi100 was asked about YT1 a short while ago"
        answer = await play.refresh()
        assert answer.changes == ("not asked: kuaidi100 was asked about YT1 a short while ago",)
        assert play.world.calls["courier query"] == 0


async def test_settings_of_any_shape_stop_nothing_and_change_nothing(skipping: WorkflowEnvironment) -> None:
    asked = Asked()
    asked.add("T00001")
    async with asked.pulling(skipping, queue()) as handle:
        await until(lambda: asked.ticks, "the first tick")
        for arguments in STRANGE.values():
            await handle.signal("configure", args=list(arguments))
            await handle.signal("no such signal", args=list(arguments))
        paid(asked, "T00001")
        await skipping.fast_forward(handle, MINUTE)
        await until(lambda: asked.rows, "the payment found")
        same = await skipping.client.get_workflow_handle(handle.id).describe()
        assert same.run_id == handle.first_execution_run_id
        assert (await events(handle))["WORKFLOW_TASK_FAILED"] == 0


async def test_a_loop_that_is_cancelled_with_temporals_button_goes_on(skipping: WorkflowEnvironment) -> None:
    asked = Asked()
    asked.add("T00001")
    async with asked.pulling(skipping, queue()) as handle:
        await until(lambda: asked.ticks, "the first tick")
        await handle.cancel()
        again = skipping.client.get_workflow_handle(handle.id)
        await skipping.fast_forward(again, 2 * MINUTE)
        paid(asked, "T00001")
        await skipping.fast_forward(again, MINUTE)
        await until(lambda: len(asked.rows) == 1, "found after it")
        assert (await again.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_a_loop_that_was_terminated_is_started_again_and_one_that_runs_is_left_alone(
    skipping: WorkflowEnvironment,
) -> None:
    loops = [PerpetualWorkflow(polling.PULL_WORKFLOW, f"reconcile/{queue()}", Pull(connector="wechat"))]
    handle = skipping.client.get_workflow_handle(loops[0].id)
    with skipping.with_time_skipping_disabled():
        await restart_ended(skipping.client, loops)
        await handle.terminate()
        async with asyncio.timeout(20):
            while (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING:
                await restart_ended(skipping.client, loops)
        query = f"WorkflowId = '{loops[0].id}' AND ExecutionStatus = 'Running'"
        async with asyncio.timeout(20):
            while not [w async for w in skipping.client.list_workflows(query)]:
                await asyncio.sleep(0)
        before = (await handle.fetch_history()).events[-1].event_id
        await restart_ended(skipping.client, loops)
        assert (await handle.fetch_history()).events[-1].event_id == before
        await handle.terminate()
