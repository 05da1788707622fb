"""The state of one return: what is known, and what of it is not written yet. The same roles as an order's state."""

from datetime import UTC, datetime
from typing import Any, cast

from temporalio import workflow

from activities.return_messages import ReturnedLine, Slot, SlotFor, Taken
from activities.returns import ReturnActivities
from activities.store import StoreActivities
from domain.facts import Fact
from domain.fulfilment.fact_times import timed
from domain.order import PayChannel
from domain.policy import Policy
from domain.records import AuditEntry, EventRecord, RefundRecord
from domain.returns.enums import Acceptance, CaseStatus, Grade, Reception, ReturnType
from domain.returns.models import Actor, Admitted, ApplyReturn, CaseUnit, Parcel, ScanRecord, TimelineRecord
from domain.returns.records import RefundPart, ReturnWrite
from domain.returns.states import OWNERS, ReturnEvent, after
from domain.states import Outcome
from workflows.durable.carrying import KEYS, ByType, LatestKeys, Table
from workflows.durable.journal import Journal
from workflows.durable.local_steps import in_store, until_in_store
from workflows.refunds.disputes import DISPUTED


class ReturnEnded(Exception):
    """How a return ends before its normal end: rejected, taken back, never sent, nothing accepted. Raised inside its
    process only; `run` turns it into the end."""

    def __init__(self, event: ReturnEvent, reason: str, *, by: str = "system", role: str = "SYSTEM") -> None:
        super().__init__(reason)
        self.event, self.reason, self.by, self.role = event, reason, by, role


