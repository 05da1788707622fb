"""Questions for people that one order has open."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.access.authority import is_money_step
from domain.records import AuditEntry, TicketRecord, TicketResolution
from domain.strict import Strict, faults, of
from domain.tickets import Severity
from workflows.durable.carrying import Table, Through
from workflows.messages import ResolveTicket

Action = Literal["retry", "supply", "give_up"]
Wait = Callable[[Callable[[], bool]], Awaitable[None]]
"""Returns when the condition holds."""
ARRIVED = "the awaited event arrived"


class CannotResolve(Exception):
    """A resolution that fits no open ticket. `kind` is the error type the caller sees."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Ticket:
    """One open question; `resolution` is set when a person has answered."""

    def __init__(
        self,
        record: TicketRecord,
        result: type[Strict] | None,
        about: str = "",
        maybe_done: bool = False,
        amount_minor: int | None = None,
    ) -> None:
        self.record = record
        self.result = result
        self.about = about
        self.amount_minor = amount_minor
        """Of money: how much its step is about."""
        self.maybe_done = maybe_done
        """Nobody knows whether the step that it asks about was done after all."""
        self.resolution: TicketResolution | None = None


class CarriedTicket(Strict):
    """A ticket as one run hands it to the next. Who asks about the same gives it its `result` again."""

    record: TicketRecord
    about: str = ""
    maybe_done: bool = False
    amount_minor: int | None = None
    resolution: TicketResolution | None = None


class Tickets:
    """All tickets of one order; `opened`, `resolved` and `audit` wait for the next write of the journal."""

    CARRIED = Table(
        _count=int,
        open_ones=Through("_pack_open", "_unpack_open"),
        left={
            "_order_no": "of the start message",
            "_changed": "wiring",
            "_unclaimed": "who asked waits for the answer: nobody is missing when the next run is handed over",
            "opened": "written", "resolved": "written", "audit": "written",
        },
    )  # fmt: skip

    def __init__(self, order_no: str, changed: Callable[[], None]) -> None:
        self._order_no = order_no
        self._changed = changed
        self._count = 0
        self.open_ones: dict[str, Ticket] = {}
        self._unclaimed: dict[str, Ticket] = {}
        """Of the run before: who asks about the same again waits for this answer, and finds one that came meanwhile."""
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
        about: str = "",
        maybe_done: bool = False,
        amount_minor: int | None = None,
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
        ticket = Ticket(record, result, about, maybe_done, amount_minor)
        self.open_ones[record.ticket_id] = ticket
        self.opened.append(record)
        self._changed()
        return ticket

    async def ask(
        self,
        system: str,
        step: str,
        error: str,
        child_no: str | None = None,
        give_up_means: str = "",
        *,
        settled: Callable[[], bool] = lambda: False,
        evidence: str = ARRIVED,
        result: type[Strict] | None = None,
        actions: tuple[Action, ...] = ("retry", "supply", "give_up"),
        severity: Severity = "normal",
        about: str = "",
        maybe_done: bool = False,
        amount_minor: int | None = None,
        wait: Wait = workflow.wait_condition,
    ) -> TicketResolution | None:
        """Opens a ticket and waits for its answer. None: it was settled first, and is closed on that `evidence`."""
        ticket = self.claim(system, step, child_no, about, result) or self.open(
            system, step, error, child_no, give_up_means, result=result, actions=actions, severity=severity,
            about=about, maybe_done=maybe_done, amount_minor=amount_minor,
        )  # fmt: skip
        await wait(lambda: ticket.resolution is not None or settled())
        if ticket.resolution is None:
            self.close_on_evidence(ticket, evidence)
        return ticket.resolution

    def left_open(self, system: str, step: str, child_no: str | None = None, about: str = "") -> Ticket | None:
        """What the run before had asked and nobody has answered or taken up again."""
        wanted = (system, step, child_no, about)
        for ticket in self._unclaimed.values():
            if (ticket.record.system, ticket.record.step, ticket.record.child_no, ticket.about) == wanted:
                return ticket
        return None

    def left_over(self, ticket_id: str) -> bool:
        """Of the run before, and nobody of this one has taken it up yet."""
        return ticket_id in self._unclaimed and ticket_id in self.open_ones

    def claim(
        self, system: str, step: str, child_no: str | None = None, about: str = "", result: type[Strict] | None = None
    ) -> Ticket | None:
        """The same, taken up: the question is asked once, however many runs wait for its answer."""
        ticket = self.left_open(system, step, child_no, about)
        if ticket is not None:
            del self._unclaimed[ticket.record.ticket_id]
            ticket.result = result
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

    def about_money(self, message: ResolveTicket) -> bool:
        """What it says of its ticket is a fact of money, or that a person has seen to the money."""
        ticket = self.open_ones.get(message.ticket_id)
        return (
            message.action != "retry" and ticket is not None and is_money_step(ticket.record.system, ticket.record.step)
        )

    def insist(self, message: ResolveTicket) -> None:
        """For a validator: refuses an update that answers no ticket, or answers it wrongly."""
        try:
            self.check(message)
        except CannotResolve as error:
            raise ApplicationError(str(error), type=error.kind) from None

    def resolve(self, message: ResolveTicket, **more: str) -> None:
        """`more`: for the audit. Raises `CannotResolve`."""
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
                    **more,
                },
            )
        )
        self._close(ticket, resolution)

    def close_on_evidence(self, ticket: Ticket, remark: str = ARRIVED) -> None:
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

    # --- from one run to the next ------------------------------------------------------------------------------------

    def pack(self, ticket: Ticket) -> Any:
        """For who holds one, open or answered."""
        kept = CarriedTicket(
            record=ticket.record, about=ticket.about, maybe_done=ticket.maybe_done, amount_minor=ticket.amount_minor,
            resolution=ticket.resolution,
        )  # fmt: skip
        return kept.model_dump(mode="json", exclude_defaults=True)

    def unpack(self, data: Any) -> Ticket:
        """The open one, or one that is answered."""
        kept = of(CarriedTicket, data)
        if open_one := self.open_ones.get(kept.record.ticket_id):
            self._unclaimed.pop(kept.record.ticket_id, None)
            return open_one
        ticket = Ticket(kept.record, None, kept.about, kept.maybe_done, kept.amount_minor)
        ticket.resolution = kept.resolution
        return ticket

    def _pack_open(self) -> Any:
        return [self.pack(ticket) for ticket in self.open_ones.values()]

    def _unpack_open(self, data: Any) -> None:
        for kept in data:
            ticket = self.unpack(kept)
            self.open_ones[ticket.record.ticket_id] = self._unclaimed[ticket.record.ticket_id] = ticket

    @property
    def attention(self) -> bool:
        return any(t.record.severity != "info" for t in self.open_ones.values())

    def _check_result(self, ticket: Ticket, result: dict[str, Any] | None) -> None:
        if ticket.record.ticket_id in self._unclaimed and "supply" in ticket.record.actions:
            text = f"ticket {ticket.record.ticket_id} is being taken up by a new run: try again in a moment"
            raise CannotResolve("NotNow", text)
        if ticket.result is None or result is None:
            raise CannotResolve("BadResult", f"ticket {ticket.record.ticket_id} needs a result to be supplied")
        try:
            of(ticket.result, result)
        except ValidationError as error:
            raise CannotResolve("BadResult", faults(error)) from None
