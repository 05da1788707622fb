"""One child order: its branch from stock to signature, side by side with its siblings."""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from activities.calls import Booked, InterceptOutcome, Pushed
from activities.store import StoreActivities
from domain.child_axis import ChildAxis
from domain.facts import Fact, Kind
from domain.records import ChildPlan, ChildState, StockMove
from domain.states import ChildStatus, Outcome
from workflows.book import STORE_RETRY, STORE_TIMEOUT, Book
from workflows.guarded import GaveUp, Step, guarded
from workflows.warehouse import TMS, WMS, Voided, Warehouse

Spawn = Callable[[Coroutine[Any, Any, None]], None]
GiveBack = Callable[["Parcel", dict[str, int], str], Coroutine[Any, Any, None]]
"""Refund units (by line_id) of a parcel, for a reason."""


class Parcel:
    """The fulfilment of one child order. `run` is its business process; `hear` and `cancel` may come at any time."""

    def __init__(self, plan: ChildPlan, book: Book, warehouse: Warehouse, spawn: Spawn, give_back: GiveBack) -> None:
        self.plan = plan
        self.book = book
        self.warehouse = warehouse
        self.axis = ChildAxis(plan.status)
        self.label: Booked | None = None
        self.waybill_no: str | None = None
        self.carrier: str | None = None
        self.shipped_at: datetime | None = None
        self.signed_at: datetime | None = None
        self.found: dict[str, int] = {}
        """Units really there, by line, where the warehouse found less than planned."""
        self._spawn = spawn
        self._give_back = give_back
        self._accepted = False
        self._rejected = ""
        self._stock_news = False
        self._on_the_way_out = False
        self._left_stock = False
        self._label_is_fresh = False

    # --- the branch --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        await self._wait_for_stock()
        await self._push()
        await self._until(lambda: self.packed)
        await self._print_label()
        await self._until(lambda: self.axis.status is ChildStatus.SIGNED)

    async def _until(self, reached: Callable[[], bool]) -> None:
        await workflow.wait_condition(lambda: reached() or self.cancelled)

    async def _wait_for_stock(self) -> None:
        while self.axis.status is ChildStatus.BACKORDER:
            await self._until(lambda: self._stock_news)
            self._stock_news = False
            if not self.cancelled and await self._allocate():
                self._got_stock()

    async def _allocate(self) -> bool:
        allocated: bool = await workflow.execute_local_activity_method(
            StoreActivities.allocate_backorder,
            args=[self.book.order.order_no, self.plan.child_no],
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STORE_RETRY,
            summary=f"reserve for {self.plan.child_no}",
        )
        return allocated

    async def _push(self) -> None:
        """Until the warehouse has the order; a person who gives up cancels the child, and its money goes back."""
        while not (self.cancelled or self._accepted or self.packed):
            self._on_the_way_out = True
            step = Step(
                WMS, "push outbound", Pushed, "the child is cancelled and its money refunded",
                self.plan.child_no, settled=lambda: self._accepted or self.packed,
            )  # fmt: skip
            try:
                await guarded(self.book.tickets, step, lambda: self.warehouse.push(self.plan))
                self._accepted = True
            except GaveUp:
                await self._abandon("the warehouse could not take it")
            finally:
                self._on_the_way_out = False
            await self._unless_rejected()

    async def _unless_rejected(self) -> None:
        """A warehouse may still reject what it took: a person decides whether to send it again."""
        await workflow.wait_condition(
            lambda: self.cancelled or self.packed or bool(self._rejected) or self.axis.status is ChildStatus.PICKING
        )
        if not self._rejected or self.cancelled or self.packed:
            return
        ticket = self.book.tickets.open(
            WMS, "outbound rejected", self._rejected, self.plan.child_no,
            "the child is cancelled and its money refunded", actions=("retry", "give_up"),
        )  # fmt: skip
        await workflow.wait_condition(lambda: ticket.resolution is not None or self.cancelled)
        self._rejected, self._accepted = "", False
        if ticket.resolution is not None and ticket.resolution.action == "give_up":
            await self._abandon("the warehouse rejected it")

    async def _print_label(self) -> None:
        """Waybill and label, unless the parcel is already on its way under a number of its own."""
        if self.cancelled or self.waybill_no is not None or self.shipped:
            return
        step = Step(
            TMS, "book waybill label", Booked, "the warehouse ships under a number of its own",
            self.plan.child_no, settled=lambda: self.waybill_no is not None,
        )  # fmt: skip
        try:
            label = await guarded(self.book.tickets, step, lambda: self.warehouse.label(self.plan))
        except GaveUp:
            return
        if label is not None and self.waybill_no is None:
            self.label, self.waybill_no, self.carrier = label, label.waybill_no, label.carrier
            self._label_is_fresh = True
            self.book.touch()

    def _got_stock(self) -> None:
        """Stock is there: the branch goes on, and what was heard too early counts now."""
        if self.cancelled:  # while it was being reserved
            self._move("release", self.plan.lines)
            return
        for fact, applied in self.axis.release():
            self.book.record(fact, applied.outcome, applied.before, applied.after, self.plan.child_no, "held until now")
        self.book.touch()
        self._after_move()

    # --- cancelling --------------------------------------------------------------------------------------------------

    async def cancel(self) -> bool:
        """True: it will not ship, its stock is free again. False: too late."""
        await workflow.wait_condition(lambda: not self._on_the_way_out or self.shipped or self._stuck)
        if self.shipped:
            return False
        if not self._accepted:
            return self._take_off()
        self.axis.intercept()
        self.book.touch()
        try:
            stopped = await self._intercept()
        except GaveUp:
            stopped = False
        if not stopped:
            self.axis.resume()
            self.book.touch()
            return self.cancelled
        self._take_off()
        if self.label is not None:
            self._spawn(self._void_label())
        return self.cancelled

    async def _intercept(self) -> bool:
        step = Step(
            WMS, "intercept", InterceptOutcome, "the parcel ships; the buyer may return it",
            self.plan.child_no, settled=lambda: self.cancelled or self.shipped or self.axis.intercept_refused,
        )  # fmt: skip
        outcome = await guarded(self.book.tickets, step, lambda: self.warehouse.intercept(self.plan))
        if outcome is not None and outcome.result != "pending":
            return outcome.result == "cancelled"
        wait = timedelta(seconds=self.book.policy.cancel_wait_s)
        try:
            await workflow.wait_condition(
                step.settled, timeout=wait, timeout_summary=f"interception of {self.plan.child_no}"
            )
        except TimeoutError:
            return await self._ask_about_interception(step)
        return self.cancelled

    async def _ask_about_interception(self, step: Step[InterceptOutcome]) -> bool:
        ticket = self.book.tickets.open(
            WMS, "interception unanswered", "the warehouse has not said whether the parcel was stopped",
            self.plan.child_no, step.give_up_means, result=InterceptOutcome, actions=("supply", "give_up"),
        )  # fmt: skip
        await workflow.wait_condition(lambda: ticket.resolution is not None or step.settled())
        if ticket.resolution is None:
            self.book.tickets.close_on_evidence(ticket)
            return self.cancelled
        given = ticket.resolution.result or {}
        return ticket.resolution.action == "supply" and given.get("result") == "cancelled"

    async def _void_label(self) -> None:
        step = Step(TMS, "void label", Voided, "the label stays unused and may be charged", self.plan.child_no)
        try:
            await guarded(self.book.tickets, step, lambda: self.warehouse.void_label(self.plan))
        except GaveUp:
            return

    async def _abandon(self, reason: str) -> None:
        if self._take_off():
            self._spawn(self._give_back(self, dict(self.plan.lines), reason))

    def _take_off(self) -> bool:
        """The child will not ship. Its reserved stock is free again. False when it has left in the meantime."""
        if self.shipped:
            return False
        self.axis.cancel()
        self._release_stock()
        self.book.touch()
        return True

    # --- what the world says -----------------------------------------------------------------------------------------

    def hear(self, fact: Fact) -> None:
        """One fact about this child: facts are kept even where they no longer move the state."""
        if fact.kind is Kind.STOCK_ARRIVED:
            self._stock_news = True
        asked = self.axis.intercepting
        applied = self.axis.apply(fact)
        self._keep(fact)
        self.book.record(fact, applied.outcome, applied.before, applied.after, self.plan.child_no, applied.note)
        if applied.outcome is Outcome.MISMATCH:
            self.book.tickets.note(fact.source, "contradicting event", applied.note, self.plan.child_no)
        self._after_move()
        if fact.kind is Kind.INTERCEPTED and applied.outcome is Outcome.APPLIED and not asked:
            self._spawn(self._give_back(self, dict(self.plan.lines), "the warehouse cancelled it"))

    def _keep(self, fact: Fact) -> None:
        if fact.waybill_no and self.waybill_no is None:
            self.waybill_no, self.carrier = fact.waybill_no, fact.carrier
        if fact.actual is not None and not self._left_stock:
            self.found |= {line: n for line, n in fact.actual.items() if n < self.plan.lines.get(line, 0)}
        if fact.kind is Kind.WMS_ACCEPTED:
            self._accepted = True
        if fact.kind is Kind.WMS_REJECTED:
            self._rejected = fact.note or "the warehouse gave no reason"
        if fact.kind in (Kind.WAYBILL_RETURNED, Kind.COLLECTED) and self.shipped_at is None:
            self.shipped_at = fact.occurred_at
        if fact.kind is Kind.SIGNED and self.signed_at is None:
            self.signed_at = fact.occurred_at

    def _after_move(self) -> None:
        if self.shipped and not self._left_stock:
            self._ship_stock()
        if self.cancelled:
            self._release_stock()

    # --- stock -------------------------------------------------------------------------------------------------------
    # Each movement happens once: `_left_stock` here, a unique key in the store.

    def _ship_stock(self) -> None:
        self._left_stock = True
        gone = {line: self.found.get(line, qty) for line, qty in self.plan.lines.items()}
        missing = {line: qty - gone[line] for line, qty in self.plan.lines.items() if qty > gone[line]}
        self._move("ship", gone)
        if missing:
            self._move("write_off", missing)
            self._spawn(self._settle_short(missing))

    def _release_stock(self) -> None:
        if self.axis.has_stock and not self._left_stock:
            self._left_stock = True
            self._move("release", self.plan.lines)

    def _move(self, kind: Any, units: dict[str, int]) -> None:
        assert self.book.priced is not None
        for line in self.book.priced.lines:
            if qty := units.get(line.line_id, 0):
                ref = f"{self.plan.child_no}/{line.line_id}"
                move = StockMove(ref=ref, kind=kind, sku=line.sku, warehouse=line.tags.warehouse, qty=qty)
                self.book.moves(move)

    async def _settle_short(self, missing: dict[str, int]) -> None:
        """The warehouse found less than planned: a person decides, the default is the buyer's money back."""
        ticket = self.book.tickets.open(
            WMS, "short pick", f"missing units: {missing}", self.plan.child_no,
            "the missing units are refunded", result=Voided, actions=("supply", "give_up"),
        )  # fmt: skip
        await workflow.wait_condition(lambda: ticket.resolution is not None)
        if ticket.resolution is not None and ticket.resolution.action == "give_up":
            await self._give_back(self, missing, "short pick")

    # --- what it shows -----------------------------------------------------------------------------------------------

    @property
    def cancelled(self) -> bool:
        return self.axis.status is ChildStatus.CANCELLED

    @property
    def shipped(self) -> bool:
        return self.axis.shipped

    @property
    def packed(self) -> bool:
        return self.axis.status is ChildStatus.PACKED or self.shipped

    @property
    def _stuck(self) -> bool:
        """The push waits for a person: nothing is known to be at the warehouse, so cancelling asks it first."""
        return any(t.record.child_no == self.plan.child_no for t in self.book.tickets.open_ones.values())

    def state(self, *, to_write: bool = False) -> ChildState:
        """The label's bytes travel in the first write after printing only."""
        label = self.label
        fresh, self._label_is_fresh = to_write and self._label_is_fresh, self._label_is_fresh and not to_write
        return ChildState(
            child_no=self.plan.child_no,
            status=self.axis.status,
            waybill_no=self.waybill_no,
            carrier=self.carrier,
            tms_ref=label.tms_ref if label else None,
            label_format=label.label_format if label else None,
            label_b64=label.label_b64 if label and fresh else None,
            shipped_at=self.shipped_at,
            signed_at=self.signed_at,
        )
