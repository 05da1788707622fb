"""The replacement of an exchange: reserved, pushed, checked on the way out, and only then labelled and shipped (R56).

It is a child order of type EXCHANGE with a number in the order's own row, linked to the case.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow

from activities.messages import WMS, Booking, Outbound, OutboundLine, Pushed
from activities.return_messages import OpenReplacement, ReplacementLine, ReplacementState
from activities.returns import ReturnActivities
from domain.facts import Fact, Kind
from domain.fulfilment.fact_times import TimedFact, timed
from domain.fulfilment.parcel_states import AppliedFact
from domain.records import StockMove
from domain.returns import ledger
from domain.returns.enums import CaseStatus
from domain.returns.exchange import ExchangeState, LabelResult, label_gate
from domain.returns.states import ReturnEvent, is_over
from domain.states import ChildStatus, Outcome
from workflows.durable.branches import Branches
from workflows.durable.carrying import ByType, Own, Table
from workflows.durable.guarded import GaveUp, Step, guarded
from workflows.durable.local_steps import until_in_store
from workflows.returns.former_replacements import LEFT_THOUGH_STOPPED, FormerReplacements
from workflows.returns.held_replacement import may_have_its_label, until_no_bank_holds_it
from workflows.returns.inspection import Inspection
from workflows.returns.lines_to_replace import found_of, lines_to_replace
from workflows.returns.messages import CheckOutbound, LabelAnswer
from workflows.returns.state import ReturnEnded, ReturnState
from workflows.shipping.carrier_label import CarrierLabel
from workflows.shipping.shipment import Shipment, rejected_once_more
from workflows.shipping.warehouse import Warehouse

STOCK = "stock"
NOT_SENT = "replacement not sent"
ONCE = "a replacement's news counts once, and by its time"
GOES_ON = frozenset({Kind.WMS_ACCEPTED, Kind.PICKING, Kind.PACKED})
"""After all."""


class Exchange:
    """What goes out instead. `shipment`: it has a number once its goods are reserved."""

    CARRIED = Table(
        shipment=Own(),
        former=Own(),
        _label=Own(),
        passed=bool,
        _lines=tuple[ReplacementLine, ...],
        _seq=int,
        _not_sent=str,
        _not_sent_at=datetime | None,
        _there=dict[str, int],
        _over=bool,
        _anew=bool,
        _begun=bool,
        _replacing=bool,
        _pushed=bool,
        _labelled=bool,
        _gone=bool,
        _receipt_ends=datetime | None,
        _told_a_person=ByType(list[str], sorted, set),
        left={"state": "wiring", "_warehouse": "wiring", "_branches": "wiring", "_inspection": "its own part"},
    )

    def __init__(self, state: ReturnState, branches: Branches, inspection: Inspection) -> None:
        self.state = state
        self.shipment = Shipment("", ChildStatus.RELEASED)
        self.former = FormerReplacements(state)
        self.passed = False
        self._warehouse = Warehouse(state)
        self._label = CarrierLabel(state.tickets, self._warehouse)
        self._branches = branches
        self._inspection = inspection
        self._lines: tuple[ReplacementLine, ...] = ()
        self._seq = 0
        self._not_sent = ""
        self._not_sent_at: datetime | None = None
        """Why the warehouse does not send it, and when it has rejected it."""
        self._there: dict[str, int] = {}
        """Units that the warehouse has found, of lines of which it has found fewer."""
        self._over = self._begun = self._anew = False
        """`_anew`: another piece goes out instead of one that the warehouse cancelled."""
        self._replacing = False
        """The piece that the warehouse cancelled is being cleared away."""
        self._pushed = self._labelled = False
        """`_labelled`: booked, or given up."""
        self._gone = False
        self._receipt_ends: datetime | None = None
        self._told_a_person: set[str] = set()
        """Replacements that have left though they were not to."""

    # --- doors -------------------------------------------------------------------------------------------------------

    def check(self, message: CheckOutbound) -> None:
        """The last control counts: one that failed takes back one that had passed."""
        self.passed = message.passed
        result = "passed" if message.passed else "failed"
        self.state.log(message.by, f"outbound check {result}", "WAREHOUSE", remark=message.remark)

    async def print_label(self, by: str) -> LabelAnswer:
        gate = label_gate(ExchangeState(inspected=self._inspection.inspected, outbound_qc_passed=self.passed))
        self.state.log(by, "label asked for", "WAREHOUSE", result=gate.value)
        if gate is not LabelResult.OK:
            return LabelAnswer.model_validate({"result": gate.value, "child_no": self.shipment.child_no or None})
        await self._branches.until(
            lambda: self.shipment.waybill_no is not None or self.state.tickets.attention or is_over(self.state.status)
        )
        found = "OK" if self.shipment.waybill_no else "LABEL_PENDING"
        return LabelAnswer.model_validate(
            {"result": found, "child_no": self.shipment.child_no, "waybill_no": self.shipment.waybill_no}
        )

    def apply(self, fact: Fact) -> None:
        state, child = self.state, self.shipment.child_no
        heard = timed(fact, state.since, workflow.now(), state.policy.clock_skew_s)
        if heard != TimedFact(fact) and workflow.patched("a fact's own time is not believed"):
            if heard.odd:
                state.tickets.note(fact.source, "time does not fit", heard.odd, child)
            if heard.stale:
                status = self.shipment.status.value
                state.record(fact, Outcome.STALE, status, status, child, heard.stale)
                return
            fact = heard.fact
        applied = self.shipment.apply(fact)
        news = applied.outcome is not Outcome.DUPLICATE or rejected_once_more(fact, self._not_sent_at)
        if news or not workflow.patched(ONCE):
            self._hear(fact)
        self.state.record(fact, applied.outcome, applied.before, applied.after, child, applied.note)
        if self._is_a_persons(fact, applied):
            return
        if applied.outcome is Outcome.MISMATCH or applied.after in (ChildStatus.EXCEPTION, ChildStatus.REFUSED):
            self.state.tickets.note(fact.source, "replacement in trouble", applied.note or fact.kind.value, child)

    def _is_a_persons(self, fact: Fact, applied: AppliedFact) -> bool:
        """A replacement that comes back, or leaves though it was not to: the case does not end before it is settled."""
        child, before = self.shipment.child_no, self._told_a_person
        refused = applied.after == ChildStatus.REFUSED
        left = applied.outcome is Outcome.MISMATCH and self.shipment.cancelled
        if not (refused or left) or not workflow.patched("a replacement that comes back is asked about"):
            return False
        if refused and applied.after != applied.before:
            self._ask(fact, "delivery refused", fact.note or "the replacement was refused or sent back", child)
        elif left and child not in before:
            before.add(child)
            self._ask(
                fact, LEFT_THOUGH_STOPPED, f"{applied.note}; return {self.state.return_no} has not sent it", child
            )
        return True

    def _ask(self, fact: Fact, step: str, text: str, child_no: str) -> None:
        means = "a person has sent it again, or had it sent back, or has settled it with the buyer"
        self.state.tickets.open(fact.source, step, text[:500], child_no, means, actions=("give_up",), severity="urgent")

    def _hear(self, fact: Fact) -> None:
        """What the warehouse says of a replacement that it will not send, or not all of."""
        if self.shipment.shipped or self._over:
            return
        if fact.kind is Kind.WMS_REJECTED:
            self._not_sent_at = fact.occurred_at
            self._not_sent = fact.note or "the warehouse rejected it and gave no reason"
        elif self.shipment.cancelled and not self._not_sent:
            self._not_sent = fact.note or "the warehouse cancelled it"
        elif fact.kind in GOES_ON and (
            (at := self._not_sent_at) is None or fact.occurred_at > at or not workflow.patched(ONCE)
        ):
            self._not_sent = ""
        if (actual := found_of(fact, self._lines)) is not None:
            for line_id, there in actual.items():
                self._there[line_id] = min(there, self._there.get(line_id, there))
            if not any(self._there.get(line.line_id, line.qty) for line in self._lines):
                self._not_sent = fact.note or "the warehouse found nothing of it"

    @property
    def begun(self) -> bool:
        return self._begun

    def is_meant(self, fact: Fact) -> bool:
        known = self.shipment
        if not known.child_no:
            return False
        return fact.child_no == known.child_no or known.goes_under(fact.waybill_no)

    # --- the branch --------------------------------------------------------------------------------------------------

    async def send(self) -> None:
        state = self.state
        if self._label.is_unused and not self._over:  # by a run before
            self._branches.take_on(self._void_label())
        if state.status is CaseStatus.EXCHANGED:
            return
        await self._prepare()
        while not self._gone:
            await self._until("the outbound check", lambda: self.passed or self.shipment.shipped)
            self._anew = False
            if not await self._book_label():
                if self._not_sent:
                    await self._ask_what_now()
                continue
            await self._until("the replacement to be shipped", lambda: self.shipment.shipped or self._anew)
            if not self._anew:
                await self._ship()
                self._gone = True
        if self._receipt_ends is None:
            state.now_waits_for("the replacement to be signed for")
            self._receipt_ends = workflow.now() + timedelta(seconds=state.policy.receipt_s)
        await self._branches.until(
            lambda: self.shipment.status is ChildStatus.SIGNED, by=self._receipt_ends - workflow.now(),
            name="receipt of the replacement",
        )  # fmt: skip
        await self._write()
        state.happens(ReturnEvent.REPLACEMENT_SIGNED)

    async def _prepare(self) -> None:
        """Up to where the warehouse has it: what of that a run before has left to do."""
        if not self._begun:
            if not self._inspection.accepted:
                raise ReturnEnded(ReturnEvent.REJECTED, "NOTHING_ACCEPTED")
            self.state.happens(ReturnEvent.REPLACE)
            self._begun = True
        if self._over:
            await self._end_unsent()
        if self._replacing:
            await self._clear_away()
        if not self.shipment.child_no:
            await until_no_bank_holds_it(self.state, self._branches.until)
            await self._reserve()
        if not self._pushed:
            await self._push()

    async def _until(self, what: str, reached: Callable[[], bool]) -> None:
        """Until then. What the warehouse does not send is a person's question: sent again, or given up."""
        while True:
            self.state.now_waits_for(what)
            await self._branches.until(lambda: reached() or bool(self._not_sent))
            if reached():
                return
            if not workflow.patched("replacements are listened to"):
                await self._branches.until(reached)
                return
            await self._ask_what_now()

    async def _ask_what_now(self) -> None:
        why, shipment = self._not_sent, self.shipment
        named = ", ".join(f"{line.qty} of {line.sku} (line {line.line_id})" for line in self._lines)
        resolution = await self.state.tickets.ask(
            WMS, NOT_SENT, f"{shipment.child_no}: {why}; it holds {named}"[:500], shipment.child_no,
            "the exchange ends without a replacement; the goods that came back are then a person's question",
            settled=lambda: shipment.shipped or not self._not_sent, actions=("retry", "give_up"), severity="urgent",
            wait=self._branches.until,
        )  # fmt: skip
        if resolution is None or resolution.action == "evidence":
            return
        self._not_sent = ""
        if resolution.action == "give_up":
            await self._end_without()
        self._pushed = False
        if shipment.cancelled:  # another piece, under another number: it is checked and labelled by itself
            self._replacing = True
            await self._write()
            await self._clear_away()
            await self._reserve()
        self._there.clear()
        await self._push()

    async def _clear_away(self) -> None:
        self._label.nobody_uses_it()
        await self._void_label()
        self.former.add(self.shipment)
        if workflow.patched("another piece begins anew"):  # what was said of the one before says nothing about it
            self._not_sent, self._not_sent_at = "", None
            self._there.clear()
            self.former.known(self._told_a_person)
        self.shipment, self.passed, self._anew = Shipment("", ChildStatus.RELEASED), False, True
        self._replacing = self._labelled = False

    async def _end_without(self) -> None:
        """Its goods are free again. Raises `ReturnEnded`."""
        self._over, number = True, self.state.return_no
        self.shipment.machine.cancel()
        await self._write(*(ledger.release(number, x.line_id, x.sku, x.warehouse, x.qty) for x in self._lines))
        await self._end_unsent()

    async def _end_unsent(self) -> None:
        """Raises `ReturnEnded`."""
        self._label.nobody_uses_it()
        await self._void_label()
        raise ReturnEnded(ReturnEvent.REJECTED, "REPLACEMENT_NOT_SENT")

    async def _void_label(self) -> None:
        """Booked, or maybe booked, for what does not go under it."""
        if self.shipment.label is not None or self._label.is_unused:
            await self._label.void("void label of replacement", self.shipment.child_no, self._lines[0].warehouse)

    async def _reserve(self) -> None:
        state = self.state
        self._lines = lines_to_replace(self._inspection)
        while True:
            state.now_waits_for("stock for the replacement")
            plan = await until_in_store(
                ReturnActivities.open_replacement,
                OpenReplacement(
                    return_no=state.return_no, order_no=state.order_no, lines=self._lines, at=workflow.now()
                ),
                summary="reserve the replacement",
            )
            if not plan.missing:
                self.shipment.child_no = plan.child_no
                state.log("system", "replacement reserved", child_no=plan.child_no)
                return
            resolution = await state.tickets.ask(
                STOCK, "replacement out of stock", f"no {', '.join(plan.missing)} to send for return {state.return_no}",
                give_up_means="the exchange ends; the goods are here, so a person settles it with the buyer",
                actions=("retry", "give_up"), severity="urgent", wait=self._branches.until,
            )  # fmt: skip
            if resolution is not None and resolution.action == "give_up":
                raise ReturnEnded(ReturnEvent.REJECTED, "REPLACEMENT_OUT_OF_STOCK")

    async def _push(self) -> None:
        state = self.state
        assert state.taken is not None
        item = Outbound(
            child_no=self.shipment.child_no, order_no=state.order_no, warehouse=self._lines[0].warehouse,
            placed_at=workflow.now(), address=state.taken.address,
            lines=tuple(
                OutboundLine(line_id=line.line_id, sku=line.sku, name=line.name or line.sku, qty=line.qty)
                for line in self._lines
            ),
        )  # fmt: skip
        means = "the warehouse sends the replacement by hand"
        step = Step(WMS, "push replacement", Pushed, means, item.child_no, settled=lambda: self.shipment.shipped)
        with suppress(GaveUp):
            await guarded(state.tickets, step, lambda: self._warehouse.push(item))
        self._pushed = True

    async def _book_label(self) -> bool:
        """False: while a bank held it its check was taken back, or the warehouse has said that it does not send it."""
        state, shipment = self.state, self.shipment
        if self._labelled or shipment.shipped or shipment.waybill_no is not None:
            return True
        assert state.taken is not None
        if not await may_have_its_label(state, shipment, self._branches.until, lambda: bool(self._not_sent)):
            await self._end_without()
        stays = not shipment.shipped and (not self.passed or bool(self._not_sent))
        if stays and workflow.patched("a replacement is looked at again after the bank"):
            return False
        item = Booking(
            child_no=shipment.child_no, address=state.taken.address,
            weight_g=sum(line.weight_g * line.qty for line in self._lines), pieces=sum(x.qty for x in self._lines),
        )  # fmt: skip
        label = await self._label.book("label of replacement", item, settled=lambda: shipment.waybill_no is not None)
        self._labelled = True
        if label is not None and shipment.waybill_no is None:
            shipment.labelled(label)
            state.log("system", "label printed", child_no=shipment.child_no, waybill_no=label.waybill_no)
        elif label is not None and label.waybill_no != shipment.waybill_no:
            self._label.goes_under_another()
        await self._write()
        if self._label.is_unused:
            self._branches.take_on(self._void_label())
        return True

    async def _ship(self) -> None:
        number = self.state.return_no
        gone = {x.line_id: min(x.qty, self._there.get(x.line_id, x.qty)) for x in self._lines}
        missing = [(x, x.qty - gone[x.line_id]) for x in self._lines if x.qty > gone[x.line_id]]
        await self._write(
            *(ledger.ship(number, x.line_id, x.sku, x.warehouse, qty) for x in self._lines if (qty := gone[x.line_id])),
            *(ledger.write_off(number, x.line_id, x.sku, x.warehouse, qty) for x, qty in missing),
        )
        if missing:
            named = ", ".join(f"{qty} of {x.sku} (line {x.line_id})" for x, qty in missing)
            self.state.tickets.open(
                WMS, "replacement short", f"{self.shipment.child_no} left without {named}", self.shipment.child_no,
                "a person has sent the missing units, or has settled them with the buyer", actions=("give_up",),
                severity="urgent",
            )  # fmt: skip
        self.state.happens(
            ReturnEvent.REPLACEMENT_SHIPPED, child_no=self.shipment.child_no, waybill_no=self.shipment.waybill_no or ""
        )

    async def _write(self, *moves: StockMove) -> None:
        self._seq += 1
        label = (known := self.shipment).label
        message = ReplacementState(
            return_no=self.state.return_no, child_no=known.child_no, status=known.status,
            waybill_no=known.waybill_no, carrier=known.carrier, tms_ref=label.tms_ref if label else None,
            label_format=label.label_format if label else None, label_b64=label.label_b64 if label else None,
            shipped_at=known.shipped_at, signed_at=known.signed_at, seq=self._seq, at=workflow.now(), moves=moves,
        )  # fmt: skip
        await until_in_store(ReturnActivities.write_replacement, message, summary=f"replacement {self._seq}")
