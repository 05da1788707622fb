"""An approval that nobody decides: a note after the reminder, a ticket for the next level after the escalation."""

from typing import Literal

from domain.approvals import ApprovalRequest
from workflows.tickets import Ticket, Tickets

SYSTEM = "approvals"


class Overdue:
    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets
        self._open: list[Ticket] = []

    def tell(self, request: ApprovalRequest, what: Literal["reminder", "escalation"]) -> None:
        number = request.approval_id
        text = f"{number} ({request.kind}) waits for {request.role}; decide with `oms approve show {number}`"
        escalated = what == "escalation"
        self._open.append(
            self._tickets.open(
                SYSTEM, "approval escalated" if escalated else "approval waits", text, None,
                "the question stays open: nothing approves by itself", actions=("give_up",),
                severity="urgent" if escalated else "info",
            )
        )  # fmt: skip

    def over(self) -> None:
        """Decided or withdrawn: nobody has to be asked any more."""
        for ticket in self._open:
            if ticket.resolution is None and ticket.record.ticket_id in self._tickets.open_ones:
                self._tickets.close_on_evidence(ticket)
