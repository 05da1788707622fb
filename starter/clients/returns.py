"""Typed client of after-sales cases: one interface for all channels and roles (R40).

Calls go by name (`workflows/returns/messages.py`); services in other languages use any Temporal SDK with the JSON
contract in docs/contract/. Every call ends in finite time.
"""

from datetime import timedelta
from typing import Any, Self, cast

from temporalio.client import Client

from domain.approvals import Decided, Decision
from domain.returns.models import ApplyReturn, return_too_large
from domain.strict import Strict
from starter.clients.calls import ANSWER_TIMEOUT, Calls
from starter.clients.errors import CommandRefused
from starter.clients.proving import Prover, proved
from starter.clients.refusals import ReturnCallErrors
from starter.clients.return_errors import ReturnRefused, StepRefused
from workflows.messages import ResolveTicket, TicketAnswer
from workflows.order_return_signals import RETURN_WORKFLOW, return_workflow_id
from workflows.returns.messages import (
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


class ReturnClient:
    """Cases by number. Raises the errors of `starter.clients.return_errors`, `NoAnswer`, and nothing of Temporal's."""

    def __init__(
        self,
        temporal: Client,
        *,
        answer_timeout: timedelta = ANSWER_TIMEOUT,
        key: str | None = None,
        prover: Prover | None = None,
    ) -> None:
        """`temporal` as `connect_temporal` makes it. `prover`: who gives the commands
        (`starter/clients/proving.py`)."""
        self._temporal = temporal
        self._answer_timeout = answer_timeout
        self._key = key
        self._prover = prover

    def keyed(self, key: str | None) -> Self:
        """For one command, if there is a key: told again under it, it gets the first answer; another one is refused."""
        return type(self)(self._temporal, answer_timeout=self._answer_timeout, key=key, prover=self._prover)

    async def apply(self, application: ApplyReturn) -> Applied:
        """Ask for a case and hear at once whether it is one. Raises `ReturnRefused` (every reason), `ReturnExists`."""
        if why := return_too_large(application):
            raise ReturnRefused(application.return_no, "InvalidReturn", why, ())
        calls = self._calls(application.return_no)
        if self._prover is not None:
            who = application.actor.id
            application = await proved(self._prover, calls.workflow_id, "apply", application, who)
        return cast(Applied, await calls.start(RETURN_WORKFLOW, application, "apply", "the application", Applied))

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
        try:
            return cast(Decided, await self._update(return_no, "decide", decision, Decided))
        except CommandRefused as refused:  # some codes say the same of a command's proof
            raise StepRefused(return_no, refused.type, refused.reason) from refused.__cause__

    async def resolve_ticket(self, return_no: str, message: ResolveTicket) -> TicketAnswer:
        """As of an order."""
        answer = await self._update(return_no, "resolve_ticket", message, TicketAnswer)
        return cast(TicketAnswer, answer or TicketAnswer())

    async def view(self, return_no: str) -> CaseState:
        """The case as its workflow knows it this moment; needs a worker."""
        return cast(CaseState, await self._calls(return_no).view(CaseState))

    async def _update(self, return_no: str, name: str, message: Strict, result: type[Strict] | None = None) -> Any:
        return await self._calls(return_no).update(name, message, f"the step {name.replace('_', ' ')}", result)

    def _calls(self, return_no: str) -> Calls:
        errors = ReturnCallErrors(return_no)
        workflow_id = return_workflow_id(return_no)
        return Calls(self._temporal, workflow_id, errors, self._answer_timeout, self._key, self._prover)
