"""The store's part: keeps what an order writes, and refuses what the real store refuses."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.return_messages import Slot, SlotFor
from activities.store import Register, Stalled
from domain.fulfilment.planning import at_the_border
from domain.fulfilment.splitting import split
from domain.order import StartOrder
from domain.policy import Policy
from domain.pricing import price
from domain.records import (
    AuditEntry,
    ChildPlan,
    ChildState,
    EventRecord,
    OrderWrite,
    Payment,
    Priced,
    RefundRecord,
    Registered,
    Retagged,
    Settled,
    SettlePayment,
    StockMove,
    TicketRecord,
    TicketResolution,
    Untagged,
)  # fmt: skip
from domain.refunds.outside import OutsideMoney
from domain.states import OrderStatus, Outcome, RefundStatus


@dataclass
class Account:
    """Everything one order has written, rows as the store would keep them."""

    order: StartOrder
    priced: Priced
    writes: list[OrderWrite] = field(default_factory=list)
    plans: tuple[ChildPlan, ...] = ()
    payment: Payment | None = None
    refunds: dict[str, RefundRecord] = field(default_factory=dict)
    event_rows: dict[tuple[int, int], EventRecord] = field(default_factory=dict)
    """By write and place in it: a write that is made again leaves no second row."""
    move_rows: dict[tuple[str, str], StockMove] = field(default_factory=dict)
    tickets: dict[str, TicketRecord] = field(default_factory=dict)
    resolutions: dict[str, TicketResolution] = field(default_factory=dict)
    audit_rows: dict[tuple[int, int], AuditEntry] = field(default_factory=dict)

    @property
    def events(self) -> list[EventRecord]:
        return list(self.event_rows.values())

    @property
    def moves(self) -> list[StockMove]:
        return list(self.move_rows.values())

    @property
    def audit(self) -> list[AuditEntry]:
        return list(self.audit_rows.values())

    @property
    def last(self) -> OrderWrite:
        """The read model: a late write of a lower number loses."""
        return max(self.writes, key=lambda w: (w.seq, w.at))

    @property
    def status(self) -> OrderStatus:
        return self.last.status

    @property
    def children(self) -> tuple[ChildState, ...]:
        return self.last.children

    @property
    def open_tickets(self) -> list[TicketRecord]:
        return [t for no, t in self.tickets.items() if no not in self.resolutions]

    @property
    def outside(self) -> list[OutsideMoney]:
        """Money that moved without us, each as often as it is news."""
        return [e.outside for e in self.events if e.outside is not None]

    @property
    def refunded_minor(self) -> int:
        return sum(r.amount_minor for r in self.refunds.values() if r.status is RefundStatus.SUCCEEDED)

    def outcomes(self, key: str) -> list[Outcome]:
        return [e.outcome for e in self.events if e.key == key]

    def moved(self, kind: str) -> dict[str, int]:
        """Units moved by SKU."""
        total: dict[str, int] = {}
        for move in self.moves:
            if move.kind == kind:
                total[move.sku] = total.get(move.sku, 0) + move.qty
        return total


def refused(name: str, text: str) -> ApplicationError:
    return ApplicationError(text, type=name, non_retryable=True)


async def nothing() -> None:
    pass


class Books:
    """`stock`: units that can be had by line_id; absent: everything."""

    def __init__(self, policy: Policy | None = None, stock: dict[str, int] | None = None) -> None:
        self.policy = policy or Policy()
        self.stock = stock
        self.accounts: dict[str, Account] = {}
        self.refuse_register = ""
        self.arrives = True
        """Whether the next attempt to reserve for a backorder finds the goods."""
        self.allocations = 0
        self._next_slot: dict[str, datetime] = {}
        """When an order's next refund may be asked for."""
        self.slow_ending_s = 0.0
        """The database takes this long over the next last write of an order; in the middle of it ..."""
        self.while_ending: Callable[[], Awaitable[None]] = nothing
        self.while_allocating: Callable[[], Awaitable[None]] = nothing
        self.refusals: dict[str, str] = {}
        """The next settling, writing or reserving of a refund is refused, by this error."""
        self.untagged: tuple[Untagged, ...] = ()
        """Lines that the catalogue has no tags for (yet)."""
        self.failing = ""
        """Why every step fails for now, in a way that is worth repeating ..."""
        self.still_takes: frozenset[str] = frozenset()
        """... except these."""
        self.attempts: Counter[str] = Counter()
        self.away = False
        """The database does not answer: writes wait."""

    def activities(self) -> list[Any]:
        return [self.register, self.settle, self.write, self.retag, self.allocate, self.refund_slot, self.stalled]

    @activity.defn(name="store.register")
    async def register(self, message: Register) -> Registered:
        if self.refuse_register:
            raise refused(self.refuse_register, "refused by the store")
        order = message.order
        priced = price(order, {line.line_id: line.tags for line in order.lines if line.tags is not None})
        self.accounts.setdefault(order.order_no, Account(order, priced))
        flash = order.kind == "flash"
        deadline = order.deadline(self.policy.flash_payment_timeout_s if flash else self.policy.payment_timeout_s)
        return Registered(
            order_no=order.order_no, priced=priced, policy=self.policy, pay_deadline=deadline, untagged=self.untagged,
            offers_at_once=True,
        )  # fmt: skip

    @activity.defn(name="store.retag")
    async def retag(self, order_no: str) -> Retagged:
        return Retagged(priced=self.accounts[order_no].priced, untagged=self.untagged)

    @activity.defn(name="store.settle")
    async def settle(self, message: SettlePayment) -> Settled:
        self._fail("settle")
        self._refuse("settle")
        assert not self.untagged, "nothing is split by a guess"
        account = self.accounts[message.write.order_no]
        self._keep(account, message.write)
        if not account.plans:
            stock = self.stock or {line.line_id: line.qty for line in account.priced.lines}
            plans = split(account.order.order_no, account.priced, stock, self.policy.split_priority)
            account.plans = tuple(at_the_border(plan, account.priced) for plan in plans)
        return Settled(children=account.plans)

    @activity.defn(name="store.write")
    async def write(self, message: OrderWrite) -> None:
        self._fail("write")
        self._refuse("refund" if message.refunds else "write")
        while self.away:
            await asyncio.sleep(0.02)
        if message.ended and self.slow_ending_s:
            wait, self.slow_ending_s = self.slow_ending_s, 0.0
            await asyncio.sleep(wait / 2)
            await self.while_ending()
            await asyncio.sleep(wait / 2)
        self._keep(self.accounts[message.order_no], message)

    @activity.defn(name="store.allocate_backorder")
    async def allocate(self, order_no: str, child_no: str) -> bool:
        self.allocations += 1
        await self.while_allocating()
        return self.arrives

    @activity.defn(name="returns.refund_slot")
    async def refund_slot(self, message: SlotFor) -> Slot:
        at = max(message.now, self._next_slot.get(message.order_no, message.now))
        self._next_slot[message.order_no] = at + timedelta(seconds=message.spacing_s)
        return Slot(at=at)

    @activity.defn(name="store.stalled")
    async def stalled(self, message: Stalled) -> None:
        self._fail("stalled")
        self.accounts[message.order_no].tickets.setdefault(message.ticket.ticket_id, message.ticket)

    def _fail(self, step: str) -> None:
        self.attempts[step] += 1
        if self.failing and step not in self.still_takes:
            raise RuntimeError(self.failing)

    def _refuse(self, what: str) -> None:
        if what in self.refusals:
            raise refused(self.refusals.pop(what), f"the books do not allow this {what}")

    def _keep(self, account: Account, write: OrderWrite) -> None:
        account.writes.append(write)
        if write.payment is not None:
            account.payment = write.payment
        for refund in write.refunds:
            self._keep_refund(account, refund)
        for n, event in enumerate(write.events):
            account.event_rows.setdefault((write.seq, n), event)
        for move in write.moves:
            account.move_rows.setdefault((move.ref, move.kind), move)
        account.tickets |= {t.ticket_id: t for t in write.tickets}
        account.resolutions |= {r.ticket_id: r for r in write.resolutions}
        for n, entry in enumerate(write.audit):
            account.audit_rows.setdefault((write.seq, n), entry)

    def _keep_refund(self, account: Account, refund: RefundRecord) -> None:
        known = account.refunds.get(refund.refund_no)
        if known and (known.amount_minor, known.units) != (refund.amount_minor, refund.units):
            raise refused("RefundChanged", f"{refund.refund_no} is another refund")
        if known and known.status is RefundStatus.SUCCEEDED:
            return
        account.refunds[refund.refund_no] = refund
        paid = account.payment.amount_minor if account.payment else 0
        if sum(r.amount_minor for r in account.refunds.values()) > paid:
            raise refused("RefundExceedsPaid", f"{refund.refund_no} would give back more than was paid")
        for line in account.priced.lines:
            if sum(r.units.get(line.line_id, 0) for r in account.refunds.values()) > line.qty:
                raise refused("RefundExceedsUnits", f"{refund.refund_no} gives a unit of {line.line_id} back twice")
