"""Typed client of the order workflow, for backends in Python, the CLI and the console.

Calls go by name (`workflows/messages.py`), so that a caller needs the messages and not the workflow's code. Services in
other languages use any Temporal SDK with the JSON contract in docs/contract/. Every call ends in finite time.
"""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, Self, TypeVar, cast

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from config import TemporalSettings
from domain.order import StartOrder
from domain.strict import Strict
from starter.errors import DuplicateOrder, NoAnswer, NotNow, OrderNotFound, Unreachable
from starter.refusals import refused
from workflows.messages import (
    ORDER_WORKFLOW,
    TASK_QUEUE,
    Cancelled,
    CancelOrder,
    ConfirmReceipt,
    OrderView,
    Placed,
    Refresh,
    Refreshed,
    ResolveTicket,
    order_workflow_id,
)
from workflows.replan_messages import AddressChanged, ChangeAddress, Requested, RequestMerge, RequestResplit

T = TypeVar("T")

RPC_TIMEOUT = timedelta(seconds=10)
ANSWER_TIMEOUT_S = 60.0
"""An update may need an outside system with its retries (creating the payment, a refresh): 5 + 10 + 20 s of waiting."""
CONNECT_TIMEOUT = timedelta(seconds=5)


async def connect_temporal(settings: TemporalSettings) -> Client:
    """Raises `Unreachable`."""
    try:
        return await Client.connect(
            **settings.connect_arguments(), data_converter=pydantic_data_converter, connect_timeout=CONNECT_TIMEOUT
        )
    except (RuntimeError, RPCError, ValueError) as e:
        raise Unreachable(settings.temporal_address, _short(e)) from None


class OrderClient:
    """Orders by number. Raises the errors of `starter.errors` and nothing of Temporal's."""

    def __init__(self, temporal: Client, *, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """`temporal` must use `temporalio.contrib.pydantic.pydantic_data_converter`."""
        self._temporal = temporal
        self._answer_timeout = timedelta(seconds=answer_timeout_s)

    @classmethod
    async def connect(cls, settings: TemporalSettings, *, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> Self:
        """A client of its own connection. Raises `Unreachable`."""
        return cls(await connect_temporal(settings), answer_timeout_s=answer_timeout_s)

    async def start(self, order: StartOrder) -> Placed:
        """Start an order and wait until it is in the books, with its pay code.

        Raises `OrderRefused`, `DuplicateOrder` (also for an order that is already over), `NoAnswer`.
        """
        operation = WithStartWorkflowOperation[Any, Any](
            ORDER_WORKFLOW,
            order,
            id=order_workflow_id(order.order_no),
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        )
        call = self._temporal.execute_update_with_start_workflow(
            "place", start_workflow_operation=operation, result_type=Placed, rpc_timeout=self._answer_timeout
        )
        handle = asyncio.ensure_future(operation.workflow_handle())
        try:
            return cast(Placed, await self._answer(order.order_no, "the start", call))
        finally:
            # The SDK tells a failure here too, and Python prints what nobody has read.
            handle.cancel()
            await asyncio.gather(handle, return_exceptions=True)

    async def start_nowait(self, order: StartOrder) -> str:
        """Start an order and return its workflow id at once: a refusal shows only in the order's own failure.

        Raises `DuplicateOrder`, `NoAnswer`.
        """
        workflow_id = order_workflow_id(order.order_no)
        call = self._temporal.start_workflow(
            ORDER_WORKFLOW,
            order,
            id=workflow_id,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            rpc_timeout=RPC_TIMEOUT,
        )
        await self._answer(order.order_no, "the start", call)
        return workflow_id

    async def cancel(self, order_no: str, message: CancelOrder) -> Cancelled:
        """Cancel what can still be cancelled. Raises `NotNow`, `OrderNotFound`, `NoAnswer` (as all changes do)."""
        return cast(Cancelled, await self._update(order_no, "cancel", message, Cancelled))

    async def confirm_receipt(self, order_no: str, message: ConfirmReceipt) -> None:
        """The buyer, or someone for them, has the goods."""
        await self._update(order_no, "confirm_receipt", message)

    async def resolve_ticket(self, order_no: str, message: ResolveTicket) -> None:
        """Answer an open ticket: try again, supply the result, or give up into the ticket's fallback."""
        await self._update(order_no, "resolve_ticket", message)

    async def refresh(self, order_no: str, message: Refresh) -> Refreshed:
        """Ask the outside systems now (R11); refused as TooOften within 5 s of the last time."""
        return cast(Refreshed, await self._update(order_no, "refresh", message, Refreshed))

    async def request_merge(self, order_no: str, message: RequestMerge) -> Requested:
        """Ask for children to be shipped together; another supervisor decides. `NotNow.type`: a `MergeCode`."""
        return cast(Requested, await self._update(order_no, "request_merge", message, Requested))

    async def request_resplit(self, order_no: str, message: RequestResplit) -> Requested:
        """Ask for children to be split by hand; another supervisor decides. `NotNow.type`: a `ReplanCode`."""
        return cast(Requested, await self._update(order_no, "request_resplit", message, Requested))

    async def change_address(self, order_no: str, message: ChangeAddress) -> AddressChanged:
        """Send everything that nobody has picked yet elsewhere; the answer names what goes to the old address."""
        return cast(AddressChanged, await self._update(order_no, "change_address", message, AddressChanged))

    async def view(self, order_no: str) -> OrderView:
        """The order as its workflow knows it this moment; needs a worker. Raises `OrderNotFound`, `NoAnswer`."""
        handle = self._temporal.get_workflow_handle(order_workflow_id(order_no))
        call = handle.query("view", result_type=OrderView, rpc_timeout=RPC_TIMEOUT)
        return cast(OrderView, await self._answer(order_no, "the view", call))

    async def _update(self, order_no: str, name: str, message: Strict, result: type[Strict] | None = None) -> Any:
        handle = self._temporal.get_workflow_handle(order_workflow_id(order_no))
        call = handle.execute_update(name, message, result_type=result, rpc_timeout=self._answer_timeout)
        return await self._answer(order_no, f"the {name.replace('_', ' ')}", call)

    async def _answer(self, order_no: str, what: str, call: Awaitable[T]) -> T:
        """The call's answer, in finite time, with Temporal's errors as ours."""
        try:
            # The SDK polls for an update's outcome again and again; an RPC timeout bounds one poll, this one their sum.
            async with asyncio.timeout(self._answer_timeout.total_seconds()):
                return await call
        except WorkflowAlreadyStartedError:
            raise DuplicateOrder(order_no) from None
        except WorkflowUpdateFailedError as e:
            raise refused(order_no, e.cause) from e
        except WorkflowQueryFailedError as e:
            raise NoAnswer(order_no, what, _short(e)) from e
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            raise NoAnswer(order_no, what, "time ran out; is a worker running?") from None
        except RPCError as e:
            raise _from_rpc(order_no, what, e) from e


def _from_rpc(order_no: str, what: str, e: RPCError) -> NotNow | OrderNotFound | NoAnswer:
    if e.status is RPCStatusCode.NOT_FOUND:
        if "completed" in e.message:
            return NotNow(order_no, "Ended", "the order is over and takes no more changes")
        return OrderNotFound(order_no)
    return NoAnswer(order_no, what, _short(e))


def _short(e: Exception) -> str:
    return " ".join(str(e).split())[:200]
