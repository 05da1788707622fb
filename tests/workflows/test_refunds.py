"""A refund is asked for once under one number; accepted is not paid; what the channel cannot pay goes to a person."""

from datetime import timedelta
from typing import Any

import pytest

from domain.facts import Fact
from domain.states import RefundStatus
from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order, two_parcel_order
from tests.workflows.play import Play

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


async def test_an_accepted_refund_without_a_callback_is_asked_for_every_10_minutes(plays: Plays) -> None:
    async with plays() as play:
        number = await cancelled(play, "PROCESSING", "PROCESSING", "SUCCEEDED")
        await play.pass_time(9 * MINUTE)
        assert play.world.calls["query refund"] == 0
        await play.pass_time(2 * MINUTE)
        assert play.world.calls["query refund"] == 1 and status(play, number) is RefundStatus.ACCEPTED
        await play.pass_time(10 * MINUTE)
        assert status(play, number) is RefundStatus.SUCCEEDED and await play.finish() == "CLOSED"
    assert play.world.calls["refund"] == 1


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


async def test_a_refund_nobody_asked_for_is_noted(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.tell(await told(play, "R-somebody", "SUCCEEDED"))
        assert await play.notes() == ["unknown refund"] and (await play.view()).refunded_minor == 0


async def test_what_the_order_waits_for_is_told_again_after_a_refund(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1)
        await play.cancel()
        assert "refund" not in (await play.view()).waiting_for


@pytest.mark.parametrize("wrong", [{"amount_minor": 5999}, {"amount_minor": 6001}, {"currency": "USD"}], ids=str)
async def test_a_proof_of_another_amount_moves_nothing_and_is_a_question(plays: Plays, wrong: dict[str, Any]) -> None:
    async with plays() as play:
        number = await cancelled(play, "PROCESSING", "PROCESSING")
        proof = (await told(play, number, "SUCCEEDED")).model_copy(update=wrong)
        await play.tell(proof)
        await play.tell(proof)
        ticket = await play.ticket()
        assert (ticket.severity, ticket.step, ticket.actions) == ("urgent", "refund does not fit", ("retry", "give_up"))
        assert play.world.account.outcomes(proof.key) == ["MISMATCH", "MISMATCH"]
        assert status(play, number) is RefundStatus.ACCEPTED and (await play.view()).refunded_minor == 0
        await play.pass_time(timedelta(days=1))
        assert play.world.calls["query refund"] == 0, "the person who was asked looks first"
        await play.tell(await told(play, number, "SUCCEEDED"))
        assert not await play.tickets() and await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 6000


@pytest.mark.parametrize(("action", "ends"), [("retry", RefundStatus.SUCCEEDED), ("give_up", RefundStatus.CLOSED)])
async def test_a_person_decides_about_a_refund_that_does_not_fit(plays: Plays, action: str, ends: RefundStatus) -> None:
    async with plays() as play:
        number = await cancelled(play, "PROCESSING", "SUCCEEDED")
        await play.tell((await told(play, number, "SUCCEEDED")).model_copy(update={"amount_minor": 1}))
        await play.resolve(action)
        assert await play.finish() == "CLOSED"
        assert status(play, number) is ends
    assert play.world.account.refunded_minor == (6000 if action == "retry" else 0)


async def test_another_amount_told_after_success_is_a_question_and_counts_once(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1)
        await play.cancel()
        ((number, amount),) = play.world.channel.refunds.items()
        await play.tell((await told(play, number, "SUCCEEDED")).model_copy(update={"amount_minor": 1}))
        assert (await play.ticket()).step == "refund does not fit"
        await play.resolve("give_up")
        assert status(play, number) is RefundStatus.SUCCEEDED and await play.finish() == "COMPLETED"
    assert play.world.account.refunded_minor == amount
