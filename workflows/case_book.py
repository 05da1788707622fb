"""The book of one after-sales case: what is known, what has changed since the last write, and who writes it.

Like an order's book (workflows/book.py): changes of one activation travel in one write, one local activity.
"""

import asyncio
from datetime import datetime
from typing import Any, cast

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from activities.return_calls import ReturnedLine, Taken
from activities.returns import ReturnActivities
from domain.facts import Fact
from domain.order import PayChannel
from domain.policy import Policy
from domain.records import AuditEntry, EventRecord, RefundRecord, StockMove
from domain.returns.axis import OWNERS, Event, after
from domain.returns.models import Actor, Admitted, ApplyReturn, CaseUnit, Parcel, ScanRecord, TimelineRecord
from domain.returns.records import RefundPart, ReturnWrite
from domain.returns.words import Acceptance, CaseStatus, Grade, Reception, ReturnType
from domain.states import Outcome
from workflows.book import CHANNEL, NEEDS_ATTENTION, STATUS, STORE_ERRORS, STORE_RETRY, STORE_TIMEOUT
from workflows.tickets import Tickets


class CaseBook:
    """State exists before handlers run. Serves `workflows/refunds.py` as the book that its refunds are written in."""

    def __init__(self, return_no: str, order_no: str) -> None:
        self.return_no = return_no
        self._order_no = order_no
        self.taken: Taken | None = None
        self.type = ReturnType.RETURN_REFUND
        """As the case goes on: a cancellation whose parcels could not be stopped goes on as a return."""
        self.goods_here = False
        """What comes back has been inspected."""
        self.policy = Policy()
        self.status = CaseStatus.APPLIED
        self.reception = Reception.NOT_EXPECTED
        self.acceptance = Acceptance.PENDING
        self.waiting_for = "registration"
        self.due_at: datetime | None = None
        self.close_reason: str | None = None
        self.tickets = Tickets(return_no, self.touch)
        self.applied: set[str] = set()
        self.units: dict[tuple[str, int], CaseUnit] = {}
        self.parcels: list[Parcel] = []
        self.amount_minor = 0
        self.version = 1
        """Rises whenever what is to be paid changes: an approval of an older version approves nothing any more."""
        self.refunded_minor = 0
        self.paying: RefundPart | None = None
        self._changed_units: dict[tuple[str, int], CaseUnit] = {}
        self._new_parcels: list[Parcel] = []
        self._scans: list[ScanRecord] = []
        self._timeline: list[TimelineRecord] = []
        self._events: list[EventRecord] = []
        self._moves: list[StockMove] = []
        self._refunds: list[RefundRecord] = []
        self._audit: list[AuditEntry] = []
        self._seq = 0
        self._changed = 0
        self._taken = 0
        self._saved = 0
        self.ended = False

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
    def owner(self) -> str:
        """Whose turn it is, by role (R58)."""
        return OWNERS.get(self.status, "")

    @property
    def lines(self) -> tuple[ReturnedLine, ...]:
        assert self.taken is not None
        return self.taken.lines

    # --- what refunds need of a book ---------------------------------------------------------------------------------

    @property
    def order_no(self) -> str:
        return self._order_no

    @property
    def currency(self) -> str:
        return self.case.currency

    @property
    def paid_minor(self) -> int:
        assert self.paying is not None
        return self.paying.paid_minor

    @property
    def pay_channel(self) -> PayChannel:
        assert self.paying is not None
        return cast(PayChannel, self.paying.channel)

    async def reserve(self, refund: RefundRecord) -> str:
        """The store reserved it when it made the parts of the payout (workflows/return_money.py)."""
        return ""

    def refund(self, refund: RefundRecord) -> None:
        self._refunds.append(refund)
        self.tell("system", f"refund {refund.status.value.lower()}", refund_no=refund.refund_no,
                  amount_minor=refund.amount_minor)  # fmt: skip

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
        self.touch()

    # --- what has happened -------------------------------------------------------------------------------------------

    def happens(self, event: Event, *, by: str = "system", role: str = "SYSTEM", **detail: Any) -> None:
        """The one way a case moves (domain/returns/axis.py). A step that does not fit is a mistake of ours: loud."""
        before, self.status = self.status, after(self.type, self.status, event, goods_here=self.goods_here)
        self.due_at = None
        self._timeline.append(
            TimelineRecord(
                actor=by, role=role, action=event.value, from_status=before, to_status=self.status, detail=detail
            )
        )
        self.touch()

    def now_waits_for(self, what: str, due: datetime | None = None) -> None:
        if (what, due) != (self.waiting_for, self.due_at):
            self.waiting_for, self.due_at = what, due
            self.touch()

    def tell(self, actor: str, action: str, role: str = "SYSTEM", **detail: Any) -> None:
        """A line of the story that moves no status."""
        self._timeline.append(TimelineRecord(actor=actor, role=role, action=action, detail=detail))
        self.touch()

    def audit(self, actor: str, action: str, **detail: Any) -> None:
        self._audit.append(AuditEntry(actor=actor, action=action, detail={"return_no": self.return_no, **detail}))
        self.touch()

    def moves(self, *moves: StockMove) -> None:
        self._moves.extend(moves)
        self.touch()

    def unit(
        self, key: tuple[str, int], *, reception: Reception, acceptance: Acceptance, grade: Grade | None = None
    ) -> None:
        known = CaseUnit(line_id=key[0], unit=key[1], reception=reception, acceptance=acceptance, grade=grade)
        self.units[key] = self._changed_units[key] = known
        self.touch()

    def goods(self, reception: Reception, acceptance: Acceptance | None = None) -> None:
        """Where the case's goods are as a whole; units that nobody has scanned go along."""
        self.reception, self.acceptance = reception, acceptance or self.acceptance
        for key, unit in self.units.items():
            if unit.grade is None and unit.reception is not reception:
                self.unit(key, reception=reception, acceptance=unit.acceptance)
        self.touch()

    def comes_by(self, parcel: Parcel) -> None:
        self.parcels.append(parcel)
        self._new_parcels.append(parcel)
        self.touch()

    def scanned(self, scan: ScanRecord) -> None:
        self._scans.append(scan)
        self.touch()

    def touch(self) -> None:
        self._changed += 1

    # --- writing it down ---------------------------------------------------------------------------------------------

    @property
    def all_saved(self) -> bool:
        return self._saved >= self._changed

    async def project(self) -> None:
        """Runs for the life of the case: one write per activation in which something changed."""
        while True:
            await workflow.wait_condition(lambda: self._changed > self._taken)
            await asyncio.sleep(0)  # others that the same event has woken go first: their changes ride along
            await self.write()

    async def saved(self) -> None:
        """Returns once everything changed so far is committed."""
        target = self._changed
        await workflow.wait_condition(lambda: self._saved >= target)

    async def write(self, *, ended: bool = False) -> None:
        """Raises `RuntimeError` when the store finds our books contradictory: loud, and nothing is lost."""
        mark = self._taken = self._changed
        message = self._take_write(ended)
        self.show()
        try:
            await workflow.execute_local_activity_method(
                ReturnActivities.write,
                message,
                start_to_close_timeout=STORE_TIMEOUT,
                retry_policy=STORE_RETRY,
                summary=f"write {message.seq}",
            )
        except STORE_ERRORS as error:
            raise RuntimeError(f"the books refuse a write of return {self.return_no}: {error}") from error
        self._saved = max(self._saved, mark)

    def _take_write(self, ended: bool) -> ReturnWrite:
        self._seq += 1
        self.ended = ended
        t = self.tickets
        message = ReturnWrite(
            return_no=self.return_no,
            seq=self._seq,
            at=workflow.now(),
            status=self.status,
            reception=self.reception,
            acceptance=self.acceptance,
            waiting_for=self.waiting_for,
            needs_attention=t.attention,
            sla_owner=self.owner,
            due_at=self.due_at,
            close_reason=self.close_reason,
            ended=ended,
            units=tuple(self._changed_units.values()),
            parcels=tuple(self._new_parcels),
            scans=tuple(self._scans),
            timeline=tuple(self._timeline),
            events=tuple(self._events),
            moves=tuple(self._moves),
            refunds=tuple(self._refunds),
            tickets=tuple(t.opened),
            resolutions=tuple(t.resolved),
            audit=(*self._audit, *t.audit),
        )
        self._changed_units, self._new_parcels, self._scans, self._timeline = {}, [], [], []
        self._moves, self._refunds, self._audit, self._events = [], [], [], []
        t.opened, t.resolved, t.audit = [], [], []
        return message

    # --- showing it to operators -------------------------------------------------------------------------------------

    def show(self) -> None:
        lines = [f"**{self.status.value}** · waits for {self.waiting_for}"]
        lines += [
            f"- ticket {t.record.ticket_id}: {t.record.system} {t.record.step}: {t.record.error}"
            for t in self.tickets.open_ones.values()
        ]
        workflow.set_current_details("\n".join(lines))
        wanted: list[SearchAttributeUpdate[Any]] = [
            STATUS.value_set(self.status.value),
            CHANNEL.value_set(self.taken.application.channel if self.taken else "unknown"),
            NEEDS_ATTENTION.value_set(self.tickets.attention),
        ]
        current = workflow.info().typed_search_attributes
        if changes := [pair for pair in wanted if current.get(pair.key) != pair.value]:
            workflow.upsert_search_attributes(changes)
