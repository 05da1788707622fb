"""The book of one order: what is known, what has changed since the last write, and the one projector that writes it.

Changes made in the same activation travel in one write, which rides in the workflow task as a local activity: one
history event (docs/performance.md, Durable steps).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError

from activities.store import StoreActivities
from domain.facts import Fact
from domain.order import PayChannel, StartOrder
from domain.policy import Policy
from domain.records import (
    AuditEntry,
    ChildState,
    EventRecord,
    OrderWrite,
    Payment,
    Priced,
    RefundRecord,
    StockMove,
)
from domain.states import OrderStatus, Outcome, PaymentStatus
from workflows.tickets import Tickets

STATUS = SearchAttributeKey.for_keyword("OmsStatus")
CHANNEL = SearchAttributeKey.for_keyword("OmsChannel")
NEEDS_ATTENTION = SearchAttributeKey.for_bool("OmsNeedsAttention")

STORE_TIMEOUT = timedelta(seconds=10)
STORE_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
"""The database may be away: our own steps wait for it without end."""
STORE_ERRORS = (ApplicationError, ActivityError)
"""What a local activity raises: its own refusal as it is, not wrapped as an activity's would be; a time-out wrapped."""

Answer = TypeVar("Answer")


class Book:
    """State exists before handlers run, so a signal that comes with the start finds its place."""

    def __init__(self, order: StartOrder) -> None:
        self.order = order
        self.policy = Policy()
        self.priced: Priced | None = None
        self.status = OrderStatus.PENDING_PAYMENT
        self.payment_status = PaymentStatus.NONE
        self.payment: Payment | None = None
        self.payment_code: str | None = None
        self.paid_minor = 0
        self.refunded_minor = 0
        self.waiting_for = "registration"
        self.tickets = Tickets(order.order_no, self.touch)
        self.applied: set[str] = set()
        self.cause: Context | None = None
        """Where the last message from outside was heard: what follows from it belongs to its trace."""
        self.child_states: Callable[[bool], tuple[ChildState, ...]] = lambda to_write: ()
        self._events: list[EventRecord] = []
        self._moves: list[StockMove] = []
        self._refunds: list[RefundRecord] = []
        self._audit: list[AuditEntry] = []
        self._payment_to_write: Payment | None = None
        self._seq = 0
        self.ended = False
        """The latest write says that nothing follows."""
        self._changed = 0
        self._taken = 0
        self._saved = 0
        self.held = False
        """The next step will carry the changes itself: the projector leaves them to it."""

    @property
    def order_no(self) -> str:
        return self.order.order_no

    @property
    def pay_channel(self) -> PayChannel:
        return self.order.payment.channel

    @property
    def currency(self) -> str:
        return self.order.currency

    # --- what has happened -------------------------------------------------------------------------------------------

    def now_waits_for(self, what: str) -> None:
        if what != self.waiting_for:
            self.waiting_for = what
            self.touch()

    def becomes(self, status: OrderStatus) -> None:
        if status != self.status:
            self.status = status
            self.touch()

    def record(
        self, fact: Fact, outcome: Outcome, before: str, after: str, child_no: str | None, note: str = ""
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
            )
        )
        self.touch()

    def paid(self, payment: Payment) -> None:
        self.payment = self._payment_to_write = payment
        self.paid_minor += payment.amount_minor
        self.touch()

    def moves(self, *moves: StockMove) -> None:
        self._moves.extend(moves)
        self.touch()

    def refund(self, refund: RefundRecord) -> None:
        self._refunds.append(refund)
        self.touch()

    def audit(self, actor: str, action: str, **detail: str | int) -> None:
        self._audit.append(AuditEntry(actor=actor, action=action, detail=dict(detail)))
        self.touch()

    def touch(self) -> None:
        self._changed += 1

    # --- writing it down ---------------------------------------------------------------------------------------------

    @property
    def dirty(self) -> bool:
        return self._changed > self._taken

    @property
    def all_saved(self) -> bool:
        return self._saved >= self._changed

    async def project(self) -> None:
        """Runs for the life of the order: one write per activation in which something changed."""
        while True:
            await workflow.wait_condition(lambda: self.dirty and not self.held)
            await asyncio.sleep(0)  # others that the same event has woken go first: their changes ride along
            if not self.held:
                await self.write()

    async def saved(self) -> None:
        """Returns once everything changed so far is committed."""
        target = self._changed
        await workflow.wait_condition(lambda: self._saved >= target)

    async def write(self, *, ended: bool = False) -> None:
        """Raises `RuntimeError` when the store finds our own books contradictory: the order stops, loudly, and keeps
        its state until people have looked. Failing it would lose its money and parcels out of sight."""
        try:
            await self.carried_by(self._write, ended=ended)
        except STORE_ERRORS as error:
            raise RuntimeError(f"the books refuse a write of order {self.order.order_no}: {error}") from error

    async def reserve(self, refund: RefundRecord) -> str:
        """Reserves a refund against what was paid, in a write of its own. Returns why the books refuse it, or ''."""
        await self.saved()
        self.held = True
        self.refund(refund)
        try:
            await self.carried_by(self._write)
        except STORE_ERRORS as error:
            return str(error)
        finally:
            self.held = False
        return ""

    def _put_back(self, message: OrderWrite) -> None:
        """Changes of a write that the store refused; its refunds were what it refused."""
        self._events = [*message.events, *self._events]
        self._moves = [*message.moves, *self._moves]
        self._audit = [*message.audit, *self._audit]
        self._payment_to_write = self._payment_to_write or message.payment
        self.tickets.opened = [*message.tickets, *self.tickets.opened]
        self.tickets.resolved = [*message.resolutions, *self.tickets.resolved]
        self.touch()

    async def _write(self, message: OrderWrite) -> None:
        await workflow.execute_local_activity_method(
            StoreActivities.write,
            message,
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STORE_RETRY,
            summary=f"write {message.seq}",
        )

    async def carried_by(self, step: Callable[[OrderWrite], Awaitable[Answer]], *, ended: bool = False) -> Answer:
        """Everything changed so far rides in `step`, which commits it in its own transaction."""
        mark = self._taken = self._changed
        message = self._take_write(ended)
        self.show()
        try:
            answer = await step(message)
        except STORE_ERRORS:
            self._put_back(message)
            raise
        self._saved = max(self._saved, mark)
        return answer

    def _take_write(self, ended: bool) -> OrderWrite:
        """The changes as one message; the lists of changes start anew."""
        self._seq += 1
        self.ended = ended
        t = self.tickets
        message = OrderWrite(
            order_no=self.order.order_no,
            seq=self._seq,
            at=workflow.now(),
            status=self.status,
            payment_status=self.payment_status,
            waiting_for=self.waiting_for,
            needs_attention=t.attention,
            ended=ended,
            payment_code=self.payment_code,
            children=self.child_states(True),
            events=tuple(self._events),
            moves=tuple(self._moves),
            payment=self._payment_to_write,
            refunds=tuple(self._refunds),
            tickets=tuple(t.opened),
            resolutions=tuple(t.resolved),
            audit=(*self._audit, *t.audit),
        )
        self._events, self._moves, self._refunds, self._audit = [], [], [], []
        self._payment_to_write = None
        t.opened, t.resolved, t.audit = [], [], []
        return message

    # --- showing it to operators -------------------------------------------------------------------------------------

    def show(self) -> None:
        """Current details for the Web UI, and one search-attribute event per visible change."""
        workflow.set_current_details(self._details())
        wanted: list[SearchAttributeUpdate[Any]] = [
            STATUS.value_set(self.status.value),
            CHANNEL.value_set(self.order.channel),
            NEEDS_ATTENTION.value_set(self.tickets.attention),
        ]
        current = workflow.info().typed_search_attributes
        changes = [pair for pair in wanted if current.get(pair.key) != pair.value]
        if changes:
            workflow.upsert_search_attributes(changes)

    def _details(self) -> str:
        lines = [f"**{self.status.value}** · waits for {self.waiting_for}"]
        lines += [f"- {c.child_no}: {c.status.value} {c.waybill_no or ''}" for c in self.child_states(False)]
        lines += [
            f"- ticket {t.record.ticket_id}: {t.record.system} {t.record.step}: {t.record.error}"
            for t in self.tickets.open_ones.values()
        ]
        return "\n".join(lines)
