"""Typed client of after-sales cases: one interface for all channels and roles (R40).

Calls go by name (`workflows/return_messages.py`); services in other languages use any Temporal SDK with the JSON
contract in docs/contract/. Every call ends in finite time.
"""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar, cast

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.approvals import Decided, Decision
from domain.returns.models import ApplyReturn
from domain.strict import Strict
from starter.returns_errors import NoAnswer, NoSuchReturn, ReturnExists, ReturnRefused, StepRefused
from workflows.case_signals import RETURN_WORKFLOW, return_workflow_id
from workflows.messages import TASK_QUEUE, ResolveTicket
from workflows.return_messages import (
    Applied,
    AskSupervisor,
    CancelReturn,
    CaseState,
    CheckOutbound,
    EnterWaybill,
    FinishInspection,
    LabelAnswer,
    LowerAmount,
    PayAnswer,
    PayNow,
    PrintLabel,
    Received,
    ReceiveReturn,
    Scanned,
    ScanUnit,
)

T = TypeVar("T")
ANSWER_TIMEOUT = timedelta(seconds=60)
QUERY_TIMEOUT = timedelta(seconds=10)
ADMISSION = frozenset(
    {"ReturnRefused", "InvalidReturn", "ReturnChanged", "NoSuchReturn", "CannotReopen", "NotEnoughLeft"}
)


class ReturnClient:
    """Cases by number. Raises the errors of `starter.returns_errors` and nothing of Temporal's."""

    def __init__(self, temporal: Client, *, answer_timeout: timedelta = ANSWER_TIMEOUT) -> None:
        """`temporal` must use `temporalio.contrib.pydantic.pydantic_data_converter`."""
        self._temporal = temporal
        self._answer_timeout = answer_timeout

    async def apply(self, application: ApplyReturn) -> Applied:
        """Ask for a case and hear at once whether it is one. Raises `ReturnRefused` (every reason), `ReturnExists`."""
        number = application.return_no
        operation = WithStartWorkflowOperation[Any, Any](
            RETURN_WORKFLOW,
            application,
            id=return_workflow_id(number),
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        )
        call = self._temporal.execute_update_with_start_workflow(
            "apply", start_workflow_operation=operation, result_type=Applied, rpc_timeout=self._answer_timeout
        )
        handle = asyncio.ensure_future(operation.workflow_handle())
        try:
            return cast(Applied, await self._answer(number, "the application", call))
        finally:
            # The SDK tells a failure here too, and Python prints what nobody has read.
            handle.cancel()
            await asyncio.gather(handle, return_exceptions=True)

    async def cancel(self, return_no: str, message: CancelReturn) -> None:
        """The buyer takes it back. Raises `StepRefused` (as all changes do) once the goods are on their way."""
        await self._update(return_no, "cancel", message)

    async def lower(self, return_no: str, message: LowerAmount) -> None:
        """Staff lower the amount; everybody who had agreed is asked again."""
        await self._update(return_no, "lower", message)

    async def enter_waybill(self, return_no: str, message: EnterWaybill) -> Received:
        return cast(Received, await self._update(return_no, "enter_waybill", message, Received))

    async def receive(self, return_no: str, message: ReceiveReturn) -> Received:
        """`return_no` of the answer is the linked case, when this one had closed unsent."""
        return cast(Received, await self._update(return_no, "receive", message, Received))

    async def scan(self, return_no: str, message: ScanUnit) -> Scanned:
        return cast(Scanned, await self._update(return_no, "scan", message, Scanned))

    async def finish_inspection(self, return_no: str, message: FinishInspection) -> None:
        await self._update(return_no, "finish_inspection", message)

    async def ask_supervisor(self, return_no: str, message: AskSupervisor) -> None:
        await self._update(return_no, "ask_supervisor", message)

    async def check_outbound(self, return_no: str, message: CheckOutbound) -> None:
        await self._update(return_no, "check_outbound", message)

    async def print_label(self, return_no: str, message: PrintLabel) -> LabelAnswer:
        return cast(LabelAnswer, await self._update(return_no, "print_label", message, LabelAnswer))

    async def pay(self, return_no: str, message: PayNow) -> PayAnswer:
        """What stands between the case and its money. The case pays by itself once nothing does."""
        return cast(PayAnswer, await self._update(return_no, "pay", message, PayAnswer))

    async def decide(self, return_no: str, decision: Decision) -> Decided:
        """Raises `StepRefused` with a `RefusalCode` as type."""
        return cast(Decided, await self._update(return_no, "decide", decision, Decided))

    async def resolve_ticket(self, return_no: str, message: ResolveTicket) -> None:
        await self._update(return_no, "resolve_ticket", message)

    async def view(self, return_no: str) -> CaseState:
        """The case as its workflow knows it this moment; needs a worker."""
        handle = self._temporal.get_workflow_handle(return_workflow_id(return_no))
        call = handle.query("view", result_type=CaseState, rpc_timeout=QUERY_TIMEOUT)
        return cast(CaseState, await self._answer(return_no, "the view", call))

    async def _update(self, return_no: str, name: str, message: Strict, result: type[Strict] | None = None) -> Any:
        handle = self._temporal.get_workflow_handle(return_workflow_id(return_no))
        call = handle.execute_update(name, message, result_type=result, rpc_timeout=self._answer_timeout)
        return await self._answer(return_no, f"the step {name.replace('_', ' ')}", call)

    async def _answer(self, return_no: str, what: str, call: Awaitable[T]) -> T:
        """The call's answer, in finite time, with Temporal's errors as ours."""
        try:
            async with asyncio.timeout(self._answer_timeout.total_seconds()):
                return await call
        except WorkflowAlreadyStartedError:
            raise ReturnExists(return_no) from None
        except (WorkflowUpdateFailedError, WorkflowQueryFailedError) as e:
            raise _refused(return_no, e.__cause__ if isinstance(e, WorkflowQueryFailedError) else e.cause) from e
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            raise NoAnswer(return_no, what, "time ran out; is a worker running?") from None
        except RPCError as e:
            if e.status is not RPCStatusCode.NOT_FOUND:
                raise NoAnswer(return_no, what, " ".join(str(e).split())[:200]) from e
            if "completed" in e.message:
                raise StepRefused(return_no, "Ended", "the case is over and takes no more changes") from e
            raise NoSuchReturn(return_no) from e


def _refused(return_no: str, cause: BaseException | None) -> Exception:
    if not isinstance(cause, ApplicationError):
        return NoAnswer(return_no, "the request", " ".join(str(cause).split())[:200])
    if cause.type in ADMISSION:
        return ReturnRefused(return_no, cause.type or "", cause.message, tuple(cause.details))
    return StepRefused(return_no, cause.type or "", cause.message)
