"""The moment at which nobody has anything more to say, and whether something changed after it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from bench.demo.environment import DemoEnvironment
from tests.e2e.waiting import until

UNREAD = "SELECT EXISTS (SELECT FROM inbox WHERE state IN ('received', 'delivered'))"
COUNTS = """SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM child_orders) AS children,
    (SELECT count(*) FROM order_events) AS events, (SELECT count(*) FROM tickets) AS tickets,
    (SELECT count(*) FROM inbox) AS inbox"""


async def silence(stage: DemoEnvironment) -> None:
    """Every callback has come to its end, and the relay has read all of them."""

    async def said_and_heard() -> bool:
        return not await _unfinished(stage) and not await stage.pool.fetchval(UNREAD)

    await until(said_and_heard, 60)


async def _unfinished(stage: DemoEnvironment) -> int:
    number = 0
    for url in stage.sandboxes.values():
        rows = (await stage.http.get(f"{url}/_ledger")).json()
        number += sum(r["op"] == "callback" for r in rows) - sum(r["op"] == "callback_end" for r in rows)
    return number


@asynccontextmanager
async def nothing_changes(stage: DemoEnvironment, *workflow_ids: str) -> AsyncIterator[None]:
    """No row comes or goes, and none of these workflows is left running."""
    await silence(stage)
    before = await stage.pool.fetchrow(COUNTS)
    yield
    assert await stage.pool.fetchrow(COUNTS) == before
    assert [i for i in workflow_ids if await status(stage, i) is WorkflowExecutionStatus.RUNNING] == []


async def status(stage: DemoEnvironment, workflow_id: str) -> WorkflowExecutionStatus | None:
    """Of its last run; None when there was none."""
    try:
        return (await stage.temporal.get_workflow_handle(workflow_id).describe()).status
    except RPCError as error:
        assert error.status is RPCStatusCode.NOT_FOUND
        return None
