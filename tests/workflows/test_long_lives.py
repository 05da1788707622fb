"""An order that hears much, or lives long, goes on as a new run: nothing is lost, doubled or forgotten (N13, N19)."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.facts import Kind
from domain.states import RefundStatus
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, one_parcel_order, order_message, two_parcel_order
from tests.workflows.play import CANCEL, Play
from workflows.durable import continuing
from workflows.durable.carrying import VERSION
from workflows.order.messages import CancelOrder
from workflows.order.parcels.interception import UNANSWERED

WHENEVER_QUIET = 6
"""Events: the first task of a run has three, so this is after the first thing that happens in it."""
Life = Callable[[Play], Awaitable[None]]


def whenever_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuing, "MOST_EVENTS", WHENEVER_QUIET)


async def runs(play: Play) -> list[str]:
    """Of the order, the latest first."""
    found, client = [], play.env.client
    run_id = (await play.handle.describe()).run_id
    while run_id:
        found.append(run_id)
        handle = client.get_workflow_handle(play.handle.id, run_id=run_id)
        async for event in handle.fetch_history_events(page_size=1):
            run_id = event.workflow_execution_started_event_attributes.continued_execution_run_id
            break
    return found


async def length(play: Play, run_id: str) -> tuple[int, int]:
    """Of the history of one run: events, bytes."""
    raw = (await play.env.client.get_workflow_handle(play.handle.id, run_id=run_id).describe()).raw_description
    return raw.workflow_execution_info.history_length, raw.workflow_execution_info.history_size_bytes


# --- the same life, in one run and in as many as can be ---------------------------------------------------------------


async def shipped_and_received(play: Play) -> None:
    await play.start_paid(two_parcel_order(order_no="LIFE-1", channel_order_no="LIFE-1"))
    for kind in (Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED, Kind.COLLECTED, Kind.IN_TRANSIT):
        await play.happens(kind, 1, 2)
    await play.happens(Kind.COURIER_EXCEPTION, 2)
    await play.happens(Kind.SIGNED, 1)
    await play.happens(Kind.SIGNED, 1)
    await play.pass_time(timedelta(days=3))
    await play.happens(Kind.SIGNED, 2)
    await play.confirm()
    assert await play.finish() == "COMPLETED"


async def cancelled_in_part(play: Play) -> None:
    await play.start_paid(two_parcel_order(order_no="LIFE-1", channel_order_no="LIFE-1"))
    await play.ships(1)
    play.world.channel.refund_answers = ["PROCESSING"]
    await play.cancel()
    await play.pass_time(timedelta(days=2))
    assert await play.finish() == "COMPLETED"


async def short_and_refused(play: Play) -> None:
    """Tickets that wait, a refund that the books refuse first, a label that the carrier does not give."""
    play.world.fail("book", 9)
    await play.start_paid(two_parcel_order(order_no="LIFE-1", channel_order_no="LIFE-1"))
    await play.happens(Kind.PICKING, 1, 2)
    await play.happens(Kind.PACKED, 1, actual={"L1": 1})
    await play.happens(Kind.PACKED, 2)
    for ticket in [t for t in await play.tickets() if t.severity != "info"]:
        await play.resolve("give_up", ticket_id=ticket.ticket_id)
    await play.happens(Kind.WAYBILL_RETURNED, 1, 2, waybill_no="W1", carrier="SF")
    play.world.books.refusals["refund"] = "RefundExceedsPaid"
    for ticket in [t for t in await play.tickets() if t.severity != "info"]:
        await play.resolve("give_up", ticket_id=ticket.ticket_id)
    await play.pass_time(timedelta(days=1))
    for ticket in [t for t in await play.tickets() if t.severity != "info"]:
        await play.resolve("retry", ticket_id=ticket.ticket_id)
    await play.happens(Kind.SIGNED, 1, 2)
    assert await play.finish() == "COMPLETED"


async def never_paid_and_paid_late(play: Play) -> None:
    await play.start(two_parcel_order(order_no="LIFE-1", channel_order_no="LIFE-1"))
    await play.pass_time(timedelta(hours=1))
    await play.pay()
    assert await play.finish() == "CLOSED"


def books(play: Play) -> dict[str, Any]:
    """What the order has left in the books, without the times of the day on which it was played."""
    account = play.world.account
    return {
        "status": (account.last.status, account.last.payment_status, account.last.waiting_for, account.last.ended),
        "children": [(c.child_no, c.status, c.waybill_no, c.replaces, c.replaced_by) for c in account.last.children],
        "events": [(e.key, e.kind, e.outcome, e.from_status, e.to_status, e.note) for e in account.events],
        "moves": Counter((m.ref, m.kind, m.qty) for m in account.moves),
        "refunds": {no: (r.amount_minor, r.status, tuple(r.units.items())) for no, r in account.refunds.items()},
        "asked": [(c.refund_no, c.amount_minor) for c in play.world.channel.refund_calls],
        "tickets": Counter((t.system, t.step, t.child_no, t.severity) for t in account.tickets.values()),
        "answers": Counter((r.action, r.resolved_by) for r in account.resolutions.values()),
        "audit": [(a.actor, a.action) for a in account.audit],
        "pushes": list(play.world.goods.push_batches),
    }


@pytest.mark.parametrize(
    "life",
    [
        pytest.param(shipped_and_received, marks=pytest.mark.long),
        cancelled_in_part,
        pytest.param(short_and_refused, marks=pytest.mark.long),
        never_paid_and_paid_late,
    ],
)
async def test_a_life_in_many_runs_leaves_the_same_books(
    plays: Plays, monkeypatch: pytest.MonkeyPatch, life: Life
) -> None:
    left = []
    for most in (continuing.MOST_EVENTS, WHENEVER_QUIET):
        if most == WHENEVER_QUIET:
            whenever_quiet(monkeypatch)
        async with plays() as play:
            await life(play)
            left.append(books(play))
            count = len(await runs(play))
        assert count == 1 if most != WHENEVER_QUIET else count > 1
    for part, said in left[0].items():
        assert left[1][part] == said, part


async def test_a_run_that_is_large_goes_on_however_few_events_it_has(
    plays: Plays, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 60_000
    monkeypatch.setattr(continuing, "MOST_BYTES", most)
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1, 2)
        long_note = "x" * 400
        for n in range(60):
            scan = fact(Kind.COURIER_EXCEPTION, play.child(1), await play.now())
            await play.tell(scan.model_copy(update={"key": f"trouble {n}", "note": long_note}))
        lengths = [await length(play, run) for run in await runs(play)]
    assert len(lengths) > 2
    assert all(events < continuing.FEWEST_EVENTS and size < 2 * most for events, size in lengths)


# --- what is under way ------------------------------------------------------------------------------------------------


async def test_a_run_goes_on_only_when_the_handlers_have_answered(
    plays: Plays, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(2)
        play.world.goods.intercept[play.child(1)] = "pending"
        asked = await play.begin_cancel()
        whenever_quiet(monkeypatch)
        before = await runs(play)
        await play.happens(Kind.WMS_ACCEPTED, 1)
        assert await runs(play) == before, "the cancellation is not answered yet"
        await play.happens(Kind.INTERCEPTED, 1)
        assert (await play.answer(asked)).cancelled == (play.child(1),)
        await play.rest()
        assert len(await runs(play)) > len(before)
        again = await play.handle.execute_update("cancel", CANCEL, result_type=type(await play.answer(asked)))
        assert again == await play.answer(asked), "who did not hear the answer is given it by the next run"
        with pytest.raises(WorkflowUpdateFailedError):
            await play.handle.execute_update("cancel", CancelOrder(by="buyer", reason="another"))


async def test_a_stop_without_an_answer_ends_before_its_run_has_no_room_left(
    plays: Plays, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(2)
        play.world.goods.intercept[play.child(1)] = "pending"
        asked = await play.begin_cancel()
        await play.pass_time(timedelta(hours=3))
        assert (await play.ticket()).step == UNANSWERED
        whenever_quiet(monkeypatch)
        monkeypatch.setattr(continuing, "MOST_WAITED", 100)
        trouble = fact(Kind.COURIER_EXCEPTION, play.child(2), await play.now())
        for day in range(20):
            await play.tell(trouble.model_copy(update={"key": f"trouble of day {day}"}))
        assert (await play.answer(asked)).too_late == (play.child(1), play.child(2))
        latest, *_, first = await runs(play)
        assert latest != first and (await length(play, first))[0] < 120
        assert UNANSWERED in await play.notes()
        await play.happens(Kind.INTERCEPTED, 1)  # the warehouse has stopped it all the same
        await play.happens(Kind.SIGNED, 2)
        assert await play.finish() == "COMPLETED"
        assert play.world.account.refunded_minor == play.world.account.plans[0].paid_minor


async def test_what_may_be_sent_at_will_is_refused_where_a_run_has_no_room_for_it(
    plays: Plays, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        monkeypatch.setattr(continuing, "MOST_WAITED", 10)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await play.refresh()
        assert getattr(refused.value.cause, "type", "") == "TooOften"
        assert (await play.cancel()).cancelled == (play.child(1),)


async def test_a_refund_may_take_sixty_days(plays: Plays, monkeypatch: pytest.MonkeyPatch) -> None:
    whenever_quiet(monkeypatch)
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.channel.refund_answers = ["PROCESSING"] * 500
        await play.cancel()
        number = f"R{play.order.order_no}-C01"
        for _ in range(12):
            await play.pass_time(timedelta(days=5))
        assert play.world.account.refunds[number].status is RefundStatus.ACCEPTED
        assert [t.step for t in await play.tickets()].count("refund takes long") == 1
        await play.tell(play.world.channel.refund_fact(play.order.order_no, number, "SUCCEEDED", await play.now()))
        assert play.world.account.refunds[number].status is RefundStatus.SUCCEEDED
        assert await play.finish() == "CLOSED"
        assert Counter(c.refund_no for c in play.world.channel.refund_calls)[number] == 1


async def test_what_was_told_while_everybody_was_away_for_two_days_counts(
    plays: Plays, monkeypatch: pytest.MonkeyPatch
) -> None:
    whenever_quiet(monkeypatch)
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1, 2)
    now = await play.now()
    await play.env.fast_forward(play.handle, timedelta(hours=48))
    for kind in (Kind.COLLECTED, Kind.IN_TRANSIT, Kind.SIGNED):
        await play.signal(*(fact(kind, play.child(n), now) for n in (1, 2)))
    async with play.worker():
        await play.rest()
        assert await play.statuses() == ("DELIVERED", "SIGNED", "SIGNED")
        assert await play.finish() == "COMPLETED"
    play.world.check()


# --- the door ---------------------------------------------------------------------------------------------------------


async def test_nobody_can_start_an_order_with_a_state(plays: Plays) -> None:
    async with plays() as play:
        message = {"version": VERSION, "whole": {"start": "{}", "state": {"_registered": True}}}
        number = order_message()["order_no"]
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await play.place(message, f"order/{number}")
        assert "order_no" in str(refused.value.cause)
        assert not play.world.books.accounts


def test_the_thresholds_are_far_below_the_servers_limits() -> None:
    assert continuing.MOST_EVENTS <= 10_000 and continuing.MOST_BYTES <= 5_000_000
