"""A push that is given up: what the warehouse may have taken is stopped there before its money goes back."""

from datetime import timedelta
from typing import Any

import pytest

from domain.facts import Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import TEA, one_parcel_order, two_parcel_order
from tests.workflows.test_retries import push_ticket

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("answer", "ends"), [("cancelled", "CLOSED"), ("too_late", "COMPLETED")])
async def test_giving_up_a_push_that_may_have_arrived_asks_the_warehouse_to_stop_it_first(
    plays: Plays, answer: str, ends: str
) -> None:
    """Refunded and shipped all the same would be the worst of both."""
    async with plays() as play:
        await push_ticket(play, "unknown")
        play.world.goods.intercept[play.child(1)] = answer
        await play.resolve("give_up")
        assert play.world.goods.intercepted == [play.child(1)] and play.world.calls["push"] == 4
        if answer == "too_late":
            assert play.world.calls["refund"] == 0 and (await play.statuses())[1] == "RELEASED"
            await play.ships(1)
        assert await play.finish() == ends
    assert play.world.account.refunded_minor == (6000 if ends == "CLOSED" else 0)


@pytest.mark.parametrize("last", ["retry", "refused"])
async def test_an_earlier_attempt_that_may_have_arrived_is_not_forgotten(plays: Plays, last: Any) -> None:
    """Not even a refusal of the same number says that the attempt without an answer has not arrived."""
    async with plays() as play:
        order = one_parcel_order()
        play.world.faults.sequence("push", ["unknown", "retry", "retry", last], item=f"{order.order_no}-01")
        await play.start_paid(order)
        await play.pass_time(36 * SECOND)
        await play.resolve("give_up")
        assert play.world.goods.intercepted == [play.child(1)]
        assert await play.finish() == "CLOSED"
    assert list(play.world.channel.refunds.values()) == [6000]


async def test_cancelling_while_a_given_up_push_is_being_stopped_refunds_once(plays: Plays) -> None:
    async with plays() as play:
        await push_ticket(play, "unknown")
        play.world.goods.intercept[play.child(1)] = "pending"
        await play.resolve("give_up")
        asked = await play.begin_cancel()
        await play.happens(Kind.INTERCEPTED, 1)
        await play.answer(asked)
        assert await play.finish() == "CLOSED"
    assert list(play.world.channel.refunds.values()) == [6000]


async def test_a_refusal_after_a_persons_retry_does_not_end_what_may_have_arrived_before(plays: Plays) -> None:
    async with plays() as play:
        await push_ticket(play, "unknown")
        play.world.faults.heal()
        play.world.fail("push", how="refused")
        await play.resolve("retry")
        await play.resolve("give_up")
        assert play.world.goods.intercepted == [play.child(1)]
        assert await play.finish() == "CLOSED"
    assert list(play.world.channel.refunds.values()) == [6000]


async def test_a_parcel_that_arrived_in_the_first_attempt_is_done_when_the_later_ones_find_nobody(plays: Plays) -> None:
    """Afterwards the gateway throttles everybody: what is given up, and refunded, is the other one alone."""
    async with plays() as play:
        order = two_parcel_order()
        first = f"{order.order_no}-01"
        play.world.fail("push", item=f"{order.order_no}-02")
        await play.start_paid(order)
        play.world.fail("push", item=first)
        await play.pass_time(36 * SECOND)
        ticket = await play.ticket()
        assert ticket.child_no == play.child(2)
        await play.resolve("give_up")
        await play.ships(1)
        assert await play.finish() == "COMPLETED"
    assert play.world.goods.pushed == [first] and play.world.goods.intercepted == []
    assert sum(play.world.channel.refunds.values()) == TEA
