"""The comparison of all books, begun now instead of in the night: asked of the loop that does it every night."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from starter.clients.calls import short
from starter.clients.errors import OrderError
from workflows.loops.reconciliation import DAILY_WORKFLOW_ID, MOST_CALLED

TIMEOUT = timedelta(seconds=5)


class ComparisonNotAsked(OrderError):
    """`type`: TooMany (as often as a day allows), NotRunning, NoAnswer (unknown whether it was asked)."""

    def __init__(self, type: str, why: str) -> None:
        super().__init__("comparison", f"the comparison was not asked for ({type}): {why}")
        self.type, self.why = type, why


async def compare_now(temporal: Client, asked_today: int) -> None:
    """`asked_today`: by anybody, this day of UTC; the loop begins no more of them. Raises `ComparisonNotAsked`."""
    if asked_today >= MOST_CALLED:
        why = f"it was asked for {asked_today} times today; the next one runs by itself in the night"
        raise ComparisonNotAsked("TooMany", why)
    try:
        await temporal.get_workflow_handle(DAILY_WORKFLOW_ID).signal("run_now", rpc_timeout=TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            why = "no worker has started the nightly comparison yet; start one, then ask again"
            raise ComparisonNotAsked("NotRunning", why) from error
        raise ComparisonNotAsked("NoAnswer", short(error)) from error
