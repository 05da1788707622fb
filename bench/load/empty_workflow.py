"""The measure beside which an order is measured: a workflow that does nothing but call as many empty activities.

`python -m bench.empty`: its worker, until SIGTERM.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

with workflow.unsafe.imports_passed_through():
    from config.settings import Settings
    from starter.clients.orders import connect_temporal

QUEUE = "bench-empty"


@activity.defn(name="bench.nothing")
async def nothing() -> None:
    return


@workflow.defn(name="Empty")
class Empty:
    @workflow.run
    async def run(self, activities: int, local_activities: int) -> None:
        for _ in range(activities):
            await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(seconds=10))
        for _ in range(local_activities):
            await workflow.execute_local_activity(nothing, start_to_close_timeout=timedelta(seconds=10))


async def serve() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # With the converter of who starts them: what they are told is encrypted, as an order is.
    client = await connect_temporal(Settings().temporal)
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=QUEUE, workflows=[Empty], activities=[nothing], workflow_runner=runner):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve())
    sys.stdout.flush()
    os._exit(0)
