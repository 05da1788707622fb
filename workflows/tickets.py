"""Questions for people that one order has open."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from domain.records import AuditEntry, TicketRecord, TicketResolution
from domain.strict import Strict, faults, of
from domain.tickets import Severity
from workflows.messages import ResolveTicket

Action = Literal["retry", "supply", "give_up"]


class CannotResolve(Exception):
    """A resolution that fits no open ticket. `kind` is the error type the caller sees."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Ticket:
    """One open question; `resolution` is set when a person has answered."""

    def __init__(self, record: TicketRecord, result: type[Strict] | None) -> None:
        self.record = record
        self.result = result
        self.resolution: TicketResolution | None = None


class Tickets:
    """All tickets of one order; `opened`, `resolved` and `audit` wait for the next write of the book."""

    def __init__(self, order_no: str, changed: Callable[[], None]) -> None:
        self._order_no = order_no
        self._changed = changed
        self._count = 0
        self.open_ones: dict[str, Ticket] = {}
        self.opened: list[TicketRecord] = []
        self.resolved: list[TicketResolution] = []
        self.audit: list[AuditEntry] = []

    def open(
        self,
        system: str,
        step: str,
        error: str,
        child_no: str | None = None,
        give_up_means: str = "",
        *,
        result: type[Strict] | None = None,
        actions: tuple[Action, ...] = ("retry", "supply", "give_up"),
        severity: Severity = "normal",
    ) -> Ticket:
        self._count += 1
        record = TicketRecord(
            ticket_id=f"T-{self._order_no}-{self._count}",
            system=system,
            step=step,
            error=error,
            severity=severity,
            child_no=child_no,
            actions=actions,
            give_up_means=give_up_means,
        )
        ticket = Ticket(record, result)
        self.open_ones[record.ticket_id] = ticket
        self.opened.append(record)
        self._changed()
        return ticket

    def note(self, system: str, step: str, text: str, child_no: str | None = None) -> None:
        """Something a person should know of and close; nothing waits for it."""
        self.open(
            system, step, text, child_no, "nothing more is done; the note is closed",
            actions=("give_up",), severity="info",
        )  # fmt: skip

    def check(self, message: ResolveTicket) -> Ticket:
        """The ticket that `message` answers. Raises `CannotResolve`."""
        ticket = self.open_ones.get(message.ticket_id)
        if ticket is None:
            raise CannotResolve("NoSuchTicket", f"order {self._order_no} has no open ticket {message.ticket_id}")
        if message.action not in ticket.record.actions:
            allowed = ", ".join(ticket.record.actions)
            raise CannotResolve("BadResult", f"ticket {message.ticket_id} can be resolved by: {allowed}")
        if message.action == "supply":
            self._check_result(ticket, message.result)
        elif message.result is not None:
            raise CannotResolve("BadResult", f"a result belongs to 'supply', not to {message.action!r}")
        return ticket

    def insist(self, message: ResolveTicket) -> None:
        """For a validator: refuses an update that answers no ticket, or answers it wrongly."""
        try:
            self.check(message)
        except CannotResolve as error:
            raise ApplicationError(str(error), type=error.kind) from None

    def resolve(self, message: ResolveTicket) -> None:
        ticket = self.check(message)
        resolution = TicketResolution(
            ticket_id=message.ticket_id,
            action=message.action,
            remark=message.remark,
            resolved_by=message.by,
            result=message.result,
        )
        ticket.resolution = resolution
        self.audit.append(
            AuditEntry(
                actor=message.by,
                action="ticket.resolve",
                detail={
                    "ticket_id": message.ticket_id,
                    "step": ticket.record.step,
                    "by": message.action,
                    "remark": message.remark,
                },
            )
        )
        self._close(ticket, resolution)

    def close_on_evidence(self, ticket: Ticket, remark: str = "the awaited event arrived") -> None:
        self._close(
            ticket,
            TicketResolution(
                ticket_id=ticket.record.ticket_id,
                action="evidence",
                remark=remark,
                resolved_by="system",
            ),
        )

    def _close(self, ticket: Ticket, resolution: TicketResolution) -> None:
        del self.open_ones[ticket.record.ticket_id]
        self.resolved.append(resolution)
        self._changed()

    @property
    def attention(self) -> bool:
        return any(t.record.severity != "info" for t in self.open_ones.values())

    def _check_result(self, ticket: Ticket, result: dict[str, Any] | None) -> None:
        if ticket.result is None or result is None:
            raise CannotResolve("BadResult", f"ticket {ticket.record.ticket_id} needs a result to be supplied")
        try:
            of(ticket.result, result)
        except ValidationError as error:
            raise CannotResolve("BadResult", faults(error)) from None
