"""Does a program of the stack do its work? Each check answers quickly and never raises."""

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta

import httpx
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig
from temporalio.service import RPCError

from deploy.local import ports
from deploy.local.service import Check

SILENT_POLL = timedelta(seconds=150)
"""A poll lasts up to a minute; a worker without a new one for this long has stopped working (docs/performance.md)."""
RPC_TIMEOUT = timedelta(seconds=3)
FAULTS = (RPCError, RuntimeError, TimeoutError)


def listens(port: int) -> Check:
    async def check(_pid: int) -> bool:
        return await asyncio.to_thread(ports.answers, port)

    return check


def answers_http(*urls: str) -> Check:
    """Every address answers a GET with 2xx."""

    async def check(_pid: int) -> bool:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http:
            try:
                return all([(await http.get(url)).is_success for url in urls])
            except httpx.HTTPError:
                return False

    return check


class TemporalChecks:
    """Questions to the Temporal server, over one connection made when first needed."""

    def __init__(self, connection: ClientConnectConfig, *, retention: timedelta | None = None) -> None:
        """`retention`: set on the namespace when the server first answers; None leaves it as it is."""
        self._connection = connection
        self._namespace = connection.get("namespace") or "default"
        self._retention = retention
        self._client: Client | None = None
        self._reachable_since: float | None = None

    async def serves(self, _pid: int) -> bool:
        try:
            client = await self._connected()
            await client.service_client.check_health(timeout=RPC_TIMEOUT)
            if self._retention:
                await self._keep_closed_workflows(client, self._retention)
                self._retention = None
        except FAULTS:
            return False
        return True

    def polls(self, task_queue: str) -> Check:
        """The worker with this process id has a fresh poll for workflow tasks."""

        async def check(pid: int) -> bool:
            last = await self._last_poll(task_queue, pid)
            return last is not None and datetime.now(UTC) - last < SILENT_POLL

        return check

    def not_silent(self, task_queue: str) -> Check:
        """False only when the server has been reachable all the while and this worker has not polled."""

        async def check(pid: int) -> bool:
            try:
                last = await self._last_poll(task_queue, pid, raising=True)
            except FAULTS:
                self._reachable_since = None
                return True
            now = time.monotonic()
            self._reachable_since = self._reachable_since or now
            if last and datetime.now(UTC) - last < SILENT_POLL:
                return True
            return now - self._reachable_since < SILENT_POLL.total_seconds()

        return check

    async def _last_poll(self, task_queue: str, pid: int, *, raising: bool = False) -> datetime | None:
        request = DescribeTaskQueueRequest(
            namespace=self._namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        try:
            client = await self._connected()
            answer = await client.workflow_service.describe_task_queue(request, timeout=RPC_TIMEOUT)
        except FAULTS:
            if raising:
                raise
            return None
        # The SDK calls a worker so unless told otherwise.
        name = f"{pid}@{socket.gethostname()}"
        mine = [p.last_access_time.ToDatetime(tzinfo=UTC) for p in answer.pollers if p.identity == name]
        return max(mine, default=None)

    async def _connected(self) -> Client:
        if self._client is None:
            async with asyncio.timeout(RPC_TIMEOUT.total_seconds()):
                self._client = await Client.connect(**self._connection)
        return self._client

    async def _keep_closed_workflows(self, client: Client, retention: timedelta) -> None:
        lasting = Duration()
        lasting.FromTimedelta(retention)
        await client.workflow_service.update_namespace(
            UpdateNamespaceRequest(
                namespace=self._namespace, config=NamespaceConfig(workflow_execution_retention_ttl=lasting)
            ),
            timeout=RPC_TIMEOUT,
        )
