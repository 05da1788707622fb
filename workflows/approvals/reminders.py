"""An approval that nobody decides becomes louder: after the reminder, and after the escalation, for the next level."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domain.approvals import ApprovalRequest
from domain.tickets import Severity
from workflows.approvals.approvals import Overdue
from workflows.durable.carrying import Table, Through
from workflows.durable.tickets import Ticket, Tickets

SYSTEM = "approvals"


@dataclass(frozen=True)
class Reminder:
    """The ticket that says so."""

    step: str
    text: str
    give_up_means: str
    severity: Severity


class ApprovalReminders:
    """`wording`: what the ticket says; None: at this point there is none."""

    CARRIED = Table(_open=Through("_pack", "_unpack"), left={"_tickets": "wiring", "_wording": "wiring"})

    def __init__(self, tickets: Tickets, wording: Callable[[ApprovalRequest, Overdue], Reminder | None]) -> None:
        self._tickets = tickets
        self._wording = wording
        self._open: dict[str, list[Ticket]] = {}

    def escalate(self, request: ApprovalRequest, what: Overdue) -> None:
        reminder = self._wording(request, what)
        if reminder is None:
            return
        ticket = self._tickets.open(
            SYSTEM, reminder.step, reminder.text, None, reminder.give_up_means, actions=("give_up",),
            severity=reminder.severity,
        )  # fmt: skip
        self._open.setdefault(request.approval_id, []).append(ticket)

    def over(self, approval_id: str) -> None:
        """Decided or withdrawn: nobody has to be asked any more."""
        for ticket in self._open.pop(approval_id, []):
            if ticket.record.ticket_id in self._tickets.open_ones:
                self._tickets.close_on_evidence(ticket)

    def _pack(self) -> dict[str, Any]:
        return {number: [self._tickets.pack(ticket) for ticket in told] for number, told in self._open.items()}

    def _unpack(self, data: dict[str, Any]) -> None:
        self._open = {number: [self._tickets.unpack(ticket) for ticket in told] for number, told in data.items()}


def note_then_ticket(request: ApprovalRequest, what: Overdue) -> Reminder:
    """A note after the reminder, an urgent ticket after the escalation."""
    number, escalated = request.approval_id, what == "escalation"
    return Reminder(
        "approval escalated" if escalated else "approval waits",
        f"{number} ({request.kind}) waits for {request.role}; decide with `oms approve show {number}`",
        "the question stays open: nothing approves by itself",
        "urgent" if escalated else "info",
    )
