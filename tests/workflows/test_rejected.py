"""What the warehouse will not ship is a person's question, each time that it says so."""

from datetime import timedelta

import pytest

from domain.facts import Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, one_parcel_order

SECOND = timedelta(seconds=1)


async def test_a_rejected_parcel_is_cancelled_without_asking_and_leaves_no_question(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.WMS_REJECTED, 1, note="no such SKU")
        assert (await play.ticket()).error == "no such SKU"
        assert (await play.cancel()).cancelled == (play.child(1),)
        assert not await play.tickets() and await play.finish() == "CLOSED"


async def test_a_warehouse_that_rejects_what_it_was_sent_again_is_asked_about_again(plays: Plays) -> None:
    """All its rejections of a parcel have one key; the first one, told again, asks nobody."""
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        first = fact(Kind.WMS_REJECTED, play.child(1), await play.now())
        await play.tell(first)
        await play.resolve("retry")
        await play.tell(first.model_copy(update={"inbox_id": 7}))
        assert not await play.tickets()
        await play.pass_time(SECOND)
        await play.happens(Kind.WMS_REJECTED, 1, note="still none")
        assert (await play.ticket()).error == "still none"
        await play.resolve("give_up")
        assert await play.finish() == "CLOSED"


@pytest.mark.parametrize(("action", "ends"), [("retry", "COMPLETED"), ("give_up", "CLOSED")])
async def test_a_person_decides_about_what_the_warehouse_rejected(plays: Plays, action: str, ends: str) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.WMS_REJECTED, 1)
        assert (await play.ticket()).step == "outbound rejected"
        await play.resolve(action)
        assert play.world.calls["push"] == (2 if action == "retry" else 1)
        if action == "retry":
            await play.ships(1)
        assert await play.finish() == ends
