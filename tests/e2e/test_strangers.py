"""Who may write to the namespace, short of polling our queue, moves no fen and no unit and stops no order."""

import asyncio
import importlib
import pkgutil
import uuid
from collections import Counter
from datetime import UTC, datetime

import pytest
from temporalio.activity import _Definition
from temporalio.common import RawValue

import activities
from bench.demo.environment import DemoEnvironment
from bench.faults.strangers import Impostor, Stranger, plain, refusals
from domain.facts import Fact, Kind
from tests.e2e.lives import orders_with_goods, play, the_books_are_right
from workflows.messages import TASK_QUEUE, FactBatch, order_workflow_id
from workflows.order_return_signals import CaseClosed, CaseOpened, StopForCase


def every_activity() -> list[str]:
    found = set()
    for module in pkgutil.iter_modules(activities.__path__):
        for owner in vars(importlib.import_module(f"activities.{module.name}")).values():
            if isinstance(owner, type):
                definitions = (_Definition.from_callable(method) for method in vars(owner).values() if callable(method))
                found |= {str(d.name) for d in definitions if d is not None}
    assert {"payment.refund", "store.write", "people.decide", "wms.cancel"} <= found
    return sorted(found)


def lies(order_no: str, payable_minor: int) -> list[tuple[str, object]]:
    now = datetime.now(UTC)
    number = uuid.uuid4().hex
    paid = Fact(
        key=f"wechat:pay:{number}", kind=Kind.PAYMENT_SUCCEEDED, source="wechat", occurred_at=now, order_no=order_no,
        transaction_id=number, merchant_id="1900000109", amount_minor=payable_minor, currency="CNY", inbox_id=10**9,
    )  # fmt: skip
    signed = Fact(key=f"k:{number}", kind=Kind.SIGNED, source="kuaidi100", occurred_at=now, child_no=f"{order_no}-01")
    refunded = Fact(
        key=f"wechat:refund:{number}", kind=Kind.REFUND_SUCCEEDED, source="wechat", occurred_at=now, order_no=order_no,
        refund_no=f"R-{order_no}-1", amount_minor=payable_minor, currency="CNY",
    )  # fmt: skip
    return [
        ("facts", FactBatch(facts=(paid, signed, refunded))),
        ("case_opened", CaseOpened(return_no="RT-NONE", stops_parcels=True)),
        ("stop_for_case", StopForCase(return_no="RT-NONE", units=())),
        ("case_closed", CaseClosed(return_no="RT-NONE", refunded={"L1": 1})),
        ("facts", None),
        ("no_such_signal", {"a": [1]}),
    ]


async def test_what_a_stranger_signals_is_not_believed(stage: DemoEnvironment, replayed: Counter[str]) -> None:
    (order,) = await orders_with_goods(stage, 1)
    await stage.client.start(order)
    handle = stage.temporal.get_workflow_handle(order_workflow_id(order.order_no))
    told = lies(order.order_no, order.payable_minor)
    for name, message in told:
        await handle.signal(name, message)
    count = "SELECT count(*) FROM audit WHERE order_no = $1 AND action = 'signal.refused' AND actor = 'unverified'"
    async with asyncio.timeout(stage.patience_s):
        while not await stage.pool.fetchval(count, order.order_no):
            await asyncio.sleep(0.1)
    seen = await stage.client.view(order.order_no)
    assert (seen.status, seen.payment_status, seen.open_tickets) == ("PENDING_PAYMENT", "CREATED", ())


@pytest.mark.parametrize("kind", [Stranger, Impostor])
async def test_no_activity_is_done_for_a_strangers_workflow(stage: DemoEnvironment, kind: type[Stranger]) -> None:
    before = await stage.pool.fetchval("SELECT count(*) FROM audit")
    refund = RawValue(plain('{"order_no": "SO1", "refund_no": "R1", "amount_minor": 19580}'))
    found = await refusals(stage.temporal, TASK_QUEUE, kind, every_activity(), refund, uuid.uuid4().hex)
    assert set(found) == {"NotOurs"}
    assert await stage.pool.fetchval("SELECT count(*) FROM audit") == before


async def test_an_order_that_strangers_have_lied_to_lives_its_life(
    stage: DemoEnvironment, replayed: Counter[str]
) -> None:
    orders = await orders_with_goods(stage, 1)
    lying = asyncio.create_task(_lie(stage, orders[0].order_no))
    await play(stage, orders)
    lying.cancel()
    assert stage.seen[orders[0].order_no].status == "COMPLETED"
    await the_books_are_right(stage, replayed)


async def _lie(stage: DemoEnvironment, order_no: str) -> None:
    """Again and again, as soon as there is somebody to lie to."""
    await stage.until(order_no, "its start", lambda s: s.status != "-")
    handle = stage.temporal.get_workflow_handle(order_workflow_id(order_no))
    while True:
        for name, message in lies(order_no, 1):
            await handle.signal(name, message)
        await asyncio.sleep(0.5)
