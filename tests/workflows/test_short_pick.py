"""The warehouse finds less than was reserved: the rest ships, a person decides about the missing units."""

from datetime import timedelta

import pytest

from domain.facts import Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order, two_parcel_order


async def test_giving_up_refunds_exactly_the_missing_units_shares(plays: Plays) -> None:
    """1,001 fen off three cups at 3,000, and 200 freight: units of 2,734, 2,733 and 2,732; the last one is missing."""
    async with plays() as play:
        coupon = {"coupon_id": "C", "amount_minor": 1001}
        order = one_parcel_order(qty=3, coupons=[coupon], freight=[{"amount_minor": 200}], payable_minor=8199)
        await play.start_paid(order)
        await play.happens(Kind.SHORT_PICKED, 1, actual={"L1": 2})
        assert not await play.tickets(), "before it ships the warehouse may still find it"
        await play.ships(1)
        ticket = await play.ticket()
        assert (ticket.step, ticket.child_no) == ("short pick", play.child(1)) and "L1" in ticket.error
        await play.resolve("give_up")
        assert play.world.account.refunded_minor == 2732
        assert await play.finish() == "COMPLETED"
    account = play.world.account
    assert account.moved("ship") == {"CUP": 2} and account.moved("write_off") == {"CUP": 1}
    (refund,) = account.refunds.values()
    assert refund.units == {"L1": 1}


async def test_an_order_does_not_end_while_the_question_is_open(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 1, actual={"L1": 1})
        await play.pass_time(timedelta(days=40))
        assert (await play.statuses())[0] == "COMPLETED" and not play.world.last.ended
        await play.resolve("give_up")
        assert await play.finish() == "COMPLETED"
    assert play.world.account.refunded_minor == 3000, "an answer in the last moment is still paid"


async def test_a_shortage_told_after_shipping_is_asked_about_too(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.ships(1)
        await play.happens(Kind.SHORT_PICKED, 1, actual={"L1": 1})
        assert (await play.ticket()).step == "short pick"
        await play.resolve("give_up")
        assert await play.finish() == "COMPLETED"
    assert play.world.account.refunded_minor == 3000
    assert (play.world.account.moved("ship"), play.world.account.moved("unship")) == ({"CUP": 2}, {"CUP": 1})


async def test_a_shortage_that_grows_after_shipping_is_booked_back_piece_by_piece(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order(qty=4, payable_minor=12_000))
        await play.happens(Kind.SHORT_PICKED, 1, actual={"L1": 3})
        await play.ships(1)
        for found in (2, 2, 1):
            await play.happens(Kind.SHORT_PICKED, 1, actual={"L1": found})
        account = play.world.account
        assert (account.moved("ship"), account.moved("write_off")) == ({"CUP": 3}, {"CUP": 1})
        assert account.moved("unship") == {"CUP": 2} and len({m.ref for m in account.moves if m.kind == "unship"}) == 2


async def test_every_shortage_of_a_parcel_is_a_refund_of_its_own_and_of_other_units(plays: Plays) -> None:
    """10,003 fen for four cups: units of 2,501, 2,501, 2,501 and 2,500."""
    async with plays() as play:
        coupon = {"coupon_id": "C", "amount_minor": 1_997}
        await play.start_paid(one_parcel_order(qty=4, coupons=[coupon], payable_minor=10_003))
        await play.ships(1)
        for found in (3, 2):
            await play.happens(Kind.SHORT_PICKED, 1, actual={"L1": found})
        for ticket in await play.tickets():
            await play.resolve("give_up", ticket_id=ticket.ticket_id)
        assert await play.finish() == "COMPLETED"
    number = f"R{play.order.order_no}-P01S"
    assert play.world.channel.refunds == {number: 2_500, f"{number}2": 2_501}
    assert play.world.account.refunded_minor == 5_001


async def test_a_shortage_told_by_two_messages_is_one_question(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.SHORT_PICKED, 1, actual={"L1": 1})
        await play.happens(Kind.WAYBILL_RETURNED, 1, actual={"L1": 1})
        await play.resolve("give_up")
        assert await play.finish() == "COMPLETED"
    assert play.world.account.refunded_minor == 3000


@pytest.mark.parametrize("actual", [{"L1": 0}, {"L1": 2, "L2": 1}, {}])
async def test_only_what_is_missing_is_asked_about(plays: Plays, actual: dict[str, int]) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 1, actual=actual)
        asked = [ticket for ticket in await play.tickets() if ticket.severity != "info"]
        assert bool(asked) is (actual == {"L1": 0})
        if asked:
            await play.resolve("give_up")
            assert play.world.account.refunded_minor == 6360
