"""A refund is asked for once under one number; accepted is not paid; what the channel cannot pay goes to a person."""

from datetime import timedelta
from typing import Any

import pytest

from domain.facts import Fact
from domain.states import RefundStatus
from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order, two_parcel_order
from tests.workflows.play import Play, kinds

MINUTE = timedelta(minutes=1)


async def cancelled(play: Play, *answers: str) -> str:
    """A paid order of one parcel is cancelled; the channel answers so. Returns the refund's number."""
    await play.start_paid(one_parcel_order())
    play.world.channel.refund_answers = list(answers)
    await play.cancel()
    return f"R{play.order.order_no}-C01"


async def told(play: Play, number: str, state: str) -> Fact:
    return play.world.channel.refund_fact(play.order.order_no, number, state, await play.now())


def status(play: Play, number: str) -> RefundStatus:
    return play.world.account.refunds[number].status


async def test_a_refund_is_reserved_in_the_books_before_the_channel_is_asked(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("refund", 1)
        number = await cancelled(play)
        assert status(play, number) is RefundStatus.REQUESTED and play.world.channel.refunds == {}


async def test_a_refund_that_the_books_refuse_is_not_asked_for_and_goes_to_a_person(plays: Plays) -> None:
    async with plays() as play:
        play.world.books.refusals["refund"] = "RefundExceedsPaid"
        await cancelled(play)
        ticket = await play.ticket()
        assert (ticket.severity, ticket.step) == ("urgent", "refund refused by our books")
        assert "do not allow" in ticket.error and play.world.calls["refund"] == 0
        assert [e.action for e in play.world.account.audit] == ["order.cancel"], "the rest of that write is not lost"
        await play.resolve("give_up")
        assert await play.finish() == "CLOSED"


async def test_a_refund_that_the_books_refused_is_tried_again_when_a_person_says_so(plays: Plays) -> None:
    async with plays() as play:
        play.world.books.refusals["refund"] = "RefundExceedsPaid"
        number = await cancelled(play)
        await play.resolve("retry")
        assert status(play, number) is RefundStatus.SUCCEEDED
        assert await play.finish() == "CLOSED"


async def test_an_accepted_refund_counts_when_its_callback_comes(plays: Plays) -> None:
    async with plays() as play:
        number = await cancelled(play, "PROCESSING")
        assert status(play, number) is RefundStatus.ACCEPTED and (await play.view()).refunded_minor == 0
        assert (await play.statuses())[0] == "AWAITING_SHIPMENT", "it closes when the money is back"
        paid_out = await told(play, number, "SUCCEEDED")
        await play.tell(paid_out, paid_out)
        assert play.world.account.outcomes(paid_out.key) == ["APPLIED", "DUPLICATE"]
        assert status(play, number) is RefundStatus.SUCCEEDED and await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 6000 and play.world.calls["query refund"] == 0


async def test_an_accepted_refund_without_a_callback_is_asked_for_at_pauses_that_double(plays: Plays) -> None:
    async with plays() as play:
        number = await cancelled(play, "PROCESSING", "PROCESSING", "PROCESSING", "SUCCEEDED")
        await play.pass_time(9 * MINUTE)
        assert play.world.calls["query refund"] == 0
        await play.pass_time(2 * MINUTE)
        assert play.world.calls["query refund"] == 1 and status(play, number) is RefundStatus.ACCEPTED
        await play.pass_time(30 * MINUTE)
        assert play.world.faults.gaps("query refund") == [600, 1200]
        assert status(play, number) is RefundStatus.SUCCEEDED and await play.finish() == "CLOSED"
    assert play.world.calls["refund"] == 1


async def test_a_refund_that_takes_60_days_becomes_a_ticket_after_3_and_costs_few_events(plays: Plays) -> None:
    async with plays() as play:
        number = await cancelled(play, *["PROCESSING"] * 1_000)
        before = kinds(await play.history()).total()
        await play.pass_time(timedelta(days=2, hours=23))
        assert not await play.tickets()
        await play.pass_time(timedelta(hours=2))
        ticket = await play.ticket()
        assert (ticket.system, ticket.step, ticket.severity) == ("wechat", "refund takes long", "urgent")
        assert number in ticket.error and ticket.actions == ("retry", "give_up")
        for _ in range(57):
            await play.pass_time(timedelta(days=1))
        assert kinds(await play.history()).total() - before < 100
        assert 60 <= play.world.calls["query refund"] <= 80, "it is asked for once a day all the same"
        assert [t.ticket_id for t in await play.tickets()] == [ticket.ticket_id]
        play.world.channel.refund_answers = []
        await play.pass_time(timedelta(days=1))
        assert status(play, number) is RefundStatus.SUCCEEDED and not await play.tickets()
        assert await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 6000 and play.world.calls["refund"] == 1


async def test_a_callback_ends_a_refund_that_has_become_a_ticket(plays: Plays) -> None:
    async with plays() as play:
        number = await cancelled(play, *["PROCESSING"] * 1_000)
        await play.pass_time(timedelta(days=4))
        await play.ticket()
        await play.tell(await told(play, number, "SUCCEEDED"))
        assert not await play.tickets() and status(play, number) is RefundStatus.SUCCEEDED
        assert await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 6000


@pytest.mark.parametrize(("action", "ends"), [("retry", RefundStatus.SUCCEEDED), ("give_up", RefundStatus.CLOSED)])
async def test_a_person_has_a_refund_that_takes_long_asked_for_at_once_or_takes_it_over(
    plays: Plays, action: str, ends: RefundStatus
) -> None:
    async with plays() as play:
        number = await cancelled(play, *["PROCESSING"] * 1_000)
        await play.pass_time(timedelta(days=4))
        play.world.channel.refund_answers = []
        await play.resolve(action)
        assert status(play, number) is ends
        assert await play.finish() == "CLOSED"


async def test_a_channel_that_is_down_is_asked_as_seldom_and_a_refusal_is_a_question(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("query refund", 5)
        number = await cancelled(play, "PROCESSING")
        await play.pass_time(timedelta(hours=1))
        assert play.world.calls["query refund"] == 3 and not await play.tickets()
        play.world.fail("query refund", how="refused")
        await play.pass_time(timedelta(days=1))
        assert (await play.ticket()).step == "query refund"
        play.world.faults.heal()
        await play.resolve("retry")
        assert status(play, number) is RefundStatus.SUCCEEDED and await play.finish() == "CLOSED"


@pytest.mark.parametrize("state", ["ABNORMAL", "CLOSED"])
async def test_a_refund_the_channel_cannot_pay_is_urgent(plays: Plays, state: str) -> None:
    async with plays() as play:
        number = await cancelled(play, state)
        ticket = await play.ticket()
        assert (ticket.severity, ticket.step, ticket.actions) == ("urgent", "refund not paid out", ("give_up",))
        assert number in ticket.error and status(play, number) == state
        await play.resolve("give_up")
        assert await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 0 and play.world.calls["refund"] == 1


async def test_an_abnormal_refund_that_is_paid_after_all_counts_once_and_closes_the_question(plays: Plays) -> None:
    async with plays() as play:
        number = await cancelled(play, "ABNORMAL")
        await play.tell(await told(play, number, "SUCCEEDED"))
        assert not await play.tickets() and (await play.view()).refunded_minor == 6000
        assert await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 6000


@pytest.mark.parametrize(("how", "calls"), [("refused", 1), ("unknown", 4)])
async def test_a_refund_that_cannot_be_asked_for_is_a_question(plays: Plays, how: Any, calls: int) -> None:
    async with plays() as play:
        play.world.fail("refund", how=how)
        number = await cancelled(play)
        await play.pass_time(4 * MINUTE)
        ticket = await play.ticket()
        assert (ticket.system, ticket.step) == ("wechat", "refund") and play.world.calls["refund"] == calls
        play.world.faults.heal()
        await play.resolve("retry")
        assert await play.finish() == "CLOSED"
    assert play.world.channel.refunds == {number: 6000} == {c.refund_no: 6000 for c in play.world.channel.refund_calls}


async def test_a_refund_that_a_person_takes_over_is_not_paid_by_the_system(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("refund", how="refused")
        number = await cancelled(play)
        await play.resolve("give_up")
        assert status(play, number) is RefundStatus.CLOSED
        assert await play.finish() == "CLOSED"
    assert play.world.channel.refunds == {} and play.world.account.refunded_minor == 0


async def test_the_callback_closes_the_question_about_a_refund(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("refund", how="unknown")
        number = await cancelled(play)
        await play.pass_time(4 * MINUTE)
        await play.tell(await told(play, number, "SUCCEEDED"))
        assert not await play.tickets() and await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 6000


async def test_a_refund_nobody_asked_for_is_money_from_outside_and_told_again_no_news(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        fact = await told(play, "R-somebody", "SUCCEEDED")
        await play.tell(fact)
        await play.tell(fact)
        (found,) = play.world.account.outside
        assert (found.kind, found.number, (await play.view()).refunded_minor) == ("refund", "R-somebody", 0)
        assert play.world.account.outcomes(fact.key) == ["MISMATCH", "DUPLICATE"]


async def test_what_the_order_waits_for_is_told_again_after_a_refund(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1)
        await play.cancel()
        assert "refund" not in (await play.view()).waiting_for
