"""Cancelling before shipping: what can be stopped is stopped, only its money goes back (S22, N5)."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.facts import Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import CUPS, TEA, one_parcel_order, two_parcel_order
from workflows.order.messages import CancelOrder

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


async def refused(asked: Any, kind: str = "NotNow") -> None:
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await asked
    assert isinstance(caught.value.cause, ApplicationError) and caught.value.cause.type == kind


async def test_a_whole_order_is_stopped_and_refunded_in_one_refund(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        answer = await play.cancel()
        assert answer.cancelled == (play.child(1), play.child(2)) and not answer.too_late
        assert answer.refund_minor == 10_600
        assert await play.finish() == "CLOSED"
    world = play.world
    assert world.goods.intercepted == [play.child(1), play.child(2)]
    assert list(world.channel.refunds.values()) == [10_600] and world.calls["refund"] == 1
    assert world.account.moved("release") == {"CUP": 2, "TEA": 1}
    assert [e.action for e in world.account.audit] == ["order.cancel"]


async def test_every_interception_is_asked_before_any_refund(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        play.world.fail("cancel", 2)
        await play.begin_cancel()
        assert play.world.calls["refund"] == 0
        await play.pass_time(6 * SECOND)
        assert len(play.world.goods.intercepted) == 2 and play.world.calls["refund"] == 1


async def test_after_a_partial_shipment_only_the_rest_is_cancelled_and_refunded(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1)
        answer = await play.cancel()
        assert (answer.cancelled, answer.too_late) == ((play.child(2),), (play.child(1),))
        assert answer.refund_minor == TEA
        assert await play.statuses() == ("SHIPPED", "SHIPPED", "CANCELLED")
        assert await play.finish() == "COMPLETED"
    assert list(play.world.channel.refunds.values()) == [TEA] and play.world.goods.intercepted == [play.child(2)]


async def test_a_pending_interception_is_decided_by_the_warehouse(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.goods.intercept[play.child(1)] = "pending"
        asked = await play.begin_cancel()
        assert await play.statuses() == ("AWAITING_SHIPMENT", "INTERCEPTING") and play.world.calls["refund"] == 0
        await play.happens(Kind.INTERCEPTED, 1)
        assert (await play.answer(asked)).cancelled == (play.child(1),)
        assert await play.finish() == "CLOSED"
    assert list(play.world.channel.refunds.values()) == [6000], "once, not once for the fact and once for the request"


@pytest.mark.parametrize("kind", [Kind.WAYBILL_RETURNED, Kind.COLLECTED, Kind.SIGNED])
async def test_shipping_overtakes_a_pending_interception(plays: Plays, kind: Kind) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.goods.intercept[play.child(1)] = "pending"
        asked = await play.begin_cancel()
        await play.happens(kind, 1)
        answer = await play.answer(asked)
        assert (answer.cancelled, answer.too_late, answer.refund_minor) == ((), (play.child(1),), 0)
        assert await play.finish() == "COMPLETED"
    assert play.world.channel.refunds == {}


async def test_a_refused_interception_lets_the_parcel_go_on(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.goods.intercept[play.child(1)] = "pending"
        asked = await play.begin_cancel()
        await play.happens(Kind.PICKING, 1)
        assert (await play.statuses())[1] == "INTERCEPTING"
        await play.happens(Kind.INTERCEPT_REFUSED, 1)
        assert (await play.answer(asked)).too_late == (play.child(1),)
        assert await play.statuses() == ("AWAITING_SHIPMENT", "PICKING")
        await play.ships(1)
        assert await play.finish() == "COMPLETED"


async def test_too_late_at_the_warehouse_is_too_late(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.goods.intercept[play.child(1)] = "too_late"
        answer = await play.cancel()
        assert (answer.cancelled, answer.too_late) == ((), (play.child(1),))
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED")
        await play.ships(1)
        assert await play.finish() == "COMPLETED"


@pytest.mark.parametrize(
    ("action", "result", "ends"),
    [
        ("supply", {"result": "cancelled"}, "CLOSED"),
        ("supply", {"result": "too_late"}, "SHIPPED"),
        ("give_up", None, "SHIPPED"),
        ("evidence", None, "CLOSED"),
    ],
)
async def test_an_interception_without_an_answer_is_a_question_after_two_hours(
    plays: Plays, action: str, result: dict[str, Any] | None, ends: str
) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.goods.intercept[play.child(1)] = "pending"
        asked = await play.begin_cancel()
        await play.pass_time(2 * HOUR - 5 * SECOND)
        assert not await play.tickets()
        await play.pass_time(6 * SECOND)
        assert (await play.ticket()).step == "interception unanswered"
        if action == "evidence":
            await play.happens(Kind.INTERCEPTED, 1)
        else:
            await play.resolve(action, result)
        assert bool((await play.answer(asked)).cancelled) is (ends == "CLOSED")
        if ends == "SHIPPED":
            await play.ships(1)
        assert await play.finish() == ("CLOSED" if ends == "CLOSED" else "COMPLETED")
    assert play.world.account.refunded_minor == (6000 if ends == "CLOSED" else 0)


async def test_a_stop_that_comes_after_giving_up_still_gives_the_money_back_once(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.goods.intercept[play.child(1)] = "pending"
        await play.begin_cancel()
        await play.pass_time(2 * HOUR + SECOND)
        await play.resolve("give_up")
        await play.happens(Kind.INTERCEPTED, 1)
        assert await play.finish() == "CLOSED"
    assert list(play.world.channel.refunds.values()) == [6000]


async def test_a_cancelled_parcels_label_is_voided(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.happens(Kind.PICKING, 1, 2)
        await play.happens(Kind.PACKED, 1)
        assert play.world.goods.booked == [play.child(1)]
        await play.cancel()
        assert play.world.goods.voided == [play.child(1)]
        assert await play.finish() == "CLOSED"


async def test_a_label_is_voided_even_when_the_carrier_is_down_for_a_while(plays: Plays) -> None:
    """The order ends only when everything it owes the world is done."""
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.PACKED, 1)
        play.world.fail("void", 3)
        await play.cancel()
        assert await play.finish() == "CLOSED"
    assert play.world.goods.voided == [play.child(1)]


async def test_a_label_that_comes_back_after_the_cancellation_is_voided(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.fail("book", 1)
        await play.happens(Kind.PACKED, 1)
        await play.cancel()
        assert not play.world.last.ended
        assert await play.finish() == "CLOSED"
    assert play.world.goods.voided == play.world.goods.booked == [play.child(1)]
    assert play.world.account.children[0].waybill_no is None


async def test_a_label_is_voided_when_the_warehouse_cancels_by_itself(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.PACKED, 1)
        await play.happens(Kind.INTERCEPTED, 1)
        assert await play.finish() == "CLOSED"
    assert play.world.goods.voided == [play.child(1)]
    assert list(play.world.channel.refunds.values()) == [6000]


async def test_the_warehouse_cancelling_by_itself_refunds_that_parcel(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.happens(Kind.INTERCEPTED, 1)
        await play.happens(Kind.INTERCEPTED, 1)
        assert await play.statuses() == ("AWAITING_SHIPMENT", "CANCELLED", "RELEASED")
        await play.ships(2)
        assert await play.finish() == "COMPLETED"
    assert list(play.world.channel.refunds.values()) == [CUPS]


async def test_the_courier_contradicting_a_cancellation_is_a_persons_question(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.channel.refund_answers = ["PROCESSING"]
        await play.cancel()
        await play.happens(Kind.COLLECTED, 1)
        assert (await play.ticket()).step == "left though it was stopped" and not await play.notes()
        assert (await play.statuses())[1] == "CANCELLED"


async def test_cancelling_twice_is_one_cancellation_with_one_answer(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.goods.intercept[play.child(1)] = "pending"
        asked = await play.begin_cancel()
        again = await play.begin_cancel()
        await refused(play.update("cancel", CancelOrder(by="buyer", reason="in other words")))
        await play.happens(Kind.INTERCEPTED, 1)
        assert (await play.answer(asked)) == (await play.answer(again))
        assert (await play.answer(asked)).refund_minor == 6000
        assert await play.finish() == "CLOSED"
    assert list(play.world.channel.refunds.values()) == [6000]


async def test_cancelling_again_after_too_late_is_asked_again(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.goods.intercept[play.child(1)] = "too_late"
        await play.cancel()
        play.world.goods.intercept.clear()
        assert (await play.cancel()).cancelled == (play.child(1),)


async def test_a_shipped_or_closed_order_cannot_be_cancelled(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.ships(1)
        await refused(play.cancel())
    async with plays() as play:
        await play.start(one_parcel_order())
        first = await play.cancel()
        assert await play.cancel() == first
        await refused(play.update("cancel", CancelOrder(by="buyer", reason="in other words")))


async def test_cancelling_while_a_push_waits_for_a_person_asks_the_warehouse_first(plays: Plays) -> None:
    """Nobody knows whether the push arrived: the interception finds out, and the question about the push is over."""
    async with plays() as play:
        play.world.fail("push", how="unknown")
        await play.start_paid(one_parcel_order())
        await play.pass_time(36 * SECOND)
        assert (await play.ticket()).step == "push outbound"
        assert (await play.cancel()).cancelled == (play.child(1),)
        assert play.world.goods.intercepted == [play.child(1)] and not await play.tickets()
        assert await play.finish() == "CLOSED"
    assert play.world.calls["push"] == 4


async def test_cancelling_while_a_push_is_being_retried_waits_for_its_end(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("push", 1, "unknown")
        await play.start_paid(one_parcel_order())
        asked = await play.begin_cancel()
        assert play.world.goods.intercepted == []
        await play.pass_time(6 * SECOND)
        assert (await play.answer(asked)).cancelled == (play.child(1),)
        assert play.world.goods.pushed == play.world.goods.intercepted == [play.child(1)]
