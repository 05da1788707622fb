"""A command that is told again, because its answer was not heard, gets the first answer and does nothing twice."""

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError

from domain.facts import Kind
from starter.clients.errors import NotNow
from starter.clients.orders import OrderClient
from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order, two_parcel_order
from tests.workflows.play import CANCEL, Play
from workflows.messages import ResolveTicket
from workflows.order.messages import Cancelled, CancelOrder, ConfirmReceipt

BUYER = ConfirmReceipt(by="buyer")


async def refusal(play: Play, name: str, message: Any) -> str | None:
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await play.update(name, message)
    assert isinstance(refused.value.cause, ApplicationError)
    return refused.value.cause.type


def client(play: Play) -> OrderClient:
    return OrderClient(play.env.client, answer_timeout_s=20)


async def test_a_cancellation_told_again_after_the_order_has_ended_gets_the_first_answer(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        first = await play.cancel()
        assert len(first.cancelled) == 2
        assert await play.handle.result() == "CLOSED"
        assert await client(play).cancel(play.order.order_no, CANCEL) == first
        with pytest.raises(NotNow):
            await client(play).cancel(play.order.order_no, CancelOrder(by="ops", reason="another reason"))
    assert play.world.calls["refund"] == 1
    assert [a.action for a in play.world.account.audit].count("order.cancel") == 1


async def test_a_cancellation_told_again_while_it_is_under_way_waits_for_the_first_answer(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.goods.intercept[play.child(1)] = "pending"
        asked = await play.begin_cancel()
        again = await play.handle.start_update(
            "cancel", CANCEL, result_type=Cancelled, wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        await play.happens(Kind.INTERCEPTED, 1)
        assert await asyncio.wait_for(again.result(), 20) == await play.answer(asked)
    assert [a.action for a in play.world.account.audit].count("order.cancel") == 1


async def test_a_cancellation_told_again_while_the_order_goes_on_gets_the_first_answer(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no="SF1000000000001", carrier="SF")
        first = await play.cancel()
        assert (len(first.cancelled), len(first.too_late)) == (1, 1)
        await play.happens(Kind.SIGNED, 1)
        assert await play.update("cancel", CANCEL, Cancelled) == first
        assert await refusal(play, "cancel", CancelOrder(by="buyer", reason="another reason")) == "NotNow"
        assert await play.finish() == "COMPLETED"
    assert play.world.calls["refund"] == 1


async def test_receipt_confirmed_again_by_the_same_person_is_confirmed(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.SIGNED, 1)
        await play.confirm()
        await play.confirm()
        assert await refusal(play, "confirm_receipt", ConfirmReceipt(by="somebody-else")) == "NotNow"
        assert await play.finish() == "COMPLETED"
        await client(play).confirm_receipt(play.order.order_no, BUYER)
        with pytest.raises(NotNow):
            await client(play).confirm_receipt(play.order.order_no, ConfirmReceipt(by="somebody-else"))
    assert [a.action for a in play.world.account.audit].count("order.confirm_receipt") == 1


async def test_a_ticket_answered_again_in_the_same_words_is_answered(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("create", how="refused")
        await play.start(two_parcel_order())
        number = (await play.ticket()).ticket_id
        answer = ResolveTicket(ticket_id=number, action="give_up", remark="seen", by="ops")
        await play.update("resolve_ticket", answer)
        await play.update("resolve_ticket", answer)
        other = answer.model_copy(update={"remark": "no, otherwise"})
        assert await refusal(play, "resolve_ticket", other) == "NoSuchTicket"
    assert [a.action for a in play.world.account.audit].count("ticket.resolve") == 1


async def test_what_was_refused_may_be_asked_for_again(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        assert await refusal(play, "confirm_receipt", BUYER) == "NotNow"
        await play.happens(Kind.SIGNED, 1)
        await play.confirm()
        assert await play.statuses() == ("COMPLETED", "SIGNED")


async def test_a_key_stands_for_one_command(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no="SF1000000000001", carrier="SF")  # the order goes on
        number, keyed = play.order.order_no, client(play).keyed("checkout-4711")
        first = await keyed.cancel(number, CANCEL)
        assert await keyed.cancel(number, CANCEL) == first
        with pytest.raises(NotNow) as refused:
            await keyed.cancel(number, CancelOrder(by="buyer", reason="another reason"))
        assert refused.value.type == "KeyReused"
