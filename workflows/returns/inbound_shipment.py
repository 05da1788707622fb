"""The way back of a case's goods: seven days to hand over, a waybill that has to be known, ten days to be received."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.return_messages import WhatLeft
from activities.returns import ReturnActivities
from domain.facts import COURIER_KINDS, Fact, Kind
from domain.returns import ledger
from domain.returns.enums import Acceptance, Reception
from domain.returns.models import Parcel
from domain.returns.states import ReturnEvent
from domain.states import Outcome
from domain.units import UnitRange, joined, without
from workflows.durable.branches import Branches
from workflows.durable.carrying import Table, Through
from workflows.durable.local_steps import until_in_store
from workflows.durable.tickets import Ticket
from workflows.returns.inspection import DESK, Inspection
from workflows.returns.messages import EnterWaybill
from workflows.returns.state import ReturnEnded, ReturnState

NOT_SENT = "RETURN_NOT_SENT_7D"
GRACE = timedelta(milliseconds=500)
"""What happens on the dot is in time: the timer fires a moment after its due time."""


class Stage(StrEnum):
    """How far they have come. What is behind is not done again by the next run."""

    AHEAD = "ahead"
    EXPECTED = "expected"
    HANDED_OVER = "handed over"
    RECEIVED = "received"
    INSPECTED = "inspected"


class InboundShipment:
    """From approval to the desk. `taken_back`: the buyer has withdrawn the application."""

    CARRIED = Table(
        handed_over_at=datetime | None,
        _tracked=bool,
        _never_came=bool,
        _stage=Stage,
        _since=datetime | None,
        _awaited_from=datetime | None,
        _looked=Through("_pack_looked", "_unpack_looked"),
        left={"state": "wiring", "inspection": "its own part", "_branches": "wiring", "_taken_back": "wiring"},
    )

    def __init__(
        self, state: ReturnState, branches: Branches, inspection: Inspection, taken_back: Callable[[], bool]
    ) -> None:
        self.state = state
        self.inspection = inspection
        self.handed_over_at: datetime | None = None
        self._branches = branches
        self._taken_back = taken_back
        self._tracked = False
        """A courier has spoken of the waybill."""
        self._never_came = False
        self._stage = Stage.AHEAD
        self._since: datetime | None = None
        self._awaited_from: datetime | None = None
        """When the stage that lasts began."""
        self._looked: dict[str, Ticket | None] = {}
        """What has been looked at while the goods were awaited, and the question that came of it."""

    # --- doors -------------------------------------------------------------------------------------------------------

    def enter_waybill(self, message: EnterWaybill) -> None:
        """Also a corrected one: the courier's events of either number are this case's."""
        state = self.state
        if message.parcel not in state.parcels:
            state.add_parcel(message.parcel)
        role = "BUYER" if message.by in (state.applicant.id, state.applicant.on_behalf_of) else "CS_AGENT"
        state.log(message.by, "waybill", role, carrier=message.parcel.carrier, waybill_no=message.parcel.waybill_no)
        self._hand_over(workflow.now())

    def apply(self, fact: Fact) -> None:
        """What couriers say about a parcel on its way back."""
        state = self.state
        before = state.status.value
        if fact.key in state.applied:
            state.record(fact, Outcome.DUPLICATE, before, before, None)
            return
        if fact.kind not in COURIER_KINDS:
            state.record(fact, Outcome.STALE, before, before, None, f"{fact.kind} says nothing about a returned parcel")
            return
        if state.is_out_of_time(fact):
            return
        state.record(fact, Outcome.APPLIED, before, before, None)
        self._tracked = True
        if fact.kind is Kind.COURIER_EXCEPTION:
            state.tickets.note(fact.source, "return parcel in trouble", fact.note or "no reason given")
        elif fact.kind in (Kind.RETURNED_TO_SENDER, Kind.DELIVERY_REFUSED):
            state.tickets.note(fact.source, "return parcel not taken", fact.note or "it goes back to the buyer")
        self._hand_over(fact.occurred_at)

    def _hand_over(self, at: datetime) -> None:
        self.handed_over_at = min(at, self.handed_over_at or at)

    async def insist_it_left(self, by: str) -> tuple[UnitRange, ...] | None:
        """What the goods at the desk, or on the road, can be: units that left the warehouse, by our books. None: all.
        Raises `ApplicationError` (NOT_LEFT), audited, when none has left: then these are other goods, or our books
        have not heard of it."""
        state, awaited = self.state, tuple(run for line in self.inspection.lines for run in line.units)
        if self.inspection.frozen or not awaited or not workflow.patched("goods that never left do not come back"):
            return None
        found = await until_in_store(
            ReturnActivities.what_left, WhatLeft(return_no=state.return_no), summary="what has left the warehouse"
        )
        if without(awaited, found.units) != joined(awaited):
            return found.units
        state.audit(by, "return.refused", what="goods", code="NOT_LEFT")
        await state.flushed()
        raise ApplicationError(
            f"by our books nothing of return {state.return_no} has left the warehouse ({named(awaited)} of order "
            f"{state.order_no}): if it has, `oms order refresh {state.order_no}`, then try again; goods of another "
            "order go to that order's return",
            type="NOT_LEFT",
        )

    # --- the branch --------------------------------------------------------------------------------------------------

    @property
    def expected(self) -> bool:
        return self._stage is not Stage.AHEAD

    def expect(self, *, left: bool) -> None:
        """Approved: the units are frozen until they are inspected (R49). `left`: they have left the warehouse; what is
        only about to, because it could not be stopped, is frozen when it is back."""
        for line in self.inspection.lines:
            for run in line.units:
                for unit in range(run.first_unit, run.end):
                    self.state.unit((line.line_id, unit), reception=Reception.AWAITED, acceptance=Acceptance.PENDING)
        self.state.goods(Reception.AWAITED)
        if left:
            self._freeze()
        self._reach(Stage.EXPECTED)

    def _reach(self, stage: Stage) -> None:
        self._stage, self._since = stage, workflow.now()

    def _freeze(self) -> None:
        if not self.inspection.frozen:
            self.inspection.frozen = True
            for line in self.inspection.lines:
                number = self.state.return_no
                self.state.moves(ledger.freeze(number, line.line_id, line.sku, line.warehouse, line.qty))

    def give_free(self) -> None:
        """They stay with the buyer after all."""
        state = self.state
        if self.inspection.frozen:
            for line in self.inspection.lines:
                state.moves(ledger.close(state.return_no, line.line_id, line.sku, line.warehouse, line.qty))
        state.goods(Reception.CANCELLED)

    def came_late(self, parcel: Parcel | None) -> None:
        """A linked case: the goods are on their way, or at the desk, before anybody has agreed (N6)."""
        if self._stage is not Stage.EXPECTED:
            return
        self.state.happens(ReturnEvent.ARRIVED_LATE)
        self.handed_over_at = workflow.now()
        if parcel is not None:
            self.state.add_parcel(parcel)
        self.state.goods(Reception.IN_TRANSIT)
        self._reach(Stage.HANDED_OVER)

    async def handed_over(self, *, forgive: bool) -> None:
        """Seven days from approval; entering a waybill, or a courier's pick-up, stops the clock (R52). `forgive`: some
        units were stopped before they left, so the case goes on for them when the others never come."""
        if self._stage is not Stage.EXPECTED:
            return
        state = self.state
        due = (self._since or workflow.now()) + timedelta(seconds=state.policy.send_back_s)
        state.now_waits_for("the goods, to be sent back", due)

        def moved() -> bool:
            return self.handed_over_at is not None or self.inspection.received or self._taken_back()

        await self._branches.until(moved, by=due - workflow.now() + GRACE, name="seven days to send it back")
        if self._taken_back() and self.handed_over_at is None and not self.inspection.received:
            self.give_free()
            raise ReturnEnded(ReturnEvent.BUYER_CANCELLED, "taken back")
        if not moved() and forgive:
            state.log("system", "never sent", reason=NOT_SENT)
            self._never_came = self.inspection.received = self.inspection.inspected = True
        elif not moved():
            self.give_free()
            raise ReturnEnded(ReturnEvent.NOT_SENT, NOT_SENT)
        if not self.inspection.received:
            state.happens(ReturnEvent.HANDED_OVER)
            state.goods(Reception.IN_TRANSIT)
        self._reach(Stage.HANDED_OVER)

    async def received(self) -> None:
        """Until the desk has it. A number that no courier knows, and a parcel that nobody receives, become tickets."""
        if self._stage is not Stage.HANDED_OVER:
            return
        state = self.state
        if self._awaited_from is None:
            self._awaited_from = self.handed_over_at or workflow.now()
        since = self._awaited_from
        sla = since + timedelta(seconds=state.policy.receive_s)
        state.now_waits_for("the return desk", sla)
        unknown = since + timedelta(seconds=state.policy.unknown_waybill_s)
        for due, text in sorted(((unknown, "unknown waybill"), (sla, "not received"))):
            if text in self._looked:
                continue
            await self._branches.until(
                lambda: self.inspection.received, by=due - workflow.now(), name=f"{text} of {state.return_no}"
            )
            if self.inspection.received:
                continue
            self._looked[text] = None
            if text == "unknown waybill" and (self._tracked or not state.parcels):
                continue
            numbers = ", ".join(f"{p.carrier} {p.waybill_no}" for p in state.parcels) or "a parcel without number"
            self._looked[text] = state.tickets.open(
                DESK, text, f"{numbers} of return {state.return_no}: {text}",
                give_up_means="the case goes on waiting for its goods", actions=("give_up",),
            )  # fmt: skip
        await self._branches.until(lambda: self.inspection.received)
        for ticket in self._looked.values():
            if ticket is not None and ticket.resolution is None:
                state.tickets.close_on_evidence(ticket)
        state.happens(ReturnEvent.RECEIVED)
        if not self._never_came:
            state.goods(Reception.RECEIVED)
            self._leave_out()
            self._freeze()
        self._reach(Stage.RECEIVED)

    def _leave_out(self) -> None:
        """They may still leave, and are the buyer's then."""
        if not (gone := self.inspection.left_out):
            return
        for run in gone:
            for unit in run.each():
                self.state.unit(unit, reception=Reception.CANCELLED, acceptance=Acceptance.REJECTED)
        self.state.tickets.note(
            DESK, "not left yet",
            f"{named(gone)} had not left the warehouse when the goods of return {self.state.return_no} were received: "
            "not paid by it; the buyer may apply again once they have come",
        )  # fmt: skip

    async def inspected(self) -> None:
        if self._stage is not Stage.RECEIVED:
            return
        state = self.state
        state.now_waits_for("inspection")
        await self._branches.until(lambda: self.inspection.inspected)
        if self.inspection.missing:
            self.inspection.write_off_missing()
        state.goods_here = True
        state.acceptance = Acceptance.ACCEPTED if self.inspection.accepted else Acceptance.REJECTED
        state.happens(ReturnEvent.INSPECTED, accepted=self.inspection.accepted, missing=self.inspection.missing)
        self._reach(Stage.INSPECTED)

    # --- from one run to the next ------------------------------------------------------------------------------------

    def _pack_looked(self) -> dict[str, Any]:
        return {text: ticket and self.state.tickets.pack(ticket) for text, ticket in self._looked.items()}

    def _unpack_looked(self, data: dict[str, Any]) -> None:
        self._looked = {text: ticket and self.state.tickets.unpack(ticket) for text, ticket in data.items()}


def named(units: tuple[UnitRange, ...]) -> str:
    """For a person: the first twenty runs."""
    more = f" and {len(units) - 20} more" if len(units) > 20 else ""
    return ", ".join(f"{r.line_id} {r.first_unit}-{r.end - 1}" for r in units[:20]) + more
