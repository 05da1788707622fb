"""The state of one order: what is known, and what of it is not written yet."""

from collections.abc import Callable, Iterable
from contextvars import Context
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from typing import Any, cast

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.return_messages import Slot, SlotFor
from activities.returns import ReturnActivities
from activities.store import StoreActivities
from domain.facts import Fact
from domain.order import Address, PayChannel, StartOrder
from domain.policy import Policy
from domain.records import (
    AuditEntry,
    ChildState,
    EventRecord,
    OrderWrite,
    Payment,
    Priced,
    PricedLine,
    RefundRecord,
)
from domain.refunds.mismatched import mismatched
from domain.refunds.outside import BankWord, OutsideMoney, outside_money
from domain.states import OrderStatus, Outcome, PaymentStatus
from domain.strict import of
from workflows.durable.carrying import KEYS, ByType, LatestKeys, Own, Table, Through
from workflows.durable.details import Axis
from workflows.durable.journal import Journal
from workflows.durable.local_steps import STORE_ERRORS, in_store, until_in_store
from workflows.order.holds.book import HoldBook

NOT_THE_ORDERS = "PaymentNotTheOrders"
"""Type of the store's refusal."""
NOT_OURS = "a payment that the books refuse is money from outside"


class OrderState(Journal[OrderWrite]):
    """State exists before handlers run, so a signal that comes with the start finds its place."""

    CARRIED = Table(
        order=Through("_pack_address", "_unpack_address"),
        policy=Policy,
        priced=Priced | None,
        status=OrderStatus,
        payment_status=PaymentStatus,
        payment=Payment | None,
        payment_code=str | None,
        paid_minor=int,
        refunded_minor=int,
        applied=KEYS,
        holds=Own(),
        _outside=ByType(list[str], sorted, set),
        _further=dict[str, Payment],
        left={
            "_by_line": "looked up anew",
            "_written": "the first write of a run names every child",
            "cause": "a trace ends with its run",
            "child_states": "wiring",
            "_payment_to_write": "written",
            "_not_ours": "written",
            "on_money_not_ours": "wiring",
            "_labels": "written",
        },
    ).under(Journal.CARRIED)

    def __init__(self, order: StartOrder) -> None:
        super().__init__(order.order_no)
        self.order = order
        self.policy = Policy()
        self.priced: Priced | None = None
        self._by_line: tuple[Priced | None, dict[str, tuple[int, PricedLine]]] = (None, {})
        self.status: OrderStatus = OrderStatus.PENDING_PAYMENT
        self.payment_status = PaymentStatus.NONE
        self.payment: Payment | None = None
        self.payment_code: str | None = None
        self.paid_minor = 0
        self.refunded_minor = 0
        self.applied = LatestKeys()
        self.holds = HoldBook(order.order_no)
        self._outside: set[str] = set()
        """Keys of facts about money that moved without us."""
        self._further: dict[str, Payment] = {}
        """Payments beside the order's own that are given back, by refund number."""
        self.cause: Context | None = None
        """Where the last message from outside was heard: what follows from it belongs to its trace."""
        self.child_states: Callable[[bool], tuple[ChildState, ...]] = lambda to_write: ()
        self._payment_to_write: Payment | None = None
        self._not_ours: dict[str, tuple[Payment, str]] = {}
        """By key: payments that the books have refused, and why."""
        self.on_money_not_ours: Callable[[Payment], None] = lambda payment: None
        self._written: dict[str, ChildState] = {}
        """Each child as the latest write that named it has told it: the next one names those that differ."""
        self._labels: dict[str, str] = {}
        """Bytes of labels by child, left over from a write that was refused."""

    @property
    def order_no(self) -> str:
        return self.order.order_no

    def paid_by(self, refund_no: str) -> tuple[PayChannel, int]:
        """An order is paid once: all its refunds are of that payment, but those that give another one back."""
        payment = self._further.get(refund_no, self.payment)
        if payment is None:
            return self.order.payment.channel, self.paid_minor
        return cast(PayChannel, payment.channel), payment.amount_minor

    def transaction_of(self, refund_no: str) -> str | None:
        further = self._further.get(refund_no)
        return None if further is None else further.transaction_id

    @cached_property
    def names(self) -> dict[str, str]:
        """By line_id, where a line has one."""
        return {line.line_id: line.name for line in self.order.lines if line.name}

    def priced_lines(self, line_ids: Iterable[str]) -> tuple[PricedLine, ...]:
        """In the order's order. Looked up and not looked for: a large order has thousands of lines and parcels."""
        assert self.priced is not None
        if self._by_line[0] is not self.priced:
            self._by_line = (self.priced, {line.line_id: (n, line) for n, line in enumerate(self.priced.lines)})
        places = self._by_line[1]
        return tuple(line for _, line in sorted((places[x] for x in line_ids if x in places), key=itemgetter(0)))

    @property
    def currency(self) -> str:
        return self.order.currency

    @property
    def since(self) -> datetime:
        """No parcel of it was on the road before."""
        return self.payment.paid_at if self.payment else self.order.placed_at

    # --- what has happened -------------------------------------------------------------------------------------------

    def becomes(self, status: OrderStatus) -> None:
        if status != self.status:
            self.status = status
            self.mark_changed()

    def record(
        self,
        fact: Fact,
        outcome: Outcome,
        before: str,
        after: str,
        child_no: str | None,
        note: str = "",
        outside: OutsideMoney | None = None,
        bank: BankWord | None = None,
    ) -> None:
        """What became of a fact. Duplicates leave their row too, so that every inbox row is accounted for (Q2)."""
        if outcome is Outcome.APPLIED:
            self.applied.add(fact.key)
        self._events.append(
            EventRecord(
                key=fact.key,
                kind=fact.kind,
                source=fact.source,
                occurred_at=fact.occurred_at,
                outcome=outcome,
                child_no=child_no,
                from_status=before,
                to_status=after,
                note=note,
                inbox_id=fact.inbox_id,
                outside=outside,
                bank=bank,
            )
        )
        self.mark_changed()

    def outside(self, fact: Fact, why: str, bank: BankWord | None = None) -> None:
        """Money moved without us: nothing moves here, the books keep it with a ticket. Told again, nothing is new.
        `bank`: it says how a chargeback ended, which the books know."""
        status = self.status.value
        if fact.key in self._outside:
            self.record(fact, Outcome.DUPLICATE, status, status, None)
            return
        self._outside.add(fact.key)
        self.record(fact, Outcome.MISMATCH, status, status, None, why, outside_money(fact, why), bank)

    def further(self, payment: Payment, refund_no: str) -> None:
        """Another payment is in the books, to be given back under this number."""
        self._further[refund_no] = payment
        self.paid_minor += payment.amount_minor
        self.mark_changed()

    def paid(self, payment: Payment) -> None:
        self.payment = self._payment_to_write = payment
        self.paid_minor += payment.amount_minor
        self.mark_changed()

    def _put_right(self, error: Exception) -> bool:
        return self.refused_as_not_ours(error)

    def refused_as_not_ours(self, error: Exception) -> bool:
        """True: the store has refused to book the order's payment because it pays something else. Then the order is
        unpaid, and what was told is money from outside."""
        if not isinstance(error, ApplicationError) or error.type != NOT_THE_ORDERS or not workflow.patched(NOT_OURS):
            return False
        key, payment = str(error.details[0]), self.payment
        if payment is not None and payment.key == key:
            self.payment = None
            self.paid_minor -= payment.amount_minor
            self.applied.pop(key, None)
            self._outside.add(key)
            self._not_ours[key] = (payment, error.message)
            self.on_money_not_ours(payment)
        self._tell_what_is_not_ours()
        self.mark_changed()
        return True

    def _tell_what_is_not_ours(self) -> None:
        """Also in what comes back from a step that was under way when another was refused."""
        if self._payment_to_write is not None and self._payment_to_write.key in self._not_ours:
            self._payment_to_write = None
        self._events = [
            mismatched(event, *self._not_ours[event.key])
            if event.outcome is Outcome.APPLIED and event.key in self._not_ours
            else event
            for event in self._events
        ]

    def refund(self, refund: RefundRecord) -> None:
        self._refunds.append(refund)
        self.mark_changed()

    def audit(self, actor: str, action: str, **detail: str | int) -> None:
        self._audit.append(AuditEntry(actor=actor, action=action, detail=dict(detail)))
        self.mark_changed()

    # --- writing it down ---------------------------------------------------------------------------------------------

    async def reserve(self, refund: RefundRecord) -> str:
        """Reserves a refund against what was paid, in a write of its own. Returns why the books refuse it, or ''."""
        await self.flushed()
        with self.writes_deferred():
            self.refund(refund)
            try:
                await self.commit_with(self._write)
            except STORE_ERRORS as error:
                self.drop(refund)
                return str(error)
        return ""

    async def why_not(self, refund: RefundRecord) -> str:
        """Reserving again what is reserved changes nothing, and is refused when it may not be sent any more."""
        return await self.reserve(refund)

    async def slot(self, refund: RefundRecord) -> Slot:
        payment = self._further.get(refund.refund_no, self.payment)
        assert payment is not None, f"{refund.refund_no} gives back money that never came"
        message = SlotFor(
            order_no=self.order_no, refund_no=refund.refund_no, payment_key=payment.key,
            spacing_s=self.policy.refund_spacing_s, now=workflow.now(),
        )  # fmt: skip
        return await until_in_store(ReturnActivities.refund_slot, message, summary=f"slot of {refund.refund_no}")

    def _put_back(self, message: OrderWrite) -> None:
        """A label's bytes travel once, in the write that was refused: the next one has to carry them."""
        super()._put_back(message)
        self._labels |= {c.child_no: c.label_b64 for c in message.children if c.label_b64}
        for child in message.children:
            self._written.pop(child.child_no, None)
        self._payment_to_write = self._payment_to_write or message.payment
        self.holds.put_back(message.holds)
        self._tell_what_is_not_ours()

    @property
    def _numbers(self) -> tuple[str, str | None]:
        return self.order_no, None

    async def _write(self, message: OrderWrite) -> None:
        await in_store(StoreActivities.write, message, summary=f"write {message.seq}")

    def _take(self, ended: bool) -> OrderWrite:
        message = OrderWrite(
            order_no=self.order.order_no,
            status=self.status,
            payment_status=self.payment_status,
            payment_code=self.payment_code,
            children=self._children_to_write(ended),
            payment=self._payment_to_write,
            holds=self.holds.take_changed(),
            **self._take_pending(ended),
        )
        self._payment_to_write = None
        return message

    def _children_to_write(self, ended: bool) -> tuple[ChildState, ...]:
        """Those that have changed: of a thousand parcels one moves at a time. The last write names all of them."""
        left, self._labels = self._labels, {}
        told = []
        for row in self.child_states(True):
            label = row.label_b64 or left.get(row.child_no)
            plain = row.model_copy(update={"label_b64": None})
            if label is not None or ended or self._written.get(row.child_no) != plain:
                told.append(plain.model_copy(update={"label_b64": label}))
                self._written[row.child_no] = plain
        return tuple(told)

    # --- from one run to the next ------------------------------------------------------------------------------------

    def _pack_address(self) -> Any:
        """The rest of the start message goes along by itself."""
        return self.order.address.model_dump(mode="json")

    def _unpack_address(self, data: Any) -> None:
        self.order = self.order.model_copy(update={"address": of(Address, data)})

    # --- showing it to operators -------------------------------------------------------------------------------------

    @property
    def _kind(self) -> str:
        return "order"

    @property
    def _channel(self) -> str:
        return self.order.channel

    def _axes(self) -> list[Axis]:
        parcels = [
            Axis(c.child_no, c.status.value, f"waybill {c.waybill_no}" if c.waybill_no else "")
            for c in self.child_states(False)
        ]
        return [*super()._axes(), Axis("payment", self.payment_status.value), *parcels]
