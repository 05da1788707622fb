"""Calls of one workflow by name: an answer in finite time, and Temporal's errors as ours."""

import asyncio
import secrets
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

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

from domain.access.authority import ProofCode
from domain.strict import Strict, of
from starter.clients.proving import Prover, proved
from wire.encrypted_payloads import UnreadablePayload
from workflows.messages import TASK_QUEUE, FirstAnswer, SignedCommand, command_key

T = TypeVar("T")

RPC_TIMEOUT = timedelta(seconds=10)
ANSWER_TIMEOUT = timedelta(seconds=60)
"""An update may need an outside system with its retries (creating the payment, a refresh): 5 + 10 + 20 s of waiting."""
TIME_RAN_OUT = "time ran out; is a worker running?"


class CallErrors(Protocol):
    """How a client says what went wrong with one workflow. Every method returns the error to raise."""

    def exists(self) -> Exception:
        """A start under a number that is taken."""

    def refused(self, cause: BaseException | None) -> Exception:
        """`cause`: an `ApplicationError` when the workflow itself refused."""

    def not_found(self, ended: bool) -> Exception:
        """No workflow takes this. `ended`: there was one."""

    def no_answer(self, what: str, detail: str) -> Exception:
        """Whether it took effect is unknown."""


@dataclass(frozen=True)
class Calls:
    """`temporal` as `connect_temporal` makes it (`starter.clients.orders`)."""

    temporal: Client
    workflow_id: str
    errors: CallErrors
    timeout: timedelta = ANSWER_TIMEOUT
    key: str | None = None
    """The caller's own, for one command: told again under it, the command gets the first answer."""
    prover: Prover | None = None
    """None: commands go without a proof, which a worker on a stage of tests may take."""

    async def start(
        self, workflow: str, message: Strict, update: str, what: str, result: type[Strict], *, again: bool = False
    ) -> Any:
        """Start the workflow and wait for the answer of its update. `again`: also where one of this id has done its
        work; the books know it, and give the first answer."""
        reuse = WorkflowIDReusePolicy
        operation = WithStartWorkflowOperation[Any, Any](
            workflow,
            message,
            id=self.workflow_id,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=reuse.ALLOW_DUPLICATE if again else reuse.ALLOW_DUPLICATE_FAILED_ONLY,
        )
        call = self.temporal.execute_update_with_start_workflow(
            update, start_workflow_operation=operation, result_type=result, rpc_timeout=self.timeout
        )
        handle = asyncio.ensure_future(operation.workflow_handle())
        try:
            return await self._answer(what, call)
        finally:
            # The SDK tells a failure here too, and Python prints what nobody has read.
            handle.cancel()
            await asyncio.gather(handle, return_exceptions=True)

    async def start_nowait(self, workflow: str, message: Strict, what: str) -> None:
        """Start the workflow; what it makes of the message is not waited for."""
        call = self.temporal.start_workflow(
            workflow,
            message,
            id=self.workflow_id,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            rpc_timeout=RPC_TIMEOUT,
        )
        await self._answer(what, call)

    async def update(
        self, name: str, message: Strict, what: str, result: type[Strict] | None = None, *, says: Strict | None = None
    ) -> Any:
        """`says`: the message without what is different each time it is told, if anything is."""
        said = command_key(says or message)
        given = None if self.key is None else f"key:{self.key}:{said.rpartition(':')[2][:32]}"
        try:
            return await self._told(name, message, what, result, given)
        except Exception as error:
            if given is not None and _was_not_admitted(error.__cause__):
                # Temporal answers an id that it knows as it did the first time; this proof is another one.
                return await self._told(name, message, what, result, f"{given}/{secrets.token_hex(6)}")
            asked = _ended(error.__cause__) or _has_no_room(error.__cause__)
            first = await self._first_answer(said) if asked else None
            if first is None:
                raise
        return None if result is None or first.answer is None else of(result, first.answer)

    async def _told(self, name: str, message: Strict, what: str, result: type[Strict] | None, given: str | None) -> Any:
        if self.prover is not None and isinstance(message, SignedCommand):
            message = await proved(self.prover, self.workflow_id, name, message, message.by)
        handle = self.temporal.get_workflow_handle(self.workflow_id)
        call = handle.execute_update(name, message, id=given, result_type=result, rpc_timeout=self.timeout)
        return await self._answer(what, call)

    async def _first_answer(self, said: str) -> FirstAnswer | None:
        """Of a workflow that has ended, or takes no command again: what this very one was answered, if it was heard."""
        handle = self.temporal.get_workflow_handle(self.workflow_id)
        with suppress(WorkflowQueryFailedError, RPCError):
            found = await handle.query("first_answer", said, result_type=FirstAnswer, rpc_timeout=RPC_TIMEOUT)
            return found if found.known else None
        return None

    async def view(self, result: type[Strict]) -> Any:
        """What query `view` says this moment; needs a worker."""
        handle = self.temporal.get_workflow_handle(self.workflow_id)
        return await self._answer("the view", handle.query("view", result_type=result, rpc_timeout=RPC_TIMEOUT))

    async def _answer(self, what: str, call: Awaitable[T]) -> T:
        try:
            # The SDK polls for an update's outcome again and again; an RPC timeout bounds one poll, this one their sum.
            async with asyncio.timeout(self.timeout.total_seconds()):
                return await call
        except WorkflowAlreadyStartedError:
            raise self.errors.exists() from None
        except WorkflowUpdateFailedError as e:
            raise self.errors.refused(e.cause) from e
        except WorkflowQueryFailedError as e:
            raise self.errors.no_answer(what, short(e)) from e
        except UnreadablePayload as e:
            raise self.errors.no_answer(what, short(e)) from e
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            raise self.errors.no_answer(what, TIME_RAN_OUT) from None
        except RPCError as e:
            if e.status is RPCStatusCode.NOT_FOUND:
                raise self.errors.not_found(_ended(e)) from e
            raise self.errors.no_answer(what, short(e)) from e


def _was_not_admitted(e: BaseException | None) -> bool:
    cause = e.cause if isinstance(e, WorkflowUpdateFailedError) else None
    return isinstance(cause, ApplicationError) and cause.type in set(ProofCode)


def _has_no_room(e: BaseException | None) -> bool:
    """The workflow has done it before, and will not write down once more that it has."""
    cause = e.cause if isinstance(e, WorkflowUpdateFailedError) else None
    return isinstance(cause, ApplicationError) and cause.type == "Busy"


def _ended(e: BaseException | None) -> bool:
    """The workflow was there, and takes no more updates."""
    said = ("execution already completed", "aborted by closing workflow")  # it ended before, or just then
    return isinstance(e, RPCError) and e.status is RPCStatusCode.NOT_FOUND and any(x in e.message for x in said)


def short(e: BaseException | None) -> str:
    return " ".join(str(e).split())[:200]
