"""Receipt by the buyer or by itself, the window after it, and the end of an order."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.facts import Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, one_parcel_order, two_parcel_order
from workflows.order.messages import ConfirmReceipt

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


async def refused(asked: Any) -> None:
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await asked
    assert isinstance(caught.value.cause, ApplicationError) and caught.value.cause.type == "NotNow"


async def test_the_buyer_confirms_and_the_order_is_complete(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1, 2)
        await play.happens(Kind.SIGNED, 1, 2)
        assert (await play.statuses())[0] == "DELIVERED"
        await play.confirm()
        assert (await play.statuses())[0] == "COMPLETED"
        assert [(e.actor, e.action) for e in play.world.account.audit] == [("buyer", "order.confirm_receipt")]
        await play.confirm()
        assert len(play.world.account.audit) == 1, "told again it is confirmed already"
        await refused(play.update("confirm_receipt", ConfirmReceipt(by="another")))


async def test_a_signature_is_not_needed_to_confirm(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.ships(1)
        await play.confirm()
        assert await play.statuses() == ("COMPLETED", "SHIPPED")


async def test_nothing_can_be_confirmed_before_everything_has_shipped(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        await refused(play.confirm())
        await play.pay()
        await refused(play.confirm())
        await play.ships(1)
        await refused(play.confirm())


async def test_receipt_comes_by_itself_10_days_after_the_last_parcel_shipped(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1)
        await play.pass_time(2 * DAY)
        await play.ships(2)
        await play.happens(Kind.SIGNED, 1, 2)
        await play.pass_time(10 * DAY - MINUTE)
        assert (await play.statuses())[0] == "DELIVERED"
        await play.pass_time(2 * MINUTE)
        assert (await play.statuses())[0] == "COMPLETED"


async def test_the_order_ends_7_days_after_receipt(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.ships(1)
        await play.confirm()
        await play.pass_time(7 * DAY - MINUTE)
        assert not play.world.last.ended
        await play.pass_time(2 * MINUTE)
        assert play.world.last.ended and play.world.last.waiting_for == "nothing"


async def test_scans_after_receipt_are_still_heard(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.ships(1)
        await play.confirm()
        await play.happens(Kind.SIGNED, 1)
        assert await play.statuses() == ("COMPLETED", "SIGNED")


async def test_a_refused_parcel_holds_the_order_open_until_a_person_has_settled_it(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.ships(1)
        await play.happens(Kind.DELIVERY_REFUSED, 1, note="does not want it")
        ticket = await play.ticket()
        assert (ticket.step, ticket.error) == ("delivery refused", "does not want it")
        await play.pass_time(30 * DAY)
        assert not play.world.last.ended
        await play.resolve("give_up")
        assert await play.finish() == "COMPLETED"


@pytest.mark.parametrize("task_timeout_s", [1, 10])
async def test_a_fact_that_comes_while_the_last_row_is_written_is_not_lost(plays: Plays, task_timeout_s: int) -> None:
    """The database is slow over the last write, longer or shorter than one workflow task; meanwhile a scan comes in."""
    async with plays() as play:
        await play.start(one_parcel_order(), task_timeout=timedelta(seconds=task_timeout_s))
        await play.pay()
        await play.ships(1)
        await play.confirm()
        late = fact(Kind.SIGNED, play.child(1), await play.now())
        play.world.books.while_ending = lambda: play.signal(late)
        play.world.books.slow_ending_s = 2.5
        assert await play.finish() == "COMPLETED"
    assert play.world.account.outcomes(late.key) == ["APPLIED"]
    assert play.world.last.ended and play.world.last.children[0].status == "SIGNED"
