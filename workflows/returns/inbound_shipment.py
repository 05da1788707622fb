"""The way back of a case's goods: seven days to hand over, a waybill that has to be known, ten days to be received."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from activities.return_messages import ReturnedLine
from domain.facts import COURIER_KINDS, Fact, Kind
from domain.returns import ledger
from domain.returns.enums import Acceptance, Reception
from domain.returns.models import Parcel
from domain.returns.states import ReturnEvent
from domain.states import Outcome
from workflows.durable.branches import Branches
from workflows.durable.carrying import Table, Through
from workflows.durable.tickets import Ticket
from workflows.returns.inbound_stage import Stage
from workflows.returns.inspection import DESK, Inspection, named
from workflows.returns.messages import EnterWaybill
from workflows.returns.state import ReturnEnded, ReturnState

NOT_SENT = "RETURN_NOT_SENT_7D"
UNKNOWN_WAYBILL = "unknown waybill"
NOT_RECEIVED = "not received"
GRACE = timedelta(milliseconds=500)
"""What happens on the dot is in time: the timer fires a moment after its due time."""


class InboundShipment:
    """From approval to the desk. `taken_back`: the buyer has withdrawn the application."""

    CARRIED = Table(
        handed_over_at=datetime | None,
        _tracked=bool,
        _never_came=bool,
        _stage=Stage,
        _since=datetime | None,
        _awaited_from=datetime | None,
        _ask_again_at=datetime | None,
        _looked=Through("_pack_looked", "_unpack_looked"),
        left={
            "state": "wiring", "inspection": "its own part", "_branches": "wiring", "_taken_back": "wiring",
            "_still_to_come": "wiring",
        },
    )  # fmt: skip

    def __init__(
        self, state: ReturnState, branches: Branches, inspection: Inspection, taken_back: Callable[[], bool],
        still_to_come: Callable[[tuple[ReturnedLine, ...]], tuple[ReturnedLine, ...]],
    ) -> None:  # fmt: skip
        self.state = state
        self.inspection = inspection
        self.handed_over_at: datetime | None = None
        self._branches = branches
        self._taken_back = taken_back
        self._still_to_come = still_to_come
        """Without what was stopped before it could leave."""
        self._tracked = False
        """A courier has spoken of the waybill."""
        self._never_came = False
        self._stage = Stage.AHEAD
        self._since: datetime | None = None
        self._awaited_from: datetime | None = None
        """When the stage that lasts began."""
        self._ask_again_at: datetime | None = None
        """A person waits for the goods; when they are asked about next."""
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
            here = self.handed_over_at is not None or self.inspection.received
            return here or self._taken_back() or not self._still_to_come(self.inspection.lines)

        await self._branches.until(moved, by=due - workflow.now() + GRACE, name="seven days to send it back")
        if self._taken_back() and self.handed_over_at is None and not self.inspection.received:
            self.give_free()
            raise ReturnEnded(ReturnEvent.BUYER_CANCELLED, "taken back")
        if not moved() and forgive:
            state.log("system", "never sent", reason=NOT_SENT)
            self._never_came = self.inspection.goes_on_without()
        elif not moved():
            self.give_free()
            raise ReturnEnded(ReturnEvent.NOT_SENT, NOT_SENT)
        self._leave_to_the_order()
        if not self.inspection.received:
            state.happens(ReturnEvent.HANDED_OVER)
            state.goods(Reception.IN_TRANSIT)
        self._reach(Stage.HANDED_OVER)

    def _leave_to_the_order(self) -> None:
        """What the warehouse has cancelled meanwhile does not come; where that is all of it, there is nothing to wait
        for."""
        if self.inspection.received:
            return
        coming = self._still_to_come(self.inspection.lines)
        if not coming:
            self.give_free()
            self._never_came = self.inspection.has_nothing_to_do()
        if coming != self.inspection.lines:
            self.inspection.expects(coming, self.inspection.code)

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
        for due, text in sorted(((unknown, UNKNOWN_WAYBILL), (sla, NOT_RECEIVED))):
            if text in self._looked:
                continue
            await self._branches.until(
                lambda: self.inspection.received, by=due - workflow.now(), name=f"{text} of {state.return_no}"
            )
            if self.inspection.received:
                continue
            self._looked[text] = None
            if text == UNKNOWN_WAYBILL and (self._tracked or not state.parcels):
                continue
            self._looked[text] = self._ask(text)
        await self._until_here_or_lost()
        for ticket in self._looked.values():
            if ticket is not None and ticket.resolution is None:
                state.tickets.close_on_evidence(ticket)
        state.happens(ReturnEvent.RECEIVED)
        if not self._never_came:
            state.goods(Reception.RECEIVED)
            self._never_on_the_way()
            self._leave_out()
            self._freeze()
        self._reach(Stage.RECEIVED)

    def _ask(self, text: str) -> Ticket:
        """Where the goods are: a person looks. Who lets them be lost leaves to the supervisor who bears it."""
        state = self.state
        numbers = ", ".join(f"{p.carrier} {p.waybill_no}" for p in state.parcels) or "a parcel without number"
        said = f"{numbers} of return {state.return_no}: {text}"
        if text == UNKNOWN_WAYBILL:
            return state.tickets.open(
                DESK, text, said, give_up_means="the case goes on waiting for its goods", actions=("give_up",)
            )
        return state.tickets.open(
            DESK, text, f"{said}; retry: asked again in {timedelta(seconds=state.policy.receive_s)}",
            give_up_means="the goods are lost: counted as missing, the supervisor decides whether they are paid; an "
            "exchange ends without a replacement",
            actions=("retry", "give_up"),
        )  # fmt: skip

    async def _until_here_or_lost(self) -> None:
        """As long as nothing has come, somebody is asked, or will be: an answered question is not the end of it."""
        while not self.inspection.received:
            await self._branches.until(lambda: self.inspection.received or self._answered is not None)
            asked = self._answered
            if self.inspection.received or asked is None or asked.resolution is None:
                return
            if not workflow.patched("goods that do not come are asked about again"):
                await self._branches.until(lambda: self.inspection.received)
                return
            if asked.resolution.action == "give_up" and "retry" in asked.record.actions:
                self._are_lost(asked.resolution.resolved_by)
                return
            self._ask_again_at = self._ask_again_at or workflow.now() + timedelta(seconds=self.state.policy.receive_s)
            self.state.now_waits_for("the return desk", self._ask_again_at)
            await self._branches.until(
                lambda: self.inspection.received, by=self._ask_again_at - workflow.now(),
                name=f"{NOT_RECEIVED} of {self.state.return_no}, again",
            )  # fmt: skip
            self._ask_again_at = None
            if not self.inspection.received:
                self._looked[NOT_RECEIVED] = self._ask(NOT_RECEIVED)

    @property
    def _answered(self) -> Ticket | None:
        asked = self._looked.get(NOT_RECEIVED)
        return asked if asked is not None and asked.resolution is not None else None

    def _are_lost(self, by: str) -> None:
        """Nothing to receive, and an inspection that finds every unit missing."""
        self.state.log(by, "lost on the way back", "WAREHOUSE", units=self.inspection.expected)
        self._never_came = self.inspection.goes_on_without()
        self.inspection.finished_by = by

    def _never_on_the_way(self) -> None:
        """Units that were awaited until the warehouse cancelled them: the desk has the others."""
        expected = {unit for line in self.inspection.lines for run in line.units for unit in run.each()}
        for key in [*self.state.units]:
            if key not in expected:
                self.state.unit(key, reception=Reception.CANCELLED, acceptance=Acceptance.PENDING)

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
