"""Typed client of the desk: a proven person asks for it, the worker does it (decision 0046)."""

import json
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.access.desk import INVALID_RULES
from domain.access.authority import ProofCode
from domain.access.desk import DESK_WORK, DeskDone, DeskTask, desk_workflow_id
from domain.rules.check import InvalidRuleSet
from domain.rules.findings import Finding
from domain.strict import of
from starter.clients.calls import Calls, short
from starter.clients.errors import CommandRefused, OrderError
from starter.clients.proving import Prover, proved
from workflows.desk.messages import AtDesk


class NotDone(OrderError):
    """`type`: DeskRefused (it does not fit the books), InvalidWork, a `RefusalCode`, Exists (it was done just now),
    NoAnswer (unknown whether it was done)."""

    def __init__(self, kind: str, type: str, why: str) -> None:
        super().__init__(kind, why)
        self.type, self.why = type, why


@dataclass(frozen=True)
class _DeskCallErrors:
    kind: str

    def exists(self) -> Exception:
        return NotDone(self.kind, "Exists", "this very command was given just now: look before you give it again")

    def refused(self, cause: BaseException | None) -> Exception:
        if not isinstance(cause, ApplicationError):
            return self.no_answer(self.kind, short(cause))
        if cause.type in set(ProofCode):
            return CommandRefused(self.kind, cause.type or "", cause.message, of="desk:")
        if cause.type == INVALID_RULES:
            return _invalid(cause) or NotDone(self.kind, INVALID_RULES, cause.message)
        return NotDone(self.kind, cause.type or "NoAnswer", cause.message)

    def not_found(self, ended: bool) -> Exception:
        return NotDone(self.kind, "NoAnswer", "it was over before it answered: look whether it was done")

    def no_answer(self, what: str, detail: str) -> Exception:
        return NotDone(self.kind, "NoAnswer", f"unknown whether it was done: {detail}")


class DeskClient:
    def __init__(self, temporal: Client, *, prover: Prover | None = None) -> None:
        """`temporal` as `connect_temporal` makes it."""
        self._temporal = temporal
        self._prover = prover

    async def do(self, work: DeskTask, n: int, by: str) -> Any:
        """What came of it, as JSON. Raises `CommandRefused`, `NotDone`, `InvalidRuleSet`."""
        calls = Calls(self._temporal, desk_workflow_id(work, n), _DeskCallErrors(work.kind))
        message = AtDesk(work=work, by=by)
        if self._prover is not None:
            message = await proved(self._prover, calls.workflow_id, "do", message, by)
        done = cast(DeskDone, await calls.start(DESK_WORK, message, "done", work.kind, DeskDone))
        return json.loads(done.result)


def _invalid(cause: ApplicationError) -> InvalidRuleSet | None:
    try:
        return InvalidRuleSet(tuple(of(Finding, finding) for finding in cause.details))
    except (ValidationError, TypeError):
        return None
