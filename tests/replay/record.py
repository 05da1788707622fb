"""Records the histories anew: `python -m tests.replay.record`.

Before the first release, whenever a workflow changes. From then on histories of earlier code stay as they are: they are
the orders that are open when new code is deployed, and a change that does not replay them needs `workflow.patched`.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.replay.stories import STORIES, play_out
from tests.workflows.play import Play, open_server, until
from tests.workflows.test_follow_parcels import Courier, new
from tests.workflows.world import World
from workflows import reconcile
from workflows.reconcile import COURIER_WORKFLOW, COURIER_WORKFLOW_ID, FollowParcels, FollowParcelsWorkflow

HISTORIES = Path(__file__).parent / "histories"


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


async def record_orders(env: WorkflowEnvironment) -> None:
    for name, story in STORIES.items():
        play = Play(env, f"replay-{name}", World())
        async with play.worker():
            await play_out(play, story)
            keep(name, await play.history())


async def record_reconcile(env: WorkflowEnvironment) -> None:
    """One full run, as it goes over into the next one."""
    courier = Courier()
    courier.faults.fail("subscribe", how="refused", item="YT1")
    courier.batches = [new(1, 2), new(3), *([] for _ in range(reconcile.ROUNDS - 2))]
    methods: list[Any] = [courier.next_waybills, courier.subscribe, courier.followed]
    async with Worker(env.client, task_queue="replay", workflows=[FollowParcelsWorkflow], activities=methods):
        with env.with_time_skipping_disabled():
            handle = await env.client.start_workflow(
                COURIER_WORKFLOW, FollowParcels(), id=COURIER_WORKFLOW_ID, task_queue="replay"
            )
        await until(lambda: courier.looked > reconcile.ROUNDS, "the next run")
        first = env.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        keep("reconcile", await first.fetch_history())
        await env.client.get_workflow_handle(handle.id).terminate()


async def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    for old in HISTORIES.glob("*.json"):
        old.unlink()
    async with await open_server() as env:
        await record_orders(env)
        await record_reconcile(env)
    for path in sorted(HISTORIES.glob("*.json")):
        sys.stdout.write(f"{path.stat().st_size // 1024:5} KiB  {path.name}\n")
    sys.stdout.write(f"recorded {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n")


if __name__ == "__main__":
    asyncio.run(main())