class ReturnState(Journal[ReturnWrite]):
    """State exists before handlers run. Serves `workflows/refunds/refunds.py` as the state that its refunds
    are written in."""

    CARRIED = Table(
        _order_no=str,
        taken=Taken | None, type=ReturnType, goods_here=bool, policy=Policy,
        status=CaseStatus, reception=Reception, acceptance=Acceptance,
        due_at=datetime | None, close_reason=str | None,
        applied=KEYS,
        units=ByType(
            list[CaseUnit], lambda units: [*units.values()], lambda units: {(u.line_id, u.unit): u for u in units}
        ),
        parcels=list[Parcel],
        amount_minor=int,
        version=int,
        refunded_minor=int,
        parts=dict[str, RefundPart],
        _odd_times=ByType(list[str], sorted, set),
        left={
            "return_no": "of the start message",
            "_changed_units": "written", "_new_parcels": "written", "_scans": "written", "_timeline": "written",
        },
    ).under(Journal.CARRIED)  # fmt: skip

    def __init__(self, return_no: str, order_no: str) -> None:
        super().__init__(return_no)
        self.return_no = return_no
        self._order_no = order_no
        self.taken: Taken | None = None
        self.type = ReturnType.RETURN_REFUND
        """As the case goes on: a cancellation whose parcels could not be stopped goes on as a return."""
        self.goods_here = False
        """What comes back has been inspected."""
        self.policy = Policy()
        self.status: CaseStatus = CaseStatus.APPLIED
        self.reception = Reception.NOT_EXPECTED
        self.acceptance = Acceptance.PENDING
        self.due_at: datetime | None = None
        self.close_reason: str | None = None
        self.applied = LatestKeys()
        self.units: dict[tuple[str, int], CaseUnit] = {}
        self.parcels: list[Parcel] = []
        self.amount_minor = 0
        self.version = 1
        """Rises whenever what is to be paid changes: an approval of an older version approves nothing any more."""
        self.refunded_minor = 0
        self.parts: dict[str, RefundPart] = {}
        """Of the payout, by refund number."""
        self._odd_times: set[str] = set()
        """Keys of facts whose time a person was told about."""
        self._changed_units: dict[tuple[str, int], CaseUnit] = {}
        self._new_parcels: list[Parcel] = []
        self._scans: list[ScanRecord] = []
        self._timeline: list[TimelineRecord] = []

    def opens(self, taken: Taken) -> None:
        """The store has taken the application; from here on there is a case."""
        self.taken, self.policy = taken, taken.policy
        self._order_no = taken.admitted.order_no
        self.type = taken.admitted.type
        self.amount_minor = taken.admitted.quote.total_minor

    @property
    def case(self) -> Admitted:
        assert self.taken is not None, f"return {self.return_no} is not in the books yet"
        return self.taken.admitted

    @property
    def application(self) -> ApplyReturn:
        """Of a reopened case: the one that the old case began with."""
        assert self.taken is not None
        return self.taken.application

    @property
    def applicant(self) -> Actor:
        return self.application.actor

    @property
    def since(self) -> datetime:
        """Nothing of it was on the road before. A linked case takes in what was sent for the one that it reopens."""
        assert self.taken is not None
        return self.case.applied_at if self.taken.linked_to is None else datetime.min.replace(tzinfo=UTC)

    @property
    def owner(self) -> str:
        """Whose turn it is, by role (R58)."""
        return OWNERS.get(self.status, "")

    @property
    def lines(self) -> tuple[ReturnedLine, ...]:
        assert self.taken is not None
        return self.taken.lines

    # --- what refunds need of it -----------------------------------------------------------------------------------

    @property
    def order_no(self) -> str:
        return self._order_no

    @property
    def currency(self) -> str:
        return self.case.currency

    def paid_by(self, refund_no: str) -> tuple[PayChannel, int]:
        part = self.parts[refund_no]
        return cast(PayChannel, part.channel), part.paid_minor

    async def reserve(self, refund: RefundRecord) -> str:
        """The store reserved it when it made the parts of the payout (workflows/returns/payout.py)."""
        return ""

    async def why_not(self, refund: RefundRecord) -> str:
        why = await until_in_store(StoreActivities.refund_hold, self.order_no, summary=f"may {refund.refund_no} go out")
        return f"{DISPUTED}: {why}" if why else ""

    async def slot(self, refund: RefundRecord) -> Slot:
        message = SlotFor(
            order_no=self.order_no, refund_no=refund.refund_no, payment_key=self.parts[refund.refund_no].payment_key,
            spacing_s=self.policy.refund_spacing_s, now=workflow.now(),
        )  # fmt: skip
        return await until_in_store(ReturnActivities.refund_slot, message, summary=f"slot of {refund.refund_no}")

    def refund(self, refund: RefundRecord) -> None:
        self._refunds.append(refund)
        self.log("system", f"refund {refund.status.value.lower()}", refund_no=refund.refund_no,
                  amount_minor=refund.amount_minor)  # fmt: skip

    def transaction_of(self, refund_no: str) -> str | None:
        """The channel knows all payments of its cases by the order's number."""
        return None

    def outside(self, fact: Fact, why: str) -> None:
        """No case hears of money that is not its own; if one does, a person is told."""
        status = self.status.value
        self.record(fact, Outcome.MISMATCH, status, status, None, why)
        self.tickets.note(fact.source, "unknown refund", why)

    def record(
        self, fact: Fact, outcome: Outcome, before: str, after: str, child_no: str | None, note: str = ""
    ) -> None:
        """What became of a fact; told in the case's story, duplicates too."""
        if outcome is Outcome.APPLIED:
            self.applied.add(fact.key)
        detail: dict[str, Any] = {"key": fact.key, "outcome": outcome.value, "at": fact.occurred_at.isoformat()}
        if fact.inbox_id is not None:
            detail["inbox_id"] = fact.inbox_id
        if note:
            detail["note"] = note
        self._timeline.append(TimelineRecord(actor=fact.source, role="SYSTEM", action=fact.kind.value, detail=detail))
        if fact.inbox_id is not None or outcome is Outcome.APPLIED:
            self._events.append(
                EventRecord(
                    key=fact.key, kind=fact.kind, source=fact.source, occurred_at=fact.occurred_at, outcome=outcome,
                    child_no=child_no, from_status=before, to_status=after, note=note, inbox_id=fact.inbox_id,
                )
            )  # fmt: skip
        self.mark_changed()

    def is_out_of_time(self, fact: Fact) -> bool:
        """A scan that is not of the case's parcel, by its time: noted, and nothing else."""
        heard = timed(fact, self.since, workflow.now(), self.policy.clock_skew_s)
        if not heard.stale or not workflow.patched("a fact's own time is not believed"):
            return False
        self.record(fact, Outcome.STALE, self.status.value, self.status.value, None, heard.stale)
        if heard.odd and fact.key not in self._odd_times:
            self._odd_times.add(fact.key)
            self.tickets.note(fact.source, "time does not fit", heard.odd)
        return True

    # --- what has happened -------------------------------------------------------------------------------------------

    def happens(self, event: ReturnEvent, *, by: str = "system", role: str = "SYSTEM", **detail: Any) -> None:
        """The one way a case moves (domain/returns/states.py). A step that does not fit is a mistake of ours: loud."""
        before, self.status = self.status, after(self.type, self.status, event, goods_here=self.goods_here)
        self.due_at = None
        self._timeline.append(
            TimelineRecord(
                actor=by, role=role, action=event.value, from_status=before, to_status=self.status, detail=detail
            )
        )
        self.mark_changed()

    def now_waits_for(self, what: str, due: datetime | None = None) -> None:
        if (what, due) != (self.waiting_for, self.due_at):
            self.waiting_for, self.due_at = what, due
            self.mark_changed()

    def log(self, actor: str, action: str, role: str = "SYSTEM", **detail: Any) -> None:
        """A line of the story that moves no status."""
        self._timeline.append(TimelineRecord(actor=actor, role=role, action=action, detail=detail))
        self.mark_changed()

    def audit(self, actor: str, action: str, **detail: Any) -> None:
        self._audit.append(AuditEntry(actor=actor, action=action, detail={"return_no": self.return_no, **detail}))
        self.mark_changed()

    def unit(
        self, key: tuple[str, int], *, reception: Reception, acceptance: Acceptance, grade: Grade | None = None
    ) -> None:
        known = CaseUnit(line_id=key[0], unit=key[1], reception=reception, acceptance=acceptance, grade=grade)
        self.units[key] = self._changed_units[key] = known
        self.mark_changed()

    def goods(self, reception: Reception, acceptance: Acceptance | None = None) -> None:
        """Where the case's goods are as a whole; units that nobody has scanned go along."""
        self.reception, self.acceptance = reception, acceptance or self.acceptance
        for key, unit in self.units.items():
            if unit.grade is None and unit.reception is not reception:
                self.unit(key, reception=reception, acceptance=unit.acceptance)
        self.mark_changed()

    def add_parcel(self, parcel: Parcel) -> None:
        self.parcels.append(parcel)
        self._new_parcels.append(parcel)
        self.mark_changed()

    def scanned(self, scan: ScanRecord) -> None:
        self._scans.append(scan)
        self.mark_changed()

    # --- writing it down ---------------------------------------------------------------------------------------------

    @property
    def _numbers(self) -> tuple[str, str | None]:
        return self.order_no, self.return_no

    async def _write(self, message: ReturnWrite) -> None:
        await in_store(ReturnActivities.write, message, summary=f"write {message.seq}")

    def _take(self, ended: bool) -> ReturnWrite:
        message = ReturnWrite(
            return_no=self.return_no,
            status=self.status,
            reception=self.reception,
            acceptance=self.acceptance,
            sla_owner=self.owner,
            due_at=self.due_at,
            close_reason=self.close_reason,
            units=tuple(self._changed_units.values()),
            parcels=tuple(self._new_parcels),
            scans=tuple(self._scans),
            timeline=tuple(self._timeline),
            **self._take_pending(ended),
        )
        self._changed_units, self._new_parcels, self._scans, self._timeline = {}, [], [], []
        return message

    def _put_back(self, message: ReturnWrite) -> None:
        super()._put_back(message)
        self._changed_units = {(u.line_id, u.unit): u for u in message.units} | self._changed_units
        self._new_parcels = [*message.parcels, *self._new_parcels]
        self._scans = [*message.scans, *self._scans]
        self._timeline = [*message.timeline, *self._timeline]

    # --- showing it to operators -------------------------------------------------------------------------------------

    @property
    def _kind(self) -> str:
        return "return"

    @property
    def _channel(self) -> str:
        return self.taken.application.channel if self.taken else "unknown"
