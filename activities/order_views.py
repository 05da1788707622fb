"""What the workflow of an order says of itself, for the daily comparison: asked at Temporal, not in our tables."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowQueryRejectedError
from temporalio.common import QueryRejectCondition
from temporalio.service import RPCError, RPCStatusCode

PATIENCE = timedelta(seconds=10)


class OrderViews:
    """`workflow_id`: of an order number."""

    def __init__(self, client: Client, workflow_id: Callable[[str], str]) -> None:
        self._client = client
        self._workflow_id = workflow_id

    async def __call__(self, order_no: str) -> Mapping[str, Any] | None:
        """The answer to the query `view` as JSON; None when no workflow of the order is running. Raises `RPCError`."""
        handle = self._client.get_workflow_handle(self._workflow_id(order_no))
        try:
            view: Mapping[str, Any] = await handle.query(
                "view", reject_condition=QueryRejectCondition.NOT_OPEN, rpc_timeout=PATIENCE
            )
        except WorkflowQueryRejectedError:
            return None
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return view
