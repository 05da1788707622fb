"""A paid two-parcel order through every real door, and what it costs."""

import asyncio
from collections import Counter
from pathlib import Path

from bench.budget import budget
from bench.demo.environment import DemoEnvironment
from domain.order import StartOrder
from tests.e2e.lives import history, orders_with_goods, play, the_books_are_right
from tests.e2e.programs import temporal
from workflows.messages import order_workflow_id
from workflows.order.messages import ConfirmReceipt

MOST = budget("through the relay")
"""As in the play of the workflow alone, and the proof of the start: on a slow machine no quiet fact finds one to ride
with (decision 0076)."""


async def fits_its_budget(stage: DemoEnvironment, order: StartOrder) -> None:
    seen, spent = stage.seen[order.order_no], await history(stage, order)
    assert (seen.status, seen.children, seen.ended) == ("COMPLETED", ("SIGNED", "SIGNED"), True)
    assert spent.failed_workflow_tasks == 0
    assert spent.events <= MOST["events"], spent
    assert spent.workflow_tasks <= MOST["workflow_tasks"], spent


async def test_the_whole_life_of_a_two_parcel_order_fits_its_budget(stage: DemoEnvironment) -> None:
    (order,) = await orders_with_goods(stage, 1)
    await play(stage, [order])
    await fits_its_budget(stage, order)


async def test_an_order_started_with_the_plain_temporal_command_lives_the_same_life(
    stage: DemoEnvironment, city: dict[str, str], tmp_path: Path
) -> None:
    (order,) = await orders_with_goods(stage, 1)
    message = tmp_path / "order.json"
    message.write_text(order.model_dump_json())
    named = ("--type", "Order", "--task-queue", "oms", "--workflow-id", order_workflow_id(order.order_no))
    started = await temporal(city, "start", *named, "--input-file", str(message))
    assert started.code == 0, started
    await stage.until(order.order_no, "the payment's offer", lambda s: s.payment_status == "CREATED")
    await stage.pay(order)
    await stage.until(order.order_no, "delivery", lambda s: s.status == "DELIVERED")
    await stage.client.confirm_receipt(order.order_no, ConfirmReceipt(by="buyer"))
    await stage.until(order.order_no, "its end", lambda s: s.ended)
    sources = await stage.pool.fetch(
        "SELECT DISTINCT source FROM inbox WHERE order_no = $1 AND via = 'callback'", order.order_no
    )
    assert {row["source"] for row in sources} >= {"wechat", "qimen", "kuaidi100"}, "its facts came through the relay"
    await fits_its_budget(stage, order)


async def test_forty_orders_at_once_run_without_a_failed_workflow_task_and_every_invariant_holds(
    stage: DemoEnvironment, replayed: Counter[str]
) -> None:
    orders = await orders_with_goods(stage, 40)
    await play(stage, orders)
    assert {stage.seen[order.order_no].status for order in orders} == {"COMPLETED"}
    spent = await asyncio.gather(*(history(stage, order) for order in orders))
    assert [s for s in spent if s.failed_workflow_tasks] == [], "neither failed nor timed out"
    await the_books_are_right(stage, replayed)
