"""A buyer who was forgotten by two people's decision: out of the books, the pictures and Temporal's histories."""

import asyncio
from collections.abc import Iterator, Sequence

import structlog
from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.access.controls import OfApproval
from domain.clock import Clock
from store.erasure import ErasureStore, LiesElsewhere
from store.returns.evidence_storage import Vault

log = structlog.get_logger("oms.erasure")
LOOKS, LOOK_S = 10, 0.5
"""At the server's deleting, before this attempt is given up: it does it by and by."""
AT_ONCE = 40
"""Ids in one question to Temporal's visibility."""


class ErasureActivities:
    """`vault` None: this worker was not told where pictures lie, and ends no erasure that has some."""

    def __init__(self, store: ErasureStore, vault: Vault | None, client: Client, now: Clock) -> None:
        self._store = store
        self._vault = vault
        self._client = client
        self._now = now

    @activity.defn(name="controls.erase")
    async def erase(self, message: OfApproval) -> None:
        """Done as often as it takes: what is gone stays gone. Raises while something is still there."""
        there = await self._store.words(message.approval_id, self._now())
        if there is None:
            return
        await self._pictures(there)
        for _ in range(LOOKS):
            left = 0
            for query in _queries(there):
                left += await self._histories(query)
            if not left:
                break
            await asyncio.sleep(LOOK_S)
        else:
            raise ApplicationError(f"{left} histories are still being deleted", type="StillThere")
        await self._store.ended(message.approval_id, self._now())
        log.info("a buyer is forgotten", approval_id=message.approval_id, orders=len(there.orders))

    async def _pictures(self, there: LiesElsewhere) -> None:
        if there.pictures and self._vault is None:
            why = f"OMS_EVIDENCE_URL is not set for this worker: {len(there.pictures)} pictures are still stored"
            raise ApplicationError(why, type="NoEvidenceStore")
        for evidence_id, content_type in there.pictures:
            assert self._vault is not None
            await self._vault.erase(evidence_id, content_type)
            activity.heartbeat()

    async def _histories(self, query: str) -> int:
        """Asks for the deletion of every run that is found; how many those were. The server deletes by and by."""
        found = 0
        async for run in self._client.list_workflows(query):
            if run.status is WorkflowExecutionStatus.RUNNING:
                raise ApplicationError(f"workflow {run.id} still runs: it was not deleted", type="StillRuns")
            found += 1
            request = DeleteWorkflowExecutionRequest(
                namespace=self._client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=run.id, run_id=run.run_id),
            )
            try:
                await self._client.workflow_service.delete_workflow_execution(request)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            activity.heartbeat()
        return found


def _queries(there: LiesElsewhere) -> Iterator[str]:
    """All runs of the orders, the returns, and of decisions about them that were taken in place."""
    ids = [*(f"order/{n}" for n in there.orders), *(f"return/{n}" for n in there.returns)]
    for some in _parts(ids):
        yield f"WorkflowId IN ({', '.join(map(_quoted, some))})"
    for number in there.decided:
        yield f"WorkflowId STARTS_WITH {_quoted(f'decide/{number}/')}"


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    yield from (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))


def _quoted(name: str) -> str:
    """Numbers of ours have letters, digits and a few signs: none of them ends a text of the query."""
    if "'" in name or '"' in name or "\\" in name:
        raise ValueError(f"{name!r} is no number of ours")
    return f"'{name}'"
