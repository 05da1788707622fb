"""Whether the walls stand that no setting of ours can tell of: Temporal's, and those of the books. Asked, and nothing
changed by it."""

from datetime import timedelta

from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from config.walls import WallOff
from store.pool import Pool

NOBODYS = "oms-nobodys"
"""A task queue on which there is never work."""
PATIENCE = timedelta(seconds=1)
AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.NOT_FOUND, RPCStatusCode.RESOURCE_EXHAUSTED)
OWNS = "SELECT pg_has_role('oms_owner', 'MEMBER')"


async def standing(client: Client, pool: Pool) -> tuple[WallOff, ...]:
    """Those that do not."""
    off = []
    if await _may_poll(client):
        off.append(
            WallOff(
                "temporal roles",
                "this command may poll for tasks, so Temporal tells no worker from anybody else (docs/security.md)",
            )
        )
    if await pool.fetchval(OWNS):
        off.append(WallOff("role in the books", "this command is the books' owner, who may change everything in them"))
    return tuple(off)


async def _may_poll(client: Client) -> bool:
    """Who is let in waits for a task that never comes."""
    request = PollWorkflowTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=NOBODYS), identity="oms doctor"
    )
    try:
        await client.workflow_service.poll_workflow_task_queue(request, timeout=PATIENCE)
    except RPCError as error:
        return error.status not in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED, *AWAY)
    return True
