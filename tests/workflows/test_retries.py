"""One try and three retries, then a person (R09, R10, S05): when, how often, and what the ticket says."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.facts import Kind
from domain.policy import Policy
from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order, parcels_order, two_parcel_order
from tests.workflows.play import Play
from tests.workflows.world import World
from workflows.messages import ResolveTicket

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


async def push_ticket(play: Play, how: Any = "retry", **start: Any) -> None:
    """Paid, and the warehouse takes nothing: a ticket is open."""
    play.world.fail("push", how=how)
    await play.start(one_parcel_order(), **start)
    await play.pay()
    await play.pass_time(36 * SECOND)
    assert (await play.ticket()).step == "push outbound"


async def test_a_push_is_tried_after_5_10_and_20_seconds_then_a_person_is_asked(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("push")
        await play.start_paid(one_parcel_order())
        await play.pass_time(34 * SECOND)
        assert play.world.faults.gaps("push") == [5, 10] and not await play.tickets()
        await play.pass_time(2 * SECOND)
        assert play.world.faults.gaps("push") == [5, 10, 20]
        ticket = await play.ticket()
        assert (ticket.system, ticket.step, ticket.child_no) == ("qimen", "push outbound", play.child(1))
        assert "does not answer" in ticket.error and ticket.actions == ("retry", "supply", "give_up")
        await play.pass_time(HOUR)
        assert play.world.calls["push"] == 4, "nothing is tried behind the back of the person who was asked"


async def test_a_push_that_works_on_the_last_try_needs_nobody(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("push", 3, "unknown")
        await play.start_paid(one_parcel_order())
        await play.pass_time(36 * SECOND)
        assert play.world.goods.pushed == [play.child(1)] and not await play.tickets()


async def test_the_warehouse_refusing_is_a_question_at_once(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("push", how="refused", item="")
        await play.start_paid(one_parcel_order())
        assert (await play.ticket()).step == "push outbound" and play.world.calls["push"] == 1


async def test_one_parcel_refused_leaves_the_other_on_its_way(plays: Plays) -> None:
    async with plays() as play:
        order = two_parcel_order()
        play.world.fail("push", how="refused", item=f"{order.order_no}-02")
        await play.start_paid(order)
        assert (await play.ticket()).child_no == play.child(2) and play.world.calls["push"] == 1
        await play.ships(1)
        assert await play.statuses() == ("PARTIALLY_SHIPPED", "SHIPPED", "RELEASED")


async def test_one_parcel_failing_to_the_end_leaves_the_other_on_its_way_and_one_ticket(plays: Plays) -> None:
    async with plays() as play:
        order = two_parcel_order()
        play.world.fail("push", item=f"{order.order_no}-01")
        await play.start_paid(order)
        await play.pass_time(36 * SECOND)
        assert (await play.ticket()).child_no == play.child(1) and play.world.goods.pushed == [play.child(2)]
        await play.ships(2)
        play.world.faults.heal()
        await play.resolve("retry")
        assert play.world.goods.push_batches[-1] == (play.child(1),), "only the one that is missing"
        await play.ships(1)
        assert await play.statuses() == ("SHIPPED", "SHIPPED", "SHIPPED")


async def test_retry_pushes_again_and_the_parcel_goes_on(plays: Plays) -> None:
    async with plays() as play:
        await push_ticket(play)
        play.world.faults.heal()
        await play.resolve("retry")
        assert play.world.goods.pushed == [play.child(1)] and not await play.tickets()
        await play.ships(1)
        assert await play.finish() == "COMPLETED"


async def test_retry_that_fails_asks_again(plays: Plays) -> None:
    async with plays() as play:
        await push_ticket(play)
        first = await play.ticket()
        await play.resolve("retry")
        await play.pass_time(36 * SECOND)
        assert (await play.ticket()).ticket_id != first.ticket_id and play.world.calls["push"] == 8


async def test_a_push_done_by_hand_is_supplied(plays: Plays) -> None:
    async with plays() as play:
        await push_ticket(play)
        await play.resolve("supply", {"wms_ref": "BY-HAND"})
        assert not await play.tickets() and play.world.calls["push"] == 4
        await play.ships(1)
        assert await play.statuses() == ("SHIPPED", "SHIPPED")


async def test_giving_a_push_up_cancels_the_parcel_and_gives_its_money_back(plays: Plays) -> None:
    async with plays() as play:
        order = two_parcel_order()
        play.world.fail("push", item=f"{order.order_no}-01")
        await play.start_paid(order)
        await play.pass_time(36 * SECOND)
        await play.resolve("give_up")
        assert await play.statuses() == ("AWAITING_SHIPMENT", "CANCELLED", "RELEASED")
        await play.ships(2)
        assert await play.finish() == "COMPLETED"
    (plan, _) = play.world.account.plans
    assert play.world.account.refunded_minor == plan.paid_minor
    assert play.world.account.moved("release") == {"CUP": 2} and play.world.account.moved("ship") == {"TEA": 1}


async def test_giving_up_the_last_open_parcel_lets_the_order_be_shipped(plays: Plays) -> None:
    async with plays() as play:
        order = two_parcel_order()
        play.world.fail("push", item=f"{order.order_no}-01")
        await play.start_paid(order)
        await play.pass_time(36 * SECOND)
        await play.ships(2)
        assert (await play.statuses())[0] == "PARTIALLY_SHIPPED"
        await play.resolve("give_up")
        assert (await play.statuses())[0] == "SHIPPED"
        await play.confirm()
        assert (await play.statuses())[0] == "COMPLETED"


async def test_giving_all_parcels_up_refunds_one_after_another_and_closes_the_order(plays: Plays) -> None:
    async with plays() as play:
        channel = play.world.channel
        play.world.fail("push", how="refused")
        await play.start_paid(parcels_order(4))
        channel.refund_answers = ["PROCESSING"] * 4
        for ticket in await play.tickets():
            await play.resolve("give_up", ticket_id=ticket.ticket_id)
        for asked in (1, 2, 3, 4):
            assert play.world.calls["refund"] == asked, "a channel takes one refund of an order a minute"
            await play.pass_time(timedelta(minutes=1))
        for call in list(channel.refund_calls):
            await play.tell(channel.refund_fact(play.order.order_no, call.refund_no, "SUCCEEDED", await play.now()))
        assert await play.finish() == "CLOSED"
    assert sorted(channel.refunds.values()) == [1000] * 4


@pytest.mark.parametrize("kind", [Kind.WMS_ACCEPTED, Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED])
async def test_the_warehouses_own_word_closes_the_ticket(plays: Plays, kind: Kind) -> None:
    """The push had arrived after all: what follows from it is proof."""
    async with plays() as play:
        await push_ticket(play, "unknown")
        await play.happens(kind, 1)
        assert not await play.tickets()
        (resolution,) = play.world.account.resolutions.values()
        assert (resolution.action, resolution.resolved_by) == ("evidence", "system")
        play.world.faults.heal()
        assert play.world.goods.pushed == []


async def test_an_answer_leaves_its_audit_entry(plays: Plays) -> None:
    async with plays() as play:
        await push_ticket(play)
        ticket = await play.ticket()
        await play.resolve("supply", {"wms_ref": "BY-HAND"})
        (entry,) = play.world.account.audit
        assert (entry.actor, entry.action) == ("ops", "ticket.resolve")
        assert entry.detail["ticket_id"] == ticket.ticket_id and entry.detail["remark"] == "seen"
        assert play.world.account.resolutions[ticket.ticket_id].result == {"wms_ref": "BY-HAND"}


async def test_an_answer_is_taken_when_it_is_in_the_books(plays: Plays) -> None:
    """Even when the database is away for longer than one workflow task."""
    async with plays() as play:
        await push_ticket(play, task_timeout=SECOND)
        books, ticket = play.world.books, await play.ticket()
        books.away = True
        given = ResolveTicket(ticket_id=ticket.ticket_id, action="give_up", remark="seen", by="ops")
        answer = asyncio.ensure_future(play.handle.execute_update("resolve_ticket", given))
        await play.until_history(lambda events: events["WORKFLOW_EXECUTION_UPDATE_ACCEPTED"] == 1)
        assert not answer.done() and not play.world.account.audit
        books.away = False
        await answer
        assert play.world.account.audit


@pytest.mark.parametrize(
    ("action", "result", "ticket_id", "kind"),
    [
        ("supply", {"wms_ref": 1}, "", "BadResult"),
        ("supply", {"wms_ref": "W", "extra": 1}, "", "BadResult"),
        ("supply", None, "", "BadResult"),
        ("retry", {"wms_ref": "W"}, "", "BadResult"),
        ("retry", None, "T-nobody-1", "NoSuchTicket"),
    ],
)
async def test_an_answer_that_does_not_fit_is_refused_before_history(
    plays: Plays, action: str, result: dict[str, Any] | None, ticket_id: str, kind: str
) -> None:
    async with plays() as play:
        await push_ticket(play)
        before = len((await play.history()).events)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await play.resolve(action, result, ticket_id=ticket_id)
        assert isinstance(refused.value.cause, ApplicationError) and refused.value.cause.type == kind
        assert len((await play.history()).events) == before
        assert await play.ticket()


async def test_a_ticket_is_answered_once(plays: Plays) -> None:
    async with plays() as play:
        await push_ticket(play)
        number = (await play.ticket()).ticket_id
        await play.resolve("supply", {"wms_ref": "W"})
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await play.resolve("give_up", ticket_id=number)
        assert isinstance(refused.value.cause, ApplicationError) and refused.value.cause.type == "NoSuchTicket"


async def test_a_label_that_cannot_be_printed_is_a_question_and_the_warehouses_number_answers_it(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("book")
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.PACKED, 1)
        await play.pass_time(36 * SECOND)
        assert (await play.ticket()).step == "book waybill label"
        await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no="SF1000000000001", carrier="SF")
        assert not await play.tickets()
        assert (await play.view()).children[0].waybill_no == "SF1000000000001"


async def test_a_retried_refund_waits_a_minute_and_keeps_its_number(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        play.world.fail("refund", 3)
        await play.cancel()
        await play.pass_time(timedelta(minutes=4))
        assert play.world.faults.gaps("refund") == [60, 60, 60] and not await play.tickets()
        assert {c.refund_no for c in play.world.channel.refund_calls} == {f"R{play.order.order_no}-C01"}
        assert await play.finish() == "CLOSED"
    assert play.world.channel.refunds == {f"R{play.order.order_no}-C01": 10_600}


async def test_waits_follow_the_policy_the_order_started_with(plays: Plays) -> None:
    async with plays(World(Policy(retry_backoff_s=(1, 2, 3)))) as play:
        play.world.fail("push")
        await play.start_paid(one_parcel_order())
        await play.pass_time(7 * SECOND)
        assert play.world.faults.gaps("push") == [1, 2, 3] and await play.ticket()
