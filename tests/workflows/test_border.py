"""A child that crosses the border waits until customs let it in; its siblings do not (R38, S15)."""

from datetime import timedelta
from typing import Any

from domain.facts import Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import TEA, fact, order_message, two_parcel_order
from tests.workflows.play import Play
from tests.workflows.world import World

HOLD = ("AWAITING_SHIPMENT", "RELEASED", "CUSTOMS_HOLD")


async def paid(play: Play, **changes: Any) -> None:
    """Two cups from inside the country, one tea from a bonded warehouse."""
    message = order_message()
    message["lines"][1]["tags"]["customs"] = "cbec"
    await play.start_paid(two_parcel_order(lines=message["lines"], **changes))


async def customs_say(play: Play, kind: Kind, key: str = "1", note: str = "") -> None:
    now = await play.now()
    said = fact(kind, play.child(2), now, note=note).model_copy(
        update={"key": f"customs:{kind}:{key}", "source": "broker"}
    )
    await play.tell(said)


async def test_it_is_declared_and_held_and_goes_to_the_warehouse_when_customs_release_it(plays: Plays) -> None:
    async with plays() as play:
        await paid(play)
        assert await play.statuses() == HOLD
        assert play.world.goods.pushed == [play.child(1)], "the other child is not held up"
        (call,) = play.world.border.declared
        assert (call.child_no, call.order_fee_minor, call.channel) == (play.child(2), TEA, "wechat")
        assert call.transaction_id
        assert play.world.border.references == {play.child(2): f"WX-{play.child(2)}"}
        await play.pass_time(timedelta(days=3))
        assert await play.statuses() == HOLD and not await play.tickets()
        await customs_say(play, Kind.CUSTOMS_RELEASED)
        assert (await play.statuses())[2] == "RELEASED"
        assert play.world.goods.pushed == [play.child(1), play.child(2)]
        assert play.world.goods.identities == {play.child(1): None, play.child(2): "b-1"}
        await play.ships(1, 2)
        assert await play.finish() == "COMPLETED"
    assert play.world.border.withdrawn == []


async def test_nothing_at_all_is_asked_of_customs_for_goods_inside_the_country(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
    assert play.world.border.assessed == []


async def test_over_a_limit_a_person_is_asked_and_trying_again_may_help(plays: Plays) -> None:
    async with plays() as play:
        play.world.border.limit = "GENERAL_TRADE: 520000 together exceed the single limit 500000"
        await paid(play)
        ticket = await play.ticket()
        assert (ticket.system, ticket.step, ticket.child_no) == ("customs", "limit", play.child(2))
        assert "single limit" in ticket.error and ticket.actions == ("retry", "give_up")
        assert play.world.border.declared == [] and await play.statuses() == HOLD
        play.world.border.limit = ""
        await play.resolve("retry")
        assert len(play.world.border.declared) == 1 and not await play.tickets()


async def test_giving_up_cancels_that_child_alone_and_gives_its_money_back(plays: Plays) -> None:
    async with plays() as play:
        play.world.border.limit = "over a limit"
        await paid(play)
        await play.resolve("give_up")
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "CANCELLED")
        assert play.world.account.moved("release") == {"TEA": 1}
        assert [r.amount_minor for r in play.world.account.refunds.values()] == [TEA]
        assert play.world.border.withdrawn == [play.child(2)]


async def test_a_refusal_is_a_question_and_it_may_be_declared_again(plays: Plays) -> None:
    async with plays() as play:
        await paid(play)
        await customs_say(play, Kind.CUSTOMS_REFUSED, note="names differ")
        ticket = await play.ticket()
        assert (ticket.step, ticket.error) == ("refused", "names differ")
        await play.resolve("retry")
        assert len(play.world.border.declared) == 2 and not await play.tickets()
        await customs_say(play, Kind.CUSTOMS_RELEASED)
        assert (await play.statuses())[2] == "RELEASED"


async def test_a_release_settles_whatever_is_being_asked(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("declare", how="refused")
        await paid(play)
        assert (await play.ticket()).step == "declare"
        await customs_say(play, Kind.CUSTOMS_RELEASED)
        assert not await play.tickets()
        assert (await play.statuses())[2] == "RELEASED"


async def test_a_declaration_made_by_hand_is_supplied(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("declare", how="refused")
        await paid(play)
        await play.resolve("supply", {"reference": "BY-HAND-7"})
        assert play.world.border.references == {play.child(2): "BY-HAND-7"}
        assert await play.statuses() == HOLD


async def test_cancelled_at_the_border_it_counts_no_more(plays: Plays) -> None:
    async with plays() as play:
        await paid(play)
        await play.ships(1)
        answer = await play.cancel()
        assert (answer.cancelled, answer.refund_minor) == ((play.child(2),), TEA)
        assert play.world.border.withdrawn == [play.child(2)]
        await customs_say(play, Kind.CUSTOMS_RELEASED)
        assert (await play.statuses())[2] == "CANCELLED"


async def test_missing_goods_are_waited_for_first_then_customs(plays: Plays) -> None:
    async with plays(World(stock={"L1": 2, "L2": 0})) as play:
        await paid(play)
        assert (await play.statuses())[2] == "BACKORDER" and play.world.border.assessed == []
        await play.happens(Kind.STOCK_ARRIVED, 2)
        assert (await play.statuses())[2] == "CUSTOMS_HOLD" and len(play.world.border.declared) == 1
        await customs_say(play, Kind.CUSTOMS_RELEASED)
        assert play.world.goods.pushed == [play.child(1), play.child(2)]


async def test_what_the_warehouse_says_before_the_release_is_held_and_then_counts(plays: Plays) -> None:
    async with plays() as play:
        await paid(play)
        await play.happens(Kind.PICKING, 2)
        assert await play.statuses() == HOLD
        await customs_say(play, Kind.CUSTOMS_RELEASED)
        assert (await play.statuses())[2] == "PICKING"
