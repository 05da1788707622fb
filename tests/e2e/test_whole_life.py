"""A paid two-parcel order through every real door, and what it costs."""

import asyncio
import statistics
import subprocess
from pathlib import Path

from bench import invariants
from bench.demo.cast import provide_stock
from bench.demo.parts import Part, received
from bench.demo.stage import Stage
from bench.histories import HistoryCount, count
from bench.two_parcels import two_parcel_orders
from deploy.local.temporal import temporal_binary
from domain.order import StartOrder
from workflows.messages import ConfirmReceipt, order_workflow_id

MOST_EVENTS = 90
MOST_WORKFLOW_TASKS = 16


async def play_all(stage: Stage, orders: list[StartOrder]) -> None:
    parts = [Part("e2e", order, received) for order in orders]
    await provide_stock(stage.pool, parts)
    watching = asyncio.create_task(stage.watch(lambda: [o.order_no for o in orders]))
    try:
        await asyncio.gather(*(one(stage, part) for part in parts))
    finally:
        watching.cancel()


async def one(stage: Stage, part: Part) -> None:
    await part.play(stage, part.order)
    await stage.until(part.order.order_no, "its end", lambda s: s.ended)


async def history(stage: Stage, order: StartOrder) -> HistoryCount:
    return await count(stage.temporal.get_workflow_handle(order_workflow_id(order.order_no)))


async def test_the_whole_life_of_a_two_parcel_order_fits_its_budget(stage: Stage) -> None:
    (order,) = two_parcel_orders(1)
    await play_all(stage, [order])
    spent = await history(stage, order)
    assert stage.seen[order.order_no].status == "COMPLETED"
    assert stage.seen[order.order_no].children == ("SIGNED", "SIGNED")
    assert spent.events <= MOST_EVENTS, spent
    assert spent.workflow_tasks <= MOST_WORKFLOW_TASKS, spent


async def test_forty_orders_at_once_run_without_a_failed_workflow_task_and_every_invariant_holds(stage: Stage) -> None:
    orders = two_parcel_orders(40)
    await play_all(stage, orders)
    spent = await asyncio.gather(*(history(stage, order) for order in orders))
    assert sum(s.failed_workflow_tasks for s in spent) == 0
    # Under load the two parcels of an order drift apart; most orders still fit the budget of a quiet one.
    assert statistics.median(s.events for s in spent) <= MOST_EVENTS
    assert statistics.median(s.workflow_tasks for s in spent) <= MOST_WORKFLOW_TASKS
    await asyncio.wait_for(drained(stage), 60)
    findings = invariants.check(await invariants.look(stage.pool, stage.sandboxes, stage.temporal))
    assert [f for f in findings if not f.holds] == []


async def test_an_order_started_with_the_plain_temporal_command_goes_the_same_way(
    stage: Stage, city: dict[str, str], tmp_path: Path
) -> None:
    (order,) = two_parcel_orders(1)
    await provide_stock(stage.pool, [Part("plain", order, received)])
    message = tmp_path / "order.json"
    message.write_text(order.model_dump_json())
    command = [
        str(temporal_binary()), "workflow", "start", "--address", city["TEMPORAL_ADDRESS"], "--type", "Order",
        "--task-queue", "oms", "--workflow-id", order_workflow_id(order.order_no), "--input-file", str(message),
    ]  # fmt: skip
    started = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30, check=False)
    assert started.returncode == 0, started.stderr
    watching = asyncio.create_task(stage.watch(lambda: [order.order_no]))
    try:
        await stage.until(order.order_no, "payment offered", lambda s: s.payment_status == "CREATED")
        await stage.pay(order)
        await stage.until(order.order_no, "delivery", lambda s: s.status == "DELIVERED")
        await stage.client.confirm_receipt(order.order_no, ConfirmReceipt(by="buyer"))
        await stage.until(order.order_no, "its end", lambda s: s.ended)
    finally:
        watching.cancel()
    assert (await history(stage, order)).events <= MOST_EVENTS


async def drained(stage: Stage) -> None:
    while await stage.pool.fetchval("SELECT EXISTS (SELECT FROM inbox WHERE state IN ('received', 'delivered'))"):
        await asyncio.sleep(0.2)
