"""Refunds of one order take turns in asking; what a bank or a person needs after that holds no other up (R48)."""

from datetime import timedelta

from domain.facts import Kind
from domain.states import RefundStatus
from tests.workflows.conftest import Plays
from tests.workflows.orders import two_parcel_order
from tests.workflows.play import Play
from tests.workflows.test_refunds import status, told

MINUTE = timedelta(minutes=1)


async def test_a_refund_that_waits_for_its_bank_holds_no_other_up(plays: Plays) -> None:
    async with plays() as play:
        first, second = await two_refunds(play, *["PROCESSING"] * 1_000)
        channel = play.world.channel
        assert channel.refunds.keys() == {first}, "a channel takes one refund of an order a minute"
        await play.pass_time(MINUTE)
        assert channel.refunds.keys() == {first, second}
        assert status(play, first) is status(play, second) is RefundStatus.ACCEPTED
        await play.tell(await told(play, second, "SUCCEEDED"))
        assert status(play, second) is RefundStatus.SUCCEEDED and status(play, first) is RefundStatus.ACCEPTED
        assert (await play.view()).waiting_for == f"refund {first}"
        await play.tell(await told(play, first, "SUCCEEDED"))
        assert await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 10_600


async def test_a_refund_that_a_person_has_to_look_at_holds_no_other_up(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("refund", 1, how="refused")
        first, second = await two_refunds(play)
        await play.pass_time(2 * MINUTE)
        assert (await play.ticket()).step == "refund" and status(play, second) is RefundStatus.SUCCEEDED
        await play.resolve("retry")
        assert status(play, first) is RefundStatus.SUCCEEDED and await play.finish() == "CLOSED"


async def test_a_refund_that_is_tried_again_waits_a_minute_after_the_other(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("refund", 1, how="refused")
        first, second = await two_refunds(play)
        await play.pass_time(MINUTE)
        assert play.world.channel.refunds.keys() == {second}
        await play.resolve("retry")
        assert play.world.calls["refund"] == 2
        await play.pass_time(MINUTE)
        assert play.world.channel.refunds.keys() == {first, second} and await play.finish() == "CLOSED"


async def two_refunds(play: Play, *answers: str) -> tuple[str, str]:
    """The warehouses reject both parcels, one after the other, and people give each of them up."""
    await play.start_paid(two_parcel_order())
    play.world.channel.refund_answers = list(answers)
    for number in (1, 2):
        await play.happens(Kind.WMS_REJECTED, number, note="broken")
        await play.resolve("give_up", ticket_id=(await questions(play))[-1])
    return f"R{play.order.order_no}-P01", f"R{play.order.order_no}-P02"


async def questions(play: Play) -> list[str]:
    """About parcels."""
    return [t.ticket_id for t in await play.tickets() if t.severity != "info" and t.child_no]
