"""The payment deadline: the channel is asked before anything is closed, and a paid order is never closed (S02, S03)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.facts import Fact, Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import two_parcel_order
from tests.workflows.play import Play, kinds

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
TO_A_TICKET = timedelta(seconds=36)
"""Four attempts with waits of 5, 10 and 20 s."""


async def test_an_unpaid_order_is_asked_for_then_closed_at_the_channel_then_closed(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        await play.pass_time(30 * MINUTE - 5 * SECOND)
        assert play.world.calls["query"] == 0 and await play.statuses() == ("PENDING_PAYMENT",)
        await play.pass_time(6 * SECOND)
        assert await play.statuses() == ("CLOSED",)
        asked, closed = play.world.faults.started["query"], play.world.faults.started["close"]
        assert asked[0] <= closed[0] and len(asked) == len(closed) == 1
        assert play.world.channel.trades[play.order.order_no] == "CLOSED"
        assert (await play.view()).payment_status == "CLOSED"
        assert await play.finish() == "CLOSED"


async def test_a_flash_order_has_15_minutes(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order(kind="flash"))
        await play.pass_time(15 * MINUTE - 5 * SECOND)
        assert await play.statuses() == ("PENDING_PAYMENT",)
        await play.pass_time(6 * SECOND)
        assert await play.statuses() == ("CLOSED",)


async def test_an_order_with_its_own_deadline_keeps_it(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order(payment={"deadline": (datetime.now(UTC) + 2 * MINUTE).isoformat()}))
        await play.pass_time(2 * MINUTE + SECOND)
        assert await play.statuses() == ("CLOSED",)


async def test_a_payment_whose_callback_was_lost_is_found_at_the_deadline(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        await play.pass_time(30 * MINUTE - 10 * SECOND)
        await play.buyer_pays()
        await play.pass_time(11 * SECOND)
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED")
        assert play.world.channel.closed == []


async def test_a_payment_told_in_the_moment_of_the_deadline_wins(plays: Plays) -> None:
    """Timer and callback reach the worker together: it had been away."""
    async with plays() as play:
        await play.start(two_parcel_order())
    await play.env.fast_forward(play.handle, 30 * MINUTE)
    await play.signal(await play.buyer_pays())
    async with play.worker():
        await play.rest()
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED")
        assert play.world.channel.closed == []


async def test_a_payment_made_while_the_channel_closes_is_kept(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        channel = play.world.channel
        channel.pays_while_closing = await play.buyer_pays()
        channel.trades[play.order.order_no] = "NOTPAY"
        await play.pass_time(31 * MINUTE)
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED")
        assert channel.closed == [play.order.order_no]


async def test_a_payment_that_was_never_created_needs_no_closing_at_the_channel(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order(payment={"method": "external"}))
        await play.pass_time(31 * MINUTE)
        assert await play.statuses() == ("CLOSED",) and play.world.calls["close"] == 0


async def unanswered(play: Play) -> None:
    """At the deadline with a channel that does not answer: a ticket is open."""
    play.world.fail("query")
    await play.start(two_parcel_order())
    await play.pass_time(30 * MINUTE + TO_A_TICKET)
    assert (await play.ticket()).step == "query payment"
    assert play.world.calls["query"] == 4 and await play.statuses() == ("PENDING_PAYMENT",)


async def test_an_order_is_not_closed_while_the_channel_does_not_answer(plays: Plays) -> None:
    async with plays() as play:
        await unanswered(play)
        await play.pass_time(timedelta(days=3))
        assert await play.statuses() == ("PENDING_PAYMENT",) and (await play.view()).open_tickets


async def test_retry_asks_the_channel_again(plays: Plays) -> None:
    async with plays() as play:
        await unanswered(play)
        play.world.faults.heal()
        await play.buyer_pays()
        await play.resolve("retry")
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED") and not await play.tickets()


async def test_a_payment_supplied_by_a_person_is_kept(plays: Plays) -> None:
    async with plays() as play:
        await unanswered(play)
        paid = await play.buyer_pays()
        await play.resolve("supply", {"state": "PAID", "fact": paid.model_dump(mode="json")})
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED")
        assert play.world.account.payment is not None


async def test_unpaid_supplied_by_a_person_closes_the_order(plays: Plays) -> None:
    async with plays() as play:
        await unanswered(play)
        await play.resolve("supply", {"state": "UNPAID"})
        assert await play.statuses() == ("CLOSED",) and play.world.channel.closed == [play.order.order_no]


async def test_giving_up_on_the_channel_closes_the_order_as_unpaid(plays: Plays) -> None:
    async with plays() as play:
        await unanswered(play)
        await play.resolve("give_up")
        assert await play.statuses() == ("CLOSED",)


async def test_the_payment_callback_closes_the_ticket_by_itself(plays: Plays) -> None:
    async with plays() as play:
        await unanswered(play)
        await play.pay()
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED") and not await play.tickets()
        (resolution,) = play.world.account.resolutions.values()
        assert resolution.action == "evidence"
        assert play.world.channel.closed == [], "a paid order is never closed at the channel"


@pytest.mark.parametrize("trade", ["ODD", "USERPAYING"])
async def test_a_channel_that_says_neither_paid_nor_unpaid_needs_a_person(plays: Plays, trade: Any) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        play.world.channel.trades[play.order.order_no] = trade
        await play.pass_time(31 * MINUTE)
        assert (await play.ticket()).system == "wechat"
        assert await play.statuses() == ("PENDING_PAYMENT",)
        assert play.world.calls["query"] <= 4, "asked without end"
        play.world.channel.trades[play.order.order_no] = "NOTPAY"
        await play.resolve("retry")
        assert await play.statuses() == ("CLOSED",)


async def test_an_order_whose_payment_cannot_be_created_still_closes_at_its_deadline(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("create", how="refused")
        await play.start(two_parcel_order())
        assert (await play.ticket()).step == "create payment"
        await play.pass_time(31 * MINUTE)
        assert await play.statuses() == ("CLOSED",) and not await play.tickets()
        assert await play.finish() == "CLOSED"


async def test_a_payment_is_offered_in_the_task_that_registers_the_order(plays: Plays) -> None:
    """Decision 0076."""
    async with plays() as play:
        await play.start(two_parcel_order())
        assert (await play.view()).payment_code
        history = kinds(await play.history())
    assert history["WORKFLOW_TASK_COMPLETED"] == 1 and not history["ACTIVITY_TASK_SCHEDULED"]


async def test_a_payment_that_is_not_created_at_once_is_tried_three_times_more(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("create")
        await play.start(two_parcel_order())
        await play.pass_time(36 * SECOND)
        assert play.world.faults.gaps("create") == [5, 10, 20]
        assert (await play.ticket()).step == "create payment"


async def test_a_payment_for_which_there_is_no_room_in_the_task_has_all_its_tries_left(plays: Plays) -> None:
    async with plays() as play:
        play.world.channel.has_no_room = True
        play.world.fail("create")
        await play.start(two_parcel_order())
        await play.pass_time(36 * SECOND)
        assert play.world.faults.gaps("create") == [5, 10, 20]


async def test_a_refused_payment_is_a_persons_after_the_first_try(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("create", how="refused")
        await play.start(two_parcel_order())
        assert (await play.ticket()).step == "create payment" and play.world.calls["create"] == 1


async def test_a_payment_created_on_the_second_try_can_be_paid(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("create", 1)
        await play.start(two_parcel_order())
        await play.pass_time(6 * SECOND)
        assert (await play.view()).payment_code
        await play.pay()
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED")


async def test_a_payment_created_when_the_order_is_closed_already_offers_nothing(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("create", 1)
        await play.start(two_parcel_order())
        await play.cancel()
        await play.pass_time(6 * SECOND)
        view = await play.view()
        assert play.world.calls["create"] == 2 and (view.payment_status, view.payment_code) == ("CLOSED", None)


def closed_by_channel(play: Play, at: Any) -> Fact:
    no = play.order.order_no
    return Fact(key=f"wechat:closed:{no}", kind=Kind.PAYMENT_CLOSED, source="wechat", occurred_at=at, order_no=no)


async def test_a_closing_told_by_the_channel_moves_nothing_before_the_deadline(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        await play.tell(closed_by_channel(play, await play.now()))
        assert await play.statuses() == ("PENDING_PAYMENT",)
