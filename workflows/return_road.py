"""The way back of a case's goods: seven days to hand over, a waybill that has to be known, ten days to be received."""

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

from domain.facts import Fact, Kind
from domain.returns import ledger
from domain.returns.axis import Event
from domain.returns.models import Parcel
from domain.returns.words import Acceptance, Reception
from domain.states import Outcome
from workflows.branches import Branches
from workflows.case_book import CaseBook
from workflows.case_over import CaseOver
from workflows.return_desk import DESK, Desk
from workflows.return_messages import EnterWaybill
from workflows.tickets import Ticket

NOT_SENT = "RETURN_NOT_SENT_7D"
GRACE = timedelta(milliseconds=500)
"""What happens on the dot is in time: the timer fires a moment after its due time."""
COURIER = frozenset({Kind.COLLECTED, Kind.IN_TRANSIT, Kind.OUT_FOR_DELIVERY, Kind.SIGNED, Kind.COURIER_EXCEPTION,
                     Kind.DELIVERY_REFUSED, Kind.RETURNED_TO_SENDER})  # fmt: skip


class Road:
    """From approval to the desk. `taken_back`: the buyer has withdrawn the application."""

    def __init__(self, book: CaseBook, branches: Branches, desk: Desk, taken_back: Callable[[], bool]) -> None:
        self.book = book
        self.desk = desk
        self.handed_over_at: datetime | None = None
        self._branches = branches
        self._taken_back = taken_back
        self._tracked = False
        """A courier has spoken of the waybill."""
        self._never_came = False

    # --- doors -------------------------------------------------------------------------------------------------------

    def enter_waybill(self, message: EnterWaybill) -> None:
        """Also a corrected one: the courier's events of either number are this case's."""
        book = self.book
        if message.parcel not in book.parcels:
            book.comes_by(message.parcel)
        role = "BUYER" if message.by in (book.applicant.id, book.applicant.on_behalf_of) else "CS_AGENT"
        book.tell(message.by, "waybill", role, carrier=message.parcel.carrier, waybill_no=message.parcel.waybill_no)
        self._hand_over(workflow.now())

    def hear(self, fact: Fact) -> None:
        """What couriers say about a parcel on its way back."""
        book = self.book
        before = book.status.value
        if fact.key in book.applied:
            book.record(fact, Outcome.DUPLICATE, before, before, None)
            return
        if fact.kind not in COURIER:
            book.record(fact, Outcome.STALE, before, before, None, f"{fact.kind} says nothing about a returned parcel")
            return
        book.record(fact, Outcome.APPLIED, before, before, None)
        self._tracked = True
        if fact.kind is Kind.COURIER_EXCEPTION:
            book.tickets.note(fact.source, "return parcel in trouble", fact.note or "no reason given")
        elif fact.kind in (Kind.RETURNED_TO_SENDER, Kind.DELIVERY_REFUSED):
            book.tickets.note(fact.source, "return parcel not taken", fact.note or "it goes back to the buyer")
        self._hand_over(fact.occurred_at)

    def _hand_over(self, at: datetime) -> None:
        self.handed_over_at = min(at, self.handed_over_at or at)

    # --- the branch --------------------------------------------------------------------------------------------------

    def expect(self, *, left: bool) -> None:
        """Approved: the units are frozen until they are inspected (R49). `left`: they have left the warehouse; what is
        only about to, because it could not be stopped, is frozen when it is back."""
        for line in self.desk.lines:
            for run in line.units:
                for unit in range(run.first_unit, run.end):
                    self.book.unit((line.line_id, unit), reception=Reception.AWAITED, acceptance=Acceptance.PENDING)
        self.book.goods(Reception.AWAITED)
        if left:
            self._freeze()

    def _freeze(self) -> None:
        if not self.desk.frozen:
            self.desk.frozen = True
            for line in self.desk.lines:
                number = self.book.return_no
                self.book.moves(ledger.freeze(number, line.line_id, line.sku, line.warehouse, line.qty))

    def give_free(self) -> None:
        """They stay with the buyer after all."""
        book = self.book
        if self.desk.frozen:
            for line in self.desk.lines:
                book.moves(ledger.close(book.return_no, line.line_id, line.sku, line.warehouse, line.qty))
        book.goods(Reception.CANCELLED)

    def came_late(self, parcel: Parcel | None) -> None:
        """A linked case: the goods are on their way, or at the desk, before anybody has agreed (N6)."""
        self.book.happens(Event.ARRIVED_LATE)
        self.handed_over_at = workflow.now()
        if parcel is not None:
            self.book.comes_by(parcel)
        self.book.goods(Reception.IN_TRANSIT)

    async def handed_over(self, *, forgive: bool) -> None:
        """Seven days from approval; entering a waybill, or a courier's pick-up, stops the clock (R52). `forgive`: some
        units were stopped before they left, so the case goes on for them when the others never come."""
        book = self.book
        due = workflow.now() + timedelta(seconds=book.policy.send_back_s)
        book.now_waits_for("the goods, to be sent back", due)

        def moved() -> bool:
            return self.handed_over_at is not None or self.desk.received or self._taken_back()

        await self._branches.until(moved, by=due - workflow.now() + GRACE, name="seven days to send it back")
        if self._taken_back() and self.handed_over_at is None and not self.desk.received:
            self.give_free()
            raise CaseOver(Event.BUYER_CANCELLED, "taken back")
        if not moved() and forgive:
            book.tell("system", "never sent", reason=NOT_SENT)
            self._never_came = self.desk.received = self.desk.inspected = True
        elif not moved():
            self.give_free()
            raise CaseOver(Event.NOT_SENT, NOT_SENT)
        if not self.desk.received:
            book.happens(Event.HANDED_OVER)
            book.goods(Reception.IN_TRANSIT)

    async def received(self) -> None:
        """Until the desk has it. A number that no courier knows, and a parcel that nobody receives, become tickets."""
        book, since = self.book, self.handed_over_at or workflow.now()
        sla = since + timedelta(seconds=book.policy.receive_s)
        book.now_waits_for("the return desk", sla)
        unknown = since + timedelta(seconds=book.policy.unknown_waybill_s)
        open_tickets: list[Ticket] = []
        for due, text in sorted(((unknown, "unknown waybill"), (sla, "not received"))):
            await self._branches.until(
                lambda: self.desk.received, by=due - workflow.now(), name=f"{text} of {book.return_no}"
            )
            if self.desk.received or (text == "unknown waybill" and (self._tracked or not book.parcels)):
                continue
            numbers = ", ".join(f"{p.carrier} {p.waybill_no}" for p in book.parcels) or "a parcel without number"
            open_tickets.append(
                book.tickets.open(DESK, text, f"{numbers} of return {book.return_no}: {text}",
                                  give_up_means="the case goes on waiting for its goods", actions=("give_up",))
            )  # fmt: skip
        await self._branches.until(lambda: self.desk.received)
        for ticket in open_tickets:
            if ticket.resolution is None:
                book.tickets.close_on_evidence(ticket)
        book.happens(Event.RECEIVED)
        if not self._never_came:
            book.goods(Reception.RECEIVED)
            self._freeze()

    async def inspected(self) -> None:
        book = self.book
        book.now_waits_for("inspection")
        await self._branches.until(lambda: self.desk.inspected)
        if self.desk.missing:
            self.desk.write_off_missing()
        book.goods_here = True
        book.acceptance = Acceptance.ACCEPTED if self.desk.accepted else Acceptance.REJECTED
        book.happens(Event.INSPECTED, accepted=self.desk.accepted, missing=self.desk.missing)
