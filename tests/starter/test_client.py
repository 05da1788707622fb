"""The typed client against a real Temporal server and the stand-in workflow."""

import asyncio
import gc
import json
from typing import Any

import pytest

from config.settings import TemporalSettings, UnableToConfigure
from domain.order import StartOrder
from domain.strict import parse
from starter.clients.errors import DuplicateOrder, NoAnswer, NotNow, OrderNotFound, OrderRefused, Unreachable
from starter.clients.orders import OrderClient
from tests.starter.conftest import free_port
from workflows.messages import ResolveTicket
from workflows.order.messages import CancelOrder, ConfirmReceipt, Refresh


@pytest.fixture(autouse=True)
def trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only on one machine a client may speak in clear."""
    monkeypatch.setenv("OMS_ENV_FILE", "")
    monkeypatch.setenv("OMS_ENVIRONMENT", "local")


@pytest.fixture
async def client(temporal: TemporalSettings) -> OrderClient:
    return await OrderClient.connect(temporal)


@pytest.fixture
def order(order_json: dict[str, Any]) -> StartOrder:
    return parse(StartOrder, json.dumps(order_json))


async def test_start_answers_with_the_pay_code(client: OrderClient, order: StartOrder) -> None:
    placed = await client.start(order)
    assert (placed.order_no, placed.payable_minor) == (order.order_no, 19580)
    assert placed.payment_code is not None
    assert placed.pay_deadline == order.deadline(1800)


async def test_same_number_is_a_duplicate_while_open_and_after_the_end(client: OrderClient, order: StartOrder) -> None:
    await client.start(order)
    with pytest.raises(DuplicateOrder, match=order.order_no):
        await client.start(order)
    await client.cancel(order.order_no, CancelOrder(by="tester", reason="changed my mind"))
    with pytest.raises(DuplicateOrder):
        await client.start(order)
    with pytest.raises(DuplicateOrder):
        await client.start_nowait(order)


async def test_a_refused_start_leaves_no_unread_failure_behind(client: OrderClient, order: StartOrder) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    await client.start(order)
    with pytest.raises(DuplicateOrder):
        await client.start(order)
    gc.collect()
    assert complaints == []


async def test_refusal_carries_its_type_and_every_reason(client: OrderClient, order_json: dict[str, Any]) -> None:
    order_json["lines"][0]["sku"] = "NO-SUCH-SKU"
    with pytest.raises(OrderRefused) as refusal:
        await client.start(parse(StartOrder, json.dumps(order_json)))
    assert refusal.value.type == "UnknownSku"
    assert refusal.value.reasons == ("line L1: SKU NO-SUCH-SKU is not in the catalogue", "line L1: no tags")


async def test_rejected_update_is_not_now_with_its_type(client: OrderClient, order: StartOrder) -> None:
    assert await client.start_nowait(order) == f"order/{order.order_no}"
    with pytest.raises(NotNow, match="nothing has been delivered") as refusal:
        await client.confirm_receipt(order.order_no, ConfirmReceipt(by="tester"))
    assert refusal.value.type == "NotNow"
    wrong = ResolveTicket(ticket_id="T-9", action="retry", remark="try", by="tester")
    with pytest.raises(NotNow) as refusal:
        await client.resolve_ticket(order.order_no, wrong)
    assert refusal.value.type == "NoSuchTicket"
    await client.resolve_ticket(order.order_no, wrong.model_copy(update={"ticket_id": f"T-{order.order_no}-1"}))


async def test_refresh_and_view_answer_with_their_models(client: OrderClient, order: StartOrder) -> None:
    await client.start(order)
    assert (await client.refresh(order.order_no, Refresh(by="tester"))).changes == ("asked by: nobody -> tester",)
    assert (await client.view(order.order_no)).waiting_for == "payment"


async def test_unknown_order_is_not_found_and_an_ended_one_takes_no_changes(
    client: OrderClient, order: StartOrder
) -> None:
    for call in (client.view("NO-ORDER"), client.refresh("NO-ORDER", Refresh(by="tester"))):
        with pytest.raises(OrderNotFound):
            await call
    await client.start(order)
    message = CancelOrder(by="tester", reason="no")
    await client.cancel(order.order_no, message)
    with pytest.raises(NotNow) as refusal:
        await client.cancel(order.order_no, message)
    assert refusal.value.type == "Ended"


async def test_an_update_that_never_answers_ends_in_finite_time(temporal: TemporalSettings, order: StartOrder) -> None:
    client = await OrderClient.connect(temporal, answer_timeout_s=2)
    await client.start(order)
    with pytest.raises(NoAnswer, match="the cancel"):
        await client.cancel(order.order_no, CancelOrder(by="tester", reason="never answers"))


async def test_without_keys_nothing_is_sent_in_clear(
    monkeypatch: pytest.MonkeyPatch, temporal: TemporalSettings
) -> None:
    monkeypatch.setenv("OMS_ENVIRONMENT", "prod")
    with pytest.raises(UnableToConfigure, match="OMS_PAYLOAD_KEYS"):
        await OrderClient.connect(temporal)


async def test_no_server_is_said_in_words() -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        await OrderClient.connect(TemporalSettings(temporal_address=f"127.0.0.1:{free_port()}"))
