"""Names, phones and addresses are in our books, and nowhere else that is ours: in no byte that Temporal has, in no log,
no metric, no trace."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from bench.demo.environment import DemoEnvironment
from bench.demo.return_stories import Case
from bench.demo.staffing import STAFF
from deploy.local.temporal import temporal_binary
from domain.approvals import Role
from domain.order import Buyer, StartOrder
from domain.returns.enums import ReturnType
from starter.clients.errors import NotNow
from tests.e2e.collector import Collector
from tests.e2e.lives import orders_with_goods
from tests.e2e.programs import READER, oms, run, temporal
from tests.e2e.stillness import silence
from tests.e2e.waiting import until
from workflows.messages import ORDER_WORKFLOW, TASK_QUEUE, order_workflow_id
from workflows.order.changes.messages import ChangeAddress
from workflows.order.messages import ConfirmReceipt

NAME, CHINESE_NAME, PHONE, STREET, NEW_STREET, TYPO = (
    "Xanthippe Quillfeather", "金丝雀先生", "13912340987", "91 Oubliette Mews", "92 Oubliette Mews", "Zephyrine Vale",
)  # fmt: skip
FORGETS = "demo-forgets"
CHILD = "IN (SELECT child_no FROM child_orders WHERE order_no = $1)"
ABOUT_THEM = {
    "orders": "order_no = $1", "child_orders": "order_no = $1", "parcels": f"child_no {CHILD}",
    "inbox": "order_no = $1", "order_events": "order_no = $1", "tickets": "order_no = $1", "refunds": "order_no = $1",
    "return_cases": "order_no = $1", "audit": "order_no = $1", "approvals": "order_no = $1",
    "return_timeline": "return_no IN (SELECT return_no FROM return_cases WHERE order_no = $1)",
    "courier_traces": f"waybill_no IN (SELECT waybill_no FROM parcels WHERE child_no {CHILD})",  # noqa: S608
    "outbox": "order_no = $1", "order_plans": "order_no = $1",
}  # fmt: skip
CANARIES = (NAME, CHINESE_NAME, PHONE, STREET, NEW_STREET, TYPO)


def shapes(word: str) -> set[bytes]:
    """As programs write it: text, JSON with escapes."""
    return {word.encode(), json.dumps(word)[1:-1].encode()}


def found_in(where: str, held: bytes) -> list[str]:
    return [f"{word} in {where}" for word in CANARIES if any(shape in held for shape in shapes(word))]


async def with_canary(stage: DemoEnvironment, recipient: str) -> StartOrder:
    (order,) = await orders_with_goods(stage, 1)
    address = order.address.model_copy(update={"recipient": recipient, "phone": PHONE, "street": STREET})
    return order.model_copy(update={"address": address})


async def lived(stage: DemoEnvironment, order: StartOrder) -> None:
    """Readdressed, with an outage of carrier and warehouse, delivered, partly sent back and paid back."""
    number = order.order_no
    await stage.client.start(order)
    elsewhere = order.address.model_copy(update={"street": NEW_STREET})
    await stage.client.change_address(number, ChangeAddress(address=elsewhere, by="anna", remark="moved"))
    for sandbox, operation in (("tms", "book"), ("qimen", "push")):
        await stage.fault(sandbox, operation, "error_before", order_no=number)
    await stage.pay(order)
    await stage.until(number, "delivery", lambda s: s.status == "DELIVERED")
    case = Case(stage, order, ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    await case.go_on()
    assert await until(lambda: confirmed(stage, number), 60), "the order hears that its return is over"
    await stage.until(number, "its end", lambda s: s.ended)


async def confirmed(stage: DemoEnvironment, number: str) -> bool:
    with suppress(NotNow):
        await stage.client.confirm_receipt(number, ConfirmReceipt(by="buyer"))
        return True
    return False


async def refused(stage: DemoEnvironment, order: StartOrder) -> None:
    """A start whose refusal repeats what it said."""
    number = f"{order.order_no}X"
    message: dict[str, Any] = {**order.model_dump(mode="json"), "order_no": number, TYPO: NAME}
    with pytest.raises(WorkflowFailureError) as why:
        await stage.temporal.execute_workflow(
            ORDER_WORKFLOW, message, id=order_workflow_id(number), task_queue=TASK_QUEUE
        )
    assert TYPO in str(why.value.cause)


def files_of(logs: Path) -> list[Path]:
    return [*(logs.parent / "temporal").glob("temporal.db*"), *logs.glob("*.log")]


@pytest.fixture
async def order(stage: DemoEnvironment) -> AsyncIterator[StartOrder]:
    await stage.office.hire(STAFF)
    made = await with_canary(stage, NAME)
    for one in (made, await with_canary(stage, CHINESE_NAME)):
        await lived(stage, one)
    await refused(stage, made)
    await silence(stage)
    yield made


@pytest.mark.timeout(300)
async def test_people_stand_in_no_byte_that_temporal_or_a_log_has(
    stage: DemoEnvironment, city: dict[str, str], order: StartOrder, logs: Path, collector: Collector
) -> None:
    books = await stage.pool.fetchval("SELECT start::text FROM orders WHERE order_no = $1", order.order_no)
    assert {NAME, PHONE} <= {word for word in CANARIES if word in books}, "only there"
    found, events = [], 0
    async for one in stage.temporal.list_workflows():
        handle = stage.temporal.get_workflow_handle(one.id, run_id=one.run_id)
        raw = [one.raw_info, (await handle.describe()).raw_description]
        async for event in handle.fetch_history_events():
            raw.append(event)
            events += 1
        found += [f for message in raw for f in found_in(one.id, message.SerializeToString())]
    assert events > 100
    files = files_of(logs)
    assert {file.name for file in files} >= {"temporal.db", "worker.log", "relay.log", "codec.log", "temporal.log"}
    for file in files:
        if file.name != "sandbox.log":
            found += found_in(file.name, file.read_bytes())
    port = int(city["OMS_WORKER_METRICS_PORT"])
    metrics = [f"http://127.0.0.1:{port}/metrics", f"http://127.0.0.1:{port + 1}/metrics"]
    for url in (*metrics, f"{city['OMS_RELAY_URL']}/metrics"):
        found += found_in(url, (await stage.http.get(url)).content)
    for n, body in enumerate(list(collector.received)):
        found += found_in(f"trace {n}", body)
    assert found == []


@pytest.mark.timeout(300)
async def test_who_may_read_sees_people_through_the_codec_server_and_is_written_down(
    stage: DemoEnvironment, city: dict[str, str]
) -> None:
    begun = datetime.now(UTC)
    order = await with_canary(stage, NAME)
    await stage.client.start(order)
    at = ("--workflow-id", order_workflow_id(order.order_no))
    told = await temporal(city, "show", *at, "--detailed")
    assert (told.code, PHONE in told.out) == (0, True)
    viewed = await temporal(city, "query", *at, "--type", "view", "--output", "json")
    assert (viewed.code, order.order_no in viewed.out) == (0, True)
    rows = await stage.pool.fetch(
        "SELECT actor, detail ->> 'workflow_id' AS id FROM audit WHERE action = 'histories.read' AND at >= $1", begun
    )
    assert {(row["actor"], row["id"]) for row in rows} == {(READER, at[1])}
    bare = [str(temporal_binary()), "workflow", "show", *at, "--detailed", "--address", city["TEMPORAL_ADDRESS"]]
    unread = await run(bare, city)
    assert (unread.code, "WorkflowExecutionStarted" in unread.out, PHONE in unread.out) == (0, True, False)


@pytest.mark.timeout(300)
async def test_a_forgotten_buyer_stands_nowhere_not_even_in_our_books(
    stage: DemoEnvironment, city: dict[str, str], logs: Path
) -> None:
    await stage.office.hire({**STAFF, FORGETS: Role.ADMIN})
    order = (await with_canary(stage, NAME)).model_copy(update={"buyer": Buyer(buyer_id=f"B-{uuid.uuid4().hex[:8]}")})
    await lived(stage, order)
    # What `refused` and other tests have left is of other buyers.
    theirs = "SELECT count(*) FROM orders t WHERE buyer_id = $1 AND t::text LIKE $2"
    assert await stage.pool.fetchval(theirs, order.buyer.buyer_id, f"%{PHONE}%") == 1
    asked = (await oms(city, "order", "forget", order.buyer.buyer_id, "--by", "demo-supervisor", "--json")).json
    number = asked["approval"]["approval_id"]
    said = await oms(city, "approve", "approve", number, "--as", FORGETS, "--remark", "in writing", "--json")
    assert said.code == 0, said
    ended = "SELECT ended_at IS NOT NULL FROM erasures WHERE approval_id = $1"
    async with asyncio.timeout(120):
        while not await stage.pool.fetchval(ended, number):
            await asyncio.sleep(0.5)
    returns = await stage.pool.fetch("SELECT return_no FROM return_cases WHERE order_no = $1", order.order_no)
    ids = [order_workflow_id(order.order_no), *(f"return/{row['return_no']}" for row in returns)]
    assert len(ids) == 2
    for name in ids:
        with pytest.raises(RPCError) as gone:
            await stage.temporal.get_workflow_handle(name).describe()
        assert gone.value.status is RPCStatusCode.NOT_FOUND
    found = []
    for table, what in ABOUT_THEM.items():
        for row in await stage.pool.fetch(f"SELECT t::text AS held FROM {table} t WHERE {what}", order.order_no):  # noqa: S608
            found += found_in(table, row["held"].encode())
    for file in files_of(logs):
        found += found_in(file.name, file.read_bytes()) if file.name != "sandbox.log" else []
    assert found == []
    assert (await oms(city, "audit", "verify", "--json")).code == 0
    assert (await oms(city, "order", "show", order.order_no, "--json")).code == 0
