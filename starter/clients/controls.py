"""Typed client of changes of the controls: asks for one as a proven person; another decides it (decision 0039)."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import cast

from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from domain.access.authority import ProofCode
from domain.access.controls import CHANGE_CONTROLS, ControlChange, at_once, control_workflow_id, subject_of
from domain.approvals import ApprovalId
from starter.clients.calls import ANSWER_TIMEOUT, TIME_RAN_OUT, Calls, short
from starter.clients.errors import CommandRefused, OrderError
from starter.clients.proving import Prover, proved
from store.approvals.approvals import ApprovalStore
from store.pool import Pool
from wire.encrypted_payloads import UnreadablePayload
from workflows.approvals.control_messages import ChangeOfControls, ControlAnswer

MADE_AT_ONCE = 500_000
"""From this number on; numbers have six digits."""


async def next_number(pool: Pool, change: ControlChange) -> int:
    """The next question of its subject; of what is done at once there is no row to count, so a high one, by chance."""
    if at_once(change):
        return MADE_AT_ONCE + secrets.randbelow(MADE_AT_ONCE)
    return await ApprovalStore(pool).asked_so_far(subject_of(change)) + 1


class ChangeNotAsked(OrderError):
    """`type`: ChangeRefused (it cannot be changed so), InvalidChange, Exists (somebody asked just now), NoAnswer
    (unknown whether it was asked)."""

    def __init__(self, subject: str, type: str, why: str) -> None:
        super().__init__(subject, f"the change of {subject} was not asked for ({type}): {why}")
        self.type, self.why = type, why


@dataclass(frozen=True)
class _ControlCallErrors:
    subject: str

    def exists(self) -> OrderError:
        why = "a change of it was asked for at this moment; look with `oms approve list`, then try again"
        return ChangeNotAsked(self.subject, "Exists", why)

    def refused(self, cause: BaseException | None) -> OrderError:
        if not isinstance(cause, ApplicationError):
            return self.no_answer("the change", short(cause))
        if cause.type in set(ProofCode):
            return CommandRefused(self.subject, cause.type or "", cause.message, of="change of")
        return ChangeNotAsked(self.subject, cause.type or "NoAnswer", cause.message)

    def not_found(self, ended: bool) -> OrderError:
        return ChangeNotAsked(self.subject, "NoAnswer", "it was over before it answered; look with `oms approve list`")

    def no_answer(self, what: str, detail: str) -> OrderError:
        return ChangeNotAsked(self.subject, "NoAnswer", f"{detail}; look with `oms approve list`")


class ControlClient:
    def __init__(self, temporal: Client, *, prover: Prover | None = None) -> None:
        """`temporal` as `connect_temporal` makes it."""
        self._temporal = temporal
        self._prover = prover

    async def ask(self, change: ControlChange, n: int, by: str) -> ControlAnswer:
        """`n`: which question about its subject. Raises `CommandRefused`, `ChangeNotAsked`."""
        subject = subject_of(change)
        calls = Calls(self._temporal, control_workflow_id(subject, n), _ControlCallErrors(subject))
        message = ChangeOfControls(change=change, by=by)
        if self._prover is not None:
            message = await proved(self._prover, calls.workflow_id, "change", message, by)
        start = calls.start(CHANGE_CONTROLS, message, "asked", "the change", ControlAnswer, again=at_once(change))
        return cast(ControlAnswer, await start)

    async def outcome(self, approval_id: ApprovalId) -> ControlAnswer:
        """What became of a change that was decided. Raises `ChangeNotAsked` when nobody says."""
        name = approval_id.removeprefix("A-")
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
                handle = self._temporal.get_workflow_handle(f"controls/{name}", result_type=ControlAnswer)
                return cast(ControlAnswer, await handle.result())
        except TimeoutError:
            raise _ControlCallErrors(name).no_answer("the change", TIME_RAN_OUT) from None
        except (WorkflowFailureError, RPCError, UnreadablePayload) as error:
            raise _ControlCallErrors(name).no_answer("the change", short(error)) from error
