"""Manual refresh: lost facts are found, an answer says what was found, a system that is away is a line (R11)."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.facts import Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, one_parcel_order, two_parcel_order

SECOND = timedelta(seconds=1)


async def test_a_lost_payment_callback_is_found(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        await play.buyer_pays()
        answer = await play.refresh()
        assert "order: PENDING_PAYMENT -> AWAITING_SHIPMENT" in answer.changes
        assert "payment: CREATED -> PAID" in answer.changes
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED")
        assert answer.as_of >= play.order.placed_at


async def test_lost_warehouse_and_courier_facts_are_found(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 2, waybill_no="SF1000000000002", carrier="SF")
        now = await play.now()
        lost = [
            fact(Kind.PACKED, play.child(1), now),
            fact(Kind.IN_TRANSIT, play.child(2), now, waybill_no="SF1000000000002"),
        ]
        play.world.goods.found = lost
        answer = await play.refresh()
        assert answer.changes == (f"{play.child(1)}: RELEASED -> PACKED", f"{play.child(2)}: SHIPPED -> IN_TRANSIT")
        assert play.world.calls["wms query"] == play.world.calls["courier query"] == 1
        await play.pass_time(6 * SECOND)
        assert (await play.refresh()).changes == ()


async def test_an_order_is_refreshed_at_most_once_in_five_seconds(plays: Plays) -> None:
    async with plays() as play:
        await play.start(one_parcel_order())
        await play.refresh()
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await play.refresh()
        assert isinstance(refused.value.cause, ApplicationError) and refused.value.cause.type == "TooOften"
        await play.pass_time(5 * SECOND)
        await play.refresh()


async def test_a_system_that_does_not_answer_is_a_line_and_the_others_are_asked(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 2, waybill_no="SF1000000000002", carrier="SF")
        play.world.fail("wms query", 1)
        play.world.goods.found = [fact(Kind.SIGNED, play.child(2), await play.now(), waybill_no="SF1000000000002")]
        answer = await play.refresh()
        assert answer.changes[0] == f"{play.child(2)}: SHIPPED -> SIGNED"
        assert answer.changes[1].startswith("not answered: ") and len(answer.changes) == 2
        assert play.world.calls["wms query"] == 1 and not await play.tickets()


async def test_a_closed_order_is_still_asked_about_late_money(plays: Plays) -> None:
    async with plays() as play:
        await play.start(one_parcel_order())
        await play.cancel()
        await play.buyer_pays()
        answer = await play.refresh()
        assert "payment: CLOSED -> LATE" in answer.changes
        assert await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 6000


async def test_refreshing_a_payment_that_does_not_fit_asks_only_once(plays: Plays) -> None:
    async with plays() as play:
        await play.start(one_parcel_order())
        await play.buyer_pays(1)
        await play.refresh()
        await play.pass_time(6 * SECOND)
        await play.refresh()
        assert len(play.world.account.outside) == 1
