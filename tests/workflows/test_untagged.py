"""An order with a SKU that nobody has tagged: taken, paid, and split only when somebody has (R25)."""

from datetime import timedelta

from domain.facts import Kind
from domain.records import Untagged
from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order, two_parcel_order
from tests.workflows.play import Play

CUP, TEA = Untagged(line_id="L1", sku="CUP"), Untagged(line_id="L2", sku="TEA")


async def waiting(play: Play, *untagged: Untagged) -> None:
    play.world.books.untagged = untagged or (CUP,)
    await play.start_paid(two_parcel_order())


async def test_it_is_paid_and_waits_with_a_ticket_that_names_line_and_sku(plays: Plays) -> None:
    async with plays() as play:
        await waiting(play, CUP, TEA)
        ticket = await play.ticket()
        assert (ticket.system, ticket.step, ticket.actions) == ("catalog", "untagged SKU", ("retry", "give_up"))
        assert "line L1: SKU CUP, line L2: SKU TEA" in ticket.error
        assert await play.statuses() == ("AWAITING_SHIPMENT",) and play.world.account.payment is not None
        await play.pass_time(timedelta(days=30))
        assert play.world.calls["push"] == 0 and play.world.account.plans == ()
        play.world.books.untagged = ()
        await play.resolve("retry")
        await play.ships(1, 2)
        assert await play.finish() == "COMPLETED"


async def test_retrying_too_early_asks_again_about_what_is_still_missing(plays: Plays) -> None:
    async with plays() as play:
        await waiting(play, CUP, TEA)
        first = await play.ticket()
        play.world.books.untagged = (TEA,)
        await play.resolve("retry")
        second = await play.ticket()
        assert second.ticket_id != first.ticket_id and "CUP" not in second.error and "TEA" in second.error
        play.world.books.untagged = ()
        await play.resolve("retry")
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED")


async def test_giving_up_gives_all_of_the_money_back_and_closes_the_order(plays: Plays) -> None:
    async with plays() as play:
        await waiting(play)
        await play.resolve("give_up")
        assert await play.finish() == "CLOSED"
    assert play.world.channel.refunds == {f"R{play.order.order_no}-U1": 10_600}
    assert play.world.account.refunded_minor == 10_600 and play.world.calls["push"] == 0


async def test_the_buyer_may_cancel_it_while_it_waits(plays: Plays) -> None:
    async with plays() as play:
        await waiting(play)
        assert (await play.cancel()).refund_minor == 10_600
        assert not await play.tickets() and await play.finish() == "CLOSED"
    assert list(play.world.channel.refunds.values()) == [10_600]


async def test_before_payment_nobody_is_asked_and_an_unpaid_one_closes_as_ever(plays: Plays) -> None:
    async with plays() as play:
        play.world.books.untagged = (CUP,)
        await play.start(one_parcel_order())
        assert not await play.tickets()
        await play.pass_time(timedelta(days=3))
        assert await play.finish() == "CLOSED"
    assert play.world.account.payment is None


async def test_what_is_told_about_its_parcels_meanwhile_counts_when_they_exist(plays: Plays) -> None:
    async with plays() as play:
        await waiting(play)
        await play.happens(Kind.PICKING, 1)
        play.world.books.untagged = ()
        await play.resolve("retry")
        assert await play.statuses() == ("AWAITING_SHIPMENT", "PICKING", "RELEASED")
