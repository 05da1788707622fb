"""What our own books refuse is a ticket that names it: no workflow task fails, and nothing is tried without end."""

from datetime import timedelta

import pytest

from domain.facts import Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order
from tests.workflows.play import Play, kinds
from workflows.durable.stalls import REFUSED
from workflows.order.parcels.label import ParcelLabel


async def no_task_failed(play: Play) -> None:
    assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 0


async def test_a_refused_write_names_its_facts_and_goes_in_when_the_books_are_put_right(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.books.refusals["write"] = "OrderRefused"
        await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no="YT1000000000001", carrier="YTO")
        ticket = await play.ticket()
        assert ticket.step == REFUSED and "WAYBILL_RETURNED" in ticket.error and "ship of 2 CUP" in ticket.error
        assert play.world.account.moved("ship") == {}
        await play.resolve("retry")
        assert play.world.account.moved("ship") == {"CUP": 2} and await play.tickets() == ()
        await no_task_failed(play)
        await play.happens(Kind.SIGNED, 1)
        assert await play.finish() == "COMPLETED"


async def test_a_refused_settlement_waits_for_a_person(plays: Plays) -> None:
    async with plays() as play:
        await play.start(one_parcel_order())
        play.world.books.refusals["settle"] = "PaymentDoesNotFit"
        await play.pay()
        assert (await play.ticket()).step == REFUSED
        await play.resolve("retry")
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED")
        await no_task_failed(play)


async def test_a_branch_of_a_fact_that_breaks_asks_a_person_and_the_order_goes_on(
    plays: Plays, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(self: ParcelLabel) -> None:
        raise KeyError("label")

    async with plays() as play:
        await play.start_paid(one_parcel_order())
        with monkeypatch.context() as broken:
            broken.setattr(ParcelLabel, "print", breaks)
            await play.happens(Kind.PACKED, 1)
            assert [(t.step, t.error) for t in await play.tickets()] == [("step broken off", "KeyError: 'label'")]
            await play.happens(Kind.SIGNED, 1)
            assert await play.statuses() == ("DELIVERED", "SIGNED")
            await no_task_failed(play)


async def test_a_labels_bytes_are_kept_when_the_write_that_carries_them_is_refused(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.fail("book", 1)
        await play.happens(Kind.PACKED, 1)
        play.world.books.refusals["write"] = "OrderRefused"
        await play.pass_time(timedelta(seconds=10))
        assert (await play.ticket()).step == REFUSED
        await play.resolve("retry")
        labels = [c.label_b64 for w in play.world.account.writes for c in w.children if c.label_b64]
        assert len(labels) == 1
