"""A worker that decides in place, on the real store, for commands that are run in this process."""

import asyncio
import json
import threading
import time
from datetime import timedelta
from uuid import uuid4

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import worker
from activities.access.assembly import deciding_people
from providers.tokens.issue import SigningKey, key_set
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier
from store.pool import open_pool
from workflows.approvals.controls import ChangeControls
from workflows.approvals.in_place import DecideInPlace
from workflows.desk.workflow import DeskWork
from workflows.messages import TASK_QUEUE


def new_namespace(address: str) -> str:
    """One of this test's own: another worker of the same server polls the same task queue."""
    name = f"deciding-{uuid4().hex[:8]}"
    asyncio.run(_register(address, name))
    return name


async def _register(address: str, name: str) -> None:
    service = (await Client.connect(address)).workflow_service
    order = RegisterNamespaceRequest(namespace=name)
    order.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
    await service.register_namespace(order)
    deadline = time.monotonic() + 20
    while True:
        try:
            await service.describe_namespace(DescribeNamespaceRequest(namespace=name))
            return
        except RPCError:
            assert time.monotonic() < deadline, f"{name} does not appear"


class DecidingWorker:
    """On a thread and loop of its own, so that synchronous tests can use it. `key`: the issuer whose tokens count."""

    def __init__(self, address: str, namespace: str, database_url: str, key: SigningKey) -> None:
        self._where, self._database_url, self._key = (address, namespace), database_url, key
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(20), "the deciding worker did not start"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        address, namespace = self._where
        client = await Client.connect(address, namespace=namespace, data_converter=pydantic_data_converter)
        pool = await open_pool(self._database_url, max_size=2)
        keys = GivenKeys(read_key_set(json.dumps(key_set(self._key))))
        verifier = TokenVerifier([Issuer("oms-local", "oms-approvals", keys)], worker.now)
        try:
            async with Worker(
                client, task_queue=TASK_QUEUE, workflows=[DecideInPlace, ChangeControls, DeskWork],
                activities=deciding_people(pool, verifier, worker.now), workflow_runner=UnsandboxedWorkflowRunner(),
            ):  # fmt: skip
                self._ready.set()
                await self._stop.wait()
        finally:
            await pool.close()
