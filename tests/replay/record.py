"""Records the histories anew: `python -m tests.replay.record`; of some stories: `… record name …`.

Before the first release, whenever a workflow changes. From then on histories of earlier code stay as they are: they are
the orders that are open when new code is deployed, and a change that does not replay them needs `workflow.patched`.
"""

import asyncio
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.polling import Pull
from domain.facts import Fact, Kind
from tests.replay.stories import STORIES, play_out
from tests.workflows.play import REAL_SECONDS, Play, open_server, until
from tests.workflows.test_courier_subscription import Courier, new
from tests.workflows.test_reconciliation import Night, nights
from tests.workflows.world import World
from tests.workflows.world.asked import Asked
from workflows.loops import courier_subscription
from workflows.loops.courier_subscription import (
    COURIER_WORKFLOW,
    COURIER_WORKFLOW_ID,
    FollowParcels,
    FollowParcelsWorkflow,
)

HISTORIES = Path(__file__).parent / "histories"
ELSEWHERE = ("return_", "changed_")
"""Recorded by `tests/replay/returns.py` and `tests/replay/changes.py`."""


def keep(name: str, history: WorkflowHistory) -> None:
    """One line of JSON an event; stack traces name the machine they come from, and replay does not look at them."""
    events = without(json.loads(history.to_json())["events"], "stackTrace")
    lines = ",\n".join(json.dumps(event, ensure_ascii=False, sort_keys=True) for event in events)
    head = json.dumps(history.workflow_id)
    (HISTORIES / f"{name}.json").write_text(f'{{"workflow_id": {head}, "events": [\n{lines}\n]}}\n')


def without(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {k: without(v, key) for k, v in value.items() if k != key}
    return [without(v, key) for v in value] if isinstance(value, list) else value


async def record_orders(env: WorkflowEnvironment, names: Iterable[str]) -> None:
    for name in names:
        story = STORIES[name]
        play = Play(env, f"replay-{name}", World())
        async with play.worker():
            await play_out(play, story)
            keep(name, await play.history())


async def record_reconcile(env: WorkflowEnvironment) -> None:
    """One full run, as it goes over into the next one."""
    courier = Courier()
    courier.faults.fail("subscribe", how="refused", item="YT1000000000001")
    courier.batches = [new(1, 2), new(3), *([] for _ in range(courier_subscription.ROUNDS - 2))]
    methods: list[Any] = [courier.next_waybills, courier.subscribe, courier.followed]
    async with Worker(env.client, task_queue="replay", workflows=[FollowParcelsWorkflow], activities=methods):
        with env.with_time_skipping_disabled():
            handle = await env.client.start_workflow(
                COURIER_WORKFLOW, FollowParcels(), id=COURIER_WORKFLOW_ID, task_queue="replay"
            )
        await until(lambda: courier.looked > courier_subscription.ROUNDS, "the next run")
        first = env.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        keep("reconcile", await first.fetch_history())
        await env.client.get_workflow_handle(handle.id).terminate()


async def record_pull(env: WorkflowEnvironment) -> None:
    """Two ticks with news, then other settings, with which the next run goes on."""
    asked = Asked()
    asked.add("R00PULLED01", "R00PULLED02")
    for number in asked.open:
        asked.answers[number] = partial(_payment, number)
    async with asked.pulling(env, "replay-pull", batch=1) as handle:
        await until(lambda: len(asked.rows) == 2, "both found")
        await handle.signal("configure", Pull(connector="wechat", tick_s=60))
        await keep_first(env, handle, "pull")


def _payment(number: str) -> tuple[Fact, ...]:
    paid_at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    key = f"wechat:pay:{number}"
    return (Fact(key=key, kind=Kind.PAYMENT_SUCCEEDED, source="wechat", occurred_at=paid_at, order_no=number),)


async def record_daily(env: WorkflowEnvironment) -> None:
    """A night: every page, time to heal, the second look, and over to the next."""
    night = Night()
    async with nights(env, night) as handle:
        await env.fast_forward(handle, timedelta(hours=25))
        await until(lambda: bool(night.done), "a night")
        await keep_first(env, handle, "daily")


async def keep_first(env: WorkflowEnvironment, handle: WorkflowHandle[Any, Any], name: str) -> None:
    """The first run of a loop, once it has gone over into the next one."""
    first = env.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    async with asyncio.timeout(REAL_SECONDS):
        while (await first.describe()).status is WorkflowExecutionStatus.RUNNING:
            await asyncio.sleep(0.05)
    keep(name, await first.fetch_history())


async def main(names: list[str]) -> None:
    if names:
        async with await open_server() as env:
            await record_orders(env, names)
        return
    HISTORIES.mkdir(exist_ok=True)
    for old in HISTORIES.glob("*.json"):
        if not old.stem.startswith(ELSEWHERE):
            old.unlink()
    async with await open_server() as env:
        await record_orders(env, STORIES)
        await record_reconcile(env)
        await record_pull(env)
        await record_daily(env)
    for path in sorted(HISTORIES.glob("*.json")):
        sys.stdout.write(f"{path.stat().st_size // 1024:5} KiB  {path.name}\n")
    sys.stdout.write(f"recorded {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
