"""Typed client for decisions: sends one to the workflow that waits for it, or takes it in place where none waits."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Self, cast

from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.approvals import DECIDE_IN_PLACE
from domain.approvals import Decided, Decision
from starter.clients.calls import ANSWER_TIMEOUT, RPC_TIMEOUT, TIME_RAN_OUT, Calls, short
from starter.clients.errors import OrderError
from wire.encrypted_payloads import UnreadablePayload
from workflows.messages import TASK_QUEUE

IN_PLACE = timedelta(minutes=5)
"""How long a decision in place may take before Temporal ends it."""


class DecisionNotTaken(OrderError):
    """`type`: a `RefusalCode`, or Ended, TooMany, NoAnswer. Only of NoAnswer it is unknown whether it was taken."""

    def __init__(self, approval_id: str, type: str, why: str) -> None:
        super().__init__(approval_id, f"approval {approval_id} was not decided ({type}): {why}")
        self.approval_id, self.type, self.why = approval_id, type, why


@dataclass(frozen=True)
class _DecisionCallErrors:
    approval_id: str
    workflow_id: str

    def exists(self) -> DecisionNotTaken:
        return self.no_answer("the decision", "a workflow was started, which nobody asked for")

    def refused(self, cause: BaseException | None) -> DecisionNotTaken:
        if isinstance(cause, ApplicationError):
            return DecisionNotTaken(self.approval_id, cause.type or "NoAnswer", cause.message)
        return self.no_answer("the decision", short(cause))

    def not_found(self, ended: bool) -> DecisionNotTaken:
        return DecisionNotTaken(self.approval_id, "Ended", f"{self.workflow_id} is over, or never was")

    def no_answer(self, what: str, detail: str) -> DecisionNotTaken:
        return DecisionNotTaken(self.approval_id, "NoAnswer", f"{detail}; look with `oms approve show`")


class ApprovalClient:
    def __init__(self, temporal: Client, *, key: str | None = None) -> None:
        """`temporal` as `connect_temporal` makes it."""
        self._temporal = temporal
        self._key = key

    def keyed(self, key: str | None) -> Self:
        """For one decision, if there is a key: told again under it, it gets its answer; another one is refused."""
        return type(self)(self._temporal, key=key)

    async def decide_in_place(self, decision: Decision) -> Decided:
        """What no workflow waits for: a short one of its own has the worker decide it. Raises `DecisionNotTaken`."""
        number = decision.approval_id
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
                decided: Decided = await self._temporal.execute_workflow(
                    DECIDE_IN_PLACE, decision, id=f"decide/{number}/{secrets.token_hex(8)}", task_queue=TASK_QUEUE,
                    result_type=Decided, execution_timeout=IN_PLACE, rpc_timeout=RPC_TIMEOUT,
                )  # fmt: skip
        except WorkflowFailureError as e:
            raise _DecisionCallErrors(number, "the decision in place").refused(e.cause) from e
        except TimeoutError:
            raise DecisionNotTaken(number, "NoAnswer", f"{TIME_RAN_OUT}; look with `oms approve show`") from None
        except (RPCError, UnreadablePayload) as e:
            raise DecisionNotTaken(number, "NoAnswer", f"{short(e)}; look with `oms approve show`") from e
        return decided

    async def decide(self, workflow_id: str, decision: Decision) -> Decided:
        """Raises `DecisionNotTaken`."""
        errors = _DecisionCallErrors(decision.approval_id, workflow_id)
        calls = Calls(self._temporal, workflow_id, errors, key=self._key)
        says = decision.model_copy(update={"token": ""})  # a token is made anew each time
        return cast(Decided, await calls.update("decide", decision, "the decision", Decided, says=says))
