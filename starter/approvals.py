"""Typed client for decisions: sends one to the workflow that waits for it, or takes it in place where none waits."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.approvals import Decided, Decision
from starter.errors import OrderError

ANSWER_TIMEOUT = timedelta(seconds=60)


class DecisionNotTaken(OrderError):
    """`type`: a `RefusalCode`, or Ended, TooMany, NoAnswer. Only of NoAnswer it is unknown whether it was taken."""

    def __init__(self, approval_id: str, type: str, why: str) -> None:
        super().__init__(approval_id, f"approval {approval_id} was not decided ({type}): {why}")
        self.approval_id, self.type, self.why = approval_id, type, why


class ApprovalClient:
    def __init__(self, temporal: Client) -> None:
        """`temporal` must use `temporalio.contrib.pydantic.pydantic_data_converter`."""
        self._temporal = temporal

    async def decide(self, workflow_id: str, decision: Decision) -> Decided:
        """Raises `DecisionNotTaken`."""
        number = decision.approval_id
        handle = self._temporal.get_workflow_handle(workflow_id)
        call: Any = handle.execute_update("decide", decision, result_type=Decided, rpc_timeout=ANSWER_TIMEOUT)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
                decided: Decided = await call
        except WorkflowUpdateFailedError as e:
            cause = e.cause
            if isinstance(cause, ApplicationError):
                raise DecisionNotTaken(number, cause.type or "NoAnswer", cause.message) from e
            raise DecisionNotTaken(number, "NoAnswer", " ".join(str(cause).split())[:200]) from e
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            raise DecisionNotTaken(number, "NoAnswer", "time ran out; look with `oms approve show`") from None
        except RPCError as e:
            if e.status is RPCStatusCode.NOT_FOUND:
                raise DecisionNotTaken(number, "Ended", f"{workflow_id} is over, or never was") from e
            raise DecisionNotTaken(number, "NoAnswer", " ".join(str(e).split())[:200]) from e
        return decided
