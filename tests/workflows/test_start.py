"""What does not become an order, and how its sender is told (decision 0001)."""

import json
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowFailureError, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.order import StartOrder
from domain.strict import of
from starter.clients.errors import OrderRefused
from starter.clients.orders import OrderClient
from tests.workflows.conftest import Plays
from tests.workflows.orders import new_number, order_message, two_parcel_order
from tests.workflows.play import Play
from workflows.messages import order_workflow_id


def raw(text: str, encoding: bytes = b"json/plain") -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding}, data=text.encode()))


def broken_messages() -> dict[str, str]:
    text = json.dumps(order_message(order_no="T000001"))
    return {
        "duplicate key": text.replace('"payable_minor": 10600', '"payable_minor": 1, "payable_minor": 10600'),
        "NaN": text.replace('"payable_minor": 10600', '"payable_minor": NaN'),
        "number as text": text.replace('"payable_minor": 10600', '"payable_minor": "10600"'),
        "text as number": text.replace('"buyer_id": "b-1"', '"buyer_id": 1'),
        "a fraction of a fen": text.replace('"payable_minor": 10600', '"payable_minor": 10600.0'),
        "unknown field": text.replace('"payable_minor": 10600', '"payable_minor": 10600, "status": "PAID"'),
        "local time": json.dumps(order_message(order_no="T000001", placed_at="2026-03-02T20:00:00")),
        "a deadline that no calendar has": json.dumps(
            order_message(order_no="T000001", placed_at="9999-12-31T23:59:59+00:00")
        ),
        "no JSON": text[:-1],
        "no object": "[]",
    }


async def refusal(play: Play, message: Any, workflow_id: str) -> ApplicationError:
    """The error of `place`; the workflow must have failed in the same words, with nothing written."""
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await play.place(message, workflow_id)
    with pytest.raises(WorkflowFailureError) as failed:
        await play.handle.result()
    told, ended = caught.value.cause, failed.value.cause
    assert isinstance(told, ApplicationError) and isinstance(ended, ApplicationError)
    assert (told.type, told.message) == (ended.type, ended.message)
    assert not any(account.writes for account in play.world.books.accounts.values())
    assert not play.world.calls
    return told


@pytest.mark.parametrize("fault", broken_messages())
async def test_a_message_that_cannot_be_read_is_refused_not_stuck(plays: Plays, fault: str) -> None:
    async with plays() as play:
        error = await refusal(play, raw(broken_messages()[fault]), f"{order_workflow_id('T000001')}")
    assert error.type == "InvalidOrder"


async def test_a_message_in_another_encoding_is_refused(plays: Plays) -> None:
    async with plays() as play:
        number = new_number()
        error = await refusal(play, raw(json.dumps(order_message(order_no=number)), b"binary/plain"), f"order/{number}")
    assert error.type == "InvalidOrder" and "json/plain" in error.message


async def test_an_order_under_another_orders_workflow_id_is_refused(plays: Plays) -> None:
    async with plays() as play:
        order = two_parcel_order()
        error = await refusal(play, order, order_workflow_id(new_number()))
    assert error.type == "InvalidOrder" and order.order_no in error.message


@pytest.mark.parametrize("kind", ["UnknownSku", "DuplicateOrder", "PayableMismatch", "CurrencyNotAccepted"])
async def test_what_the_store_refuses_reaches_the_sender_by_its_name(plays: Plays, kind: str) -> None:
    async with plays() as play:
        play.world.books.refuse_register = kind
        order = two_parcel_order()
        error = await refusal(play, order, order_workflow_id(order.order_no))
    assert error.type == kind


async def test_a_refused_order_says_why_when_it_is_looked_at(plays: Plays) -> None:
    async with plays() as play:
        await refusal(play, raw("{}"), order_workflow_id(new_number()))
        with pytest.raises(WorkflowQueryFailedError, match="order_no"):
            await play.view()


async def test_place_answers_with_the_payment_code_once_the_order_is_in_the_books(plays: Plays) -> None:
    async with plays() as play:
        order = two_parcel_order()
        placed = await play.place(order, order_workflow_id(order.order_no))
        assert (placed.order_no, placed.payable_minor, placed.currency) == (order.order_no, 10_600, "CNY")
        assert placed.payment_code == f"weixin://wxpay/bizpayurl?pr={order.order_no}"


async def test_place_answers_without_a_code_when_the_payment_needs_a_person(plays: Plays) -> None:
    async with plays() as play:
        play.world.fail("create", how="refused")
        order = two_parcel_order()
        placed = await play.place(order, order_workflow_id(order.order_no))
        assert placed.payment_code is None
        assert (await play.ticket()).step == "create payment"


async def test_a_payment_made_by_the_shop_itself_is_not_created_again(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order(payment={"method": "external"}))
        await play.pay()
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED")
        assert play.world.calls["create"] == 0


async def test_an_order_too_large_for_the_engine_is_refused_with_nothing_changed(plays: Plays) -> None:
    """By its workflow, whoever starts it: 10,000 lines would have been registered, and never answered."""
    async with plays() as play:
        number = new_number()
        lines = [
            {"line_id": f"{n}", "sku": f"S{n}", "qty": 1, "unit_price_minor": 100, "tags": {"warehouse": "W"}}
            for n in range(10_000)
        ]
        message = order_message(order_no=number, lines=lines, coupons=[], freight=[], payable_minor=1_000_000)
        error = await refusal(play, message, order_workflow_id(number))
    assert error.type == "InvalidOrder" and "too large" in error.message
    with pytest.raises(OrderRefused, match="too large"):
        await OrderClient(play.env.client).start(of(StartOrder, message))
