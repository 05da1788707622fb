"""What a person says of money counts once a second person of finance agrees (R44): one asks, the other decides.

The question names the number, the amount, the channel, what is said and on which evidence. Until it is decided the
ticket stays open: when the world tells it meanwhile, or somebody answers otherwise, the question is withdrawn.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.approvals import ApprovalRequest, Decided, Kind, Role, ask
from domain.policy import Policy
from workflows.approvals.approvals import Approvals, Waits
from workflows.approvals.reminders import ApprovalReminders, note_then_ticket
from workflows.durable.branches import Branches
from workflows.durable.carrying import Own, Table
from workflows.durable.tickets import CannotResolve, Ticket, Tickets
from workflows.messages import ResolveTicket, TicketAnswer

KIND: Kind = "money_fact"
BY_TWO = "what is said of money takes two people"
SYSTEM = "approvals"


class MoneyJournal(Protocol):
    """The state of who asks: an order's, or a return's."""

    tickets: Tickets

    @property
    def policy(self) -> Policy: ...
    @property
    def order_no(self) -> str: ...
    @property
    def currency(self) -> str: ...
    def audit(self, actor: str, action: str, **detail: str | int) -> None: ...
    async def flushed(self) -> None: ...


class SuppliedMoney:
    CARRIED = Table(
        _asked=dict[str, ResolveTicket],
        _reminders=Own(),
        left={
            "_alone": "counts what older code has done in this run",
            "_state": "wiring", "_approvals": "its own part", "_branches": "wiring",
        },
    )  # fmt: skip

    def __init__(self, state: MoneyJournal, approvals: Approvals, branches: Branches) -> None:
        self._state = state
        self._approvals = approvals
        self._branches = branches
        self._reminders = ApprovalReminders(state.tickets, note_then_ticket)
        self._asked: dict[str, ResolveTicket] = {}
        """By the number of the approval that each waits for."""
        self._alone = 0

    def go_on(self) -> None:
        """In a new run, with the waiting for decisions."""
        for number, message in self._asked.items():
            self._branches.take_on(self._await_decision(message, self._approvals.request(number)))

    def check(self, message: ResolveTicket) -> None:
        """Raises `ApplicationError` for an answer that fits no ticket, or about which a question is open."""
        tickets = self._state.tickets
        tickets.insist(message)
        number = self._asking(message.ticket_id)
        if number and message.action == "supply":
            why = f"{number} asks already what ticket {message.ticket_id} is to be told: have that decided first"
            raise ApplicationError(why, type="NotNow")

    async def resolve(self, message: ResolveTicket) -> TicketAnswer:
        """The answer counts when this returns; or it is asked for, and nothing has moved."""
        tickets = self._state.tickets
        if message.action == "supply" and tickets.about_money(message) and self._by_two():
            return TicketAnswer(approval_id=await self._ask(message))
        tickets.resolve(message)
        await self._state.flushed()
        return TicketAnswer()

    def _by_two(self) -> bool:
        """Of all, but those that older code took from one person: each of them counts on the patch's name, whose answer
        would hold for a whole run."""
        if workflow.patched(_numbered(self._alone)):
            return True
        self._alone += 1
        return False

    async def _ask(self, message: ResolveTicket) -> str:
        state, ticket = self._state, self._state.tickets.open_ones[message.ticket_id]
        n = self._approvals.next_number()
        request = ask(
            KIND, subject=message.ticket_id, n=n, version=n, role=Role.FINANCE, requested_by=message.by,
            content=_content(state, ticket, message), order_no=state.order_no,
        )  # fmt: skip
        self._asked[request.approval_id] = message
        state.audit(message.by, "ticket.supply", ticket_id=message.ticket_id, approval_id=request.approval_id)
        try:
            await self._approvals.open(request)
        except Exception:
            del self._asked[request.approval_id]
            raise
        self._branches.take_on(self._await_decision(message, request))
        await state.flushed()
        return request.approval_id

    def _asking(self, ticket_id: str) -> str:
        return next((number for number, asked in self._asked.items() if asked.ticket_id == ticket_id), "")

    async def _await_decision(self, message: ResolveTicket, request: ApprovalRequest) -> None:
        try:
            await self._decided(message, request)
        finally:
            del self._asked[request.approval_id]
            self._reminders.over(request.approval_id)

    async def _decided(self, message: ResolveTicket, request: ApprovalRequest) -> None:
        number, tickets = request.approval_id, self._state.tickets
        decided = await self._decision(request, lambda: message.ticket_id not in tickets.open_ones)
        if decided is None:
            return
        if not decided.approved:
            self._state.audit(decided.person_id, "ticket.supply.rejected", approval_id=number, remark=decided.remark)
            return
        await workflow.wait_condition(lambda: not tickets.left_over(message.ticket_id))
        try:
            await self._approvals.use(number, message.ticket_id)
            tickets.resolve(message, approval_id=number, approved_by=decided.person_id)
        except (ApplicationError, CannotResolve) as refused:
            self._not_done(message, number, refused)

    async def _decision(self, request: ApprovalRequest, over: Callable[[], bool]) -> Decided | None:
        """None: withdrawn, for the ticket is answered otherwise."""
        number, policy = request.approval_id, self._state.policy
        waits = Waits(policy.approval_reminder_s, policy.approval_escalation_s)
        deciding = asyncio.ensure_future(self._approvals.decided(number, waits, self._reminders.escalate))
        await workflow.wait_condition(lambda: deciding.done() or over())
        if not deciding.done():
            await self._approvals.withdraw(number, "system", "its ticket has been answered otherwise")
        return await deciding

    def _not_done(self, message: ResolveTicket, number: str, refused: Exception) -> None:
        why = f"{number} was approved, and ticket {message.ticket_id} was not told it: {refused}"
        self._state.tickets.note(SYSTEM, "supplied result not used", why[:500])


def _numbered(alone: int) -> str:
    """The patch that this answer asks for."""
    return f"{BY_TWO} {alone}"


def _content(state: MoneyJournal, ticket: Ticket, message: ResolveTicket) -> dict[str, Any]:
    record = ticket.record
    return {
        "ticket_id": record.ticket_id, "order_no": state.order_no, "channel": record.system, "step": record.step,
        "number": ticket.about or state.order_no, "amount_minor": ticket.amount_minor, "currency": state.currency,
        "says": message.result, "evidence": message.remark,
    }  # fmt: skip
