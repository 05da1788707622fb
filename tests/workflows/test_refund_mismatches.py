"""A proof of another amount than was asked for, or by somebody else, moves nothing: a person compares (M3)."""

from datetime import timedelta
from typing import Any

import pytest

from domain.states import RefundStatus
from tests.workflows.conftest import Plays
from tests.workflows.orders import two_parcel_order
from tests.workflows.test_refunds import cancelled, status, told

MINUTE = timedelta(minutes=1)


WRONG = [{"amount_minor": 5999}, {"amount_minor": 6001}, {"currency": "USD"}, {"source": "alipay"}, {"source": "erp"}]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
async def test_a_proof_of_another_amount_or_of_a_stranger_moves_nothing(plays: Plays, wrong: dict[str, Any]) -> None:
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
    assert not play.world.account.outside, "a number of ours is our own refund, whatever is told of it"


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
