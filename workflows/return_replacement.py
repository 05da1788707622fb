"""The replacement of an exchange: reserved, pushed, checked on the way out, and only then labelled and shipped (R56).

It is a child order of type EXCHANGE with a number in the order's own row, linked to the case.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow

from activities.calls import (
    BookBatch,
    Booked,
    Booking,
    Outbound,
    OutboundLine,
    PushBatch,
    Pushed,
)
from activities.carrier import CarrierActivities
from activities.return_calls import OpenReplacement, ReplacementLine, ReplacementPlan, ReplacementState
from activities.returns import ReturnActivities
from activities.wms import WmsActivities
from domain.child_axis import ChildAxis
from domain.facts import Fact, Kind
from domain.records import StockMove
from domain.returns import ledger
from domain.returns.axis import Event
from domain.returns.exchange import ExchangeState, LabelResult, label_gate
from domain.states import ChildStatus, Outcome
from workflows.book import STORE_RETRY, STORE_TIMEOUT
from workflows.branches import Branches
from workflows.case_book import CaseBook
from workflows.case_over import CaseOver
from workflows.guarded import ATTEMPT_TIMEOUT, GaveUp, Step, guarded, retries
from workflows.return_desk import Desk
from workflows.return_messages import CheckOutbound, LabelAnswer
from workflows.together import unwrap
from workflows.warehouse import WMS

STOCK = "stock"
Done = TypeVar("Done")


class Replacement:
    """What goes out instead. `child_no` is known once its goods are reserved."""

    def __init__(self, book: CaseBook, branches: Branches, desk: Desk) -> None:
        self.book = book
        self.child_no = ""
        self.axis = ChildAxis(ChildStatus.RELEASED)
        self.label: Booked | None = None
        self.waybill_no: str | None = None
        self.carrier: str | None = None
        self.shipped_at: datetime | None = None
        self.signed_at: datetime | None = None
        self.passed = False
        self._branches = branches
        self._desk = desk
        self._lines: tuple[ReplacementLine, ...] = ()
        self._seq = 0

    # --- doors -------------------------------------------------------------------------------------------------------

    def check(self, message: CheckOutbound) -> None:
        """The last control counts: one that failed takes back one that had passed."""
        self.passed = message.passed
        result = "passed" if message.passed else "failed"
        self.book.tell(message.by, f"outbound check {result}", "WAREHOUSE", remark=message.remark)

    async def print_label(self, by: str) -> LabelAnswer:
        gate = label_gate(ExchangeState(inspected=self._desk.inspected, outbound_qc_passed=self.passed))
        self.book.tell(by, "label asked for", "WAREHOUSE", result=gate.value)
        if gate is not LabelResult.OK:
            return LabelAnswer.model_validate({"result": gate.value, "child_no": self.child_no or None})
        await self._branches.until(lambda: self.waybill_no is not None or self.book.tickets.attention)
        found = "OK" if self.waybill_no else "LABEL_PENDING"
        return LabelAnswer.model_validate({"result": found, "child_no": self.child_no, "waybill_no": self.waybill_no})

    def hear(self, fact: Fact) -> None:
        applied = self.axis.apply(fact)
        if fact.waybill_no and (self.waybill_no is None or fact.kind is Kind.WAYBILL_RETURNED):
            self.waybill_no, self.carrier = fact.waybill_no, fact.carrier or self.carrier
        if fact.kind in (Kind.WAYBILL_RETURNED, Kind.COLLECTED):
            self.shipped_at = min(fact.occurred_at, self.shipped_at or fact.occurred_at)
        if fact.kind is Kind.SIGNED:
            self.signed_at = min(fact.occurred_at, self.signed_at or fact.occurred_at)
        self.book.record(fact, applied.outcome, applied.before, applied.after, self.child_no, applied.note)
        if applied.outcome is Outcome.MISMATCH or applied.after in (ChildStatus.EXCEPTION, ChildStatus.REFUSED):
            self.book.tickets.note(
                fact.source, "replacement in trouble", applied.note or fact.kind.value, self.child_no
            )

    def is_meant(self, fact: Fact) -> bool:
        if not self.child_no:
            return False
        return fact.child_no == self.child_no or (fact.waybill_no is not None and fact.waybill_no == self.waybill_no)

    # --- the branch --------------------------------------------------------------------------------------------------

    async def send(self) -> None:
        book = self.book
        if not self._desk.accepted:
            raise CaseOver(Event.REJECTED, "NOTHING_ACCEPTED")
        book.happens(Event.REPLACE)
        await self._reserve()
        await self._push()
        book.now_waits_for("the outbound check")
        await self._branches.until(lambda: self.passed or self.axis.shipped)
        await self._book_label()
        book.now_waits_for("the replacement to be shipped")
        await self._branches.until(lambda: self.axis.shipped)
        await self._ship()
        book.now_waits_for("the replacement to be signed for")
        receipt = timedelta(seconds=book.policy.receipt_s)
        await self._branches.until(
            lambda: self.axis.status is ChildStatus.SIGNED, by=receipt, name="receipt of the replacement"
        )
        await self._write()
        book.happens(Event.REPLACEMENT_SIGNED)

    async def _reserve(self) -> None:
        book = self.book
        counts: dict[str, int] = {}
        for run in self._desk.accepted_units():
            counts[run.line_id] = counts.get(run.line_id, 0) + run.units
        self._lines = tuple(
            ReplacementLine(
                line_id=line.line_id, sku=line.replacement_sku, name=line.name, warehouse=line.warehouse,
                weight_g=line.weight_g, qty=counts[line.line_id],
            )
            for line in self._desk.lines if line.line_id in counts
        )  # fmt: skip
        while True:
            book.now_waits_for("stock for the replacement")
            plan: ReplacementPlan = await workflow.execute_local_activity_method(
                ReturnActivities.open_replacement,
                OpenReplacement(return_no=book.return_no, order_no=book.order_no, lines=self._lines, at=workflow.now()),
                start_to_close_timeout=STORE_TIMEOUT,
                retry_policy=STORE_RETRY,
                summary="reserve the replacement",
            )
            if not plan.missing:
                self.child_no = plan.child_no
                book.tell("system", "replacement reserved", child_no=plan.child_no)
                return
            ticket = book.tickets.open(
                STOCK, "replacement out of stock", f"no {', '.join(plan.missing)} to send for return {book.return_no}",
                give_up_means="the exchange ends; the goods are here, so a person settles it with the buyer",
                actions=("retry", "give_up"), severity="urgent",
            )  # fmt: skip
            await self._branches.until(lambda ticket=ticket: ticket.resolution is not None)  # type: ignore[misc]
            if ticket.resolution is not None and ticket.resolution.action == "give_up":
                raise CaseOver(Event.REJECTED, "REPLACEMENT_OUT_OF_STOCK")

    async def _push(self) -> None:
        book = self.book
        assert book.taken is not None
        item = Outbound(
            child_no=self.child_no, order_no=book.order_no, warehouse=self._lines[0].warehouse,
            placed_at=workflow.now(), address=book.taken.address,
            lines=tuple(
                OutboundLine(line_id=line.line_id, sku=line.sku, name=line.name or line.sku, qty=line.qty)
                for line in self._lines
            ),
        )  # fmt: skip
        call = PushBatch(backoff_s=book.policy.retry_backoff_s, items=(item,))
        means = "the warehouse sends the replacement by hand"
        step = Step(WMS, "push replacement", Pushed, means, self.child_no, settled=lambda: self.axis.shipped)

        async def push() -> Pushed:
            outcomes = await workflow.execute_activity_method(
                WmsActivities.push,
                call,
                start_to_close_timeout=ATTEMPT_TIMEOUT,
                retry_policy=retries(call.backoff_s),
                summary=f"push {self.child_no}",
            )
            return unwrap(outcomes.items[0].done, outcomes.items[0].failed)

        await _unless_given_up(lambda: guarded(book.tickets, step, push))

    async def _book_label(self) -> None:
        book = self.book
        if self.axis.shipped or self.waybill_no is not None:
            return
        assert book.taken is not None
        item = Booking(
            child_no=self.child_no, address=book.taken.address,
            weight_g=sum(line.weight_g * line.qty for line in self._lines), pieces=sum(x.qty for x in self._lines),
        )  # fmt: skip
        system = book.policy.carrier_system
        call = BookBatch(backoff_s=book.policy.retry_backoff_s, carrier_system=system, items=(item,))
        step = Step(
            system, "label of replacement", Booked, "the warehouse ships under a number of its own", self.child_no,
            settled=lambda: self.waybill_no is not None,
        )  # fmt: skip

        async def label() -> Booked:
            outcomes = await workflow.execute_activity_method(
                CarrierActivities.book,
                call,
                start_to_close_timeout=ATTEMPT_TIMEOUT,
                retry_policy=retries(call.backoff_s),
                summary=f"label {self.child_no}",
            )
            return unwrap(outcomes.items[0].done, outcomes.items[0].failed)

        booked = await _unless_given_up(lambda: guarded(book.tickets, step, label))
        if booked is not None and self.waybill_no is None:
            self.label, self.waybill_no, self.carrier = booked, booked.waybill_no, booked.carrier
            book.tell("system", "label printed", child_no=self.child_no, waybill_no=booked.waybill_no)
        await self._write()

    async def _ship(self) -> None:
        moves = tuple(ledger.ship(self.book.return_no, x.line_id, x.sku, x.warehouse, x.qty) for x in self._lines)
        await self._write(*moves)
        self.book.happens(Event.REPLACEMENT_SHIPPED, child_no=self.child_no, waybill_no=self.waybill_no or "")

    async def _write(self, *moves: StockMove) -> None:
        self._seq += 1
        label = self.label
        await workflow.execute_local_activity_method(
            ReturnActivities.write_replacement,
            ReplacementState(
                return_no=self.book.return_no, child_no=self.child_no, status=self.axis.status,
                waybill_no=self.waybill_no, carrier=self.carrier, tms_ref=label.tms_ref if label else None,
                label_format=label.label_format if label else None, label_b64=label.label_b64 if label else None,
                shipped_at=self.shipped_at, signed_at=self.signed_at, seq=self._seq, at=workflow.now(), moves=moves,
            ),
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STORE_RETRY,
            summary=f"replacement {self._seq}",
        )  # fmt: skip


async def _unless_given_up(step: Callable[[], Awaitable[Done | None]]) -> Done | None:
    try:
        return await step()
    except GaveUp:
        return None
