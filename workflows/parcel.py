"""One child order: its branch from stock to signature, side by side with its siblings."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from typing import Any

from temporalio import workflow

from activities.calls import Pushed
from domain.child_axis import Applied, ChildAxis
from domain.facts import Fact, Kind
from domain.records import ChildPlan, UnitRun
from domain.replanning import less, without
from domain.states import ChildStatus, Outcome
from workflows.book import Book
from workflows.clearance import Border
from workflows.guarded import GaveUp, Step, guarded
from workflows.interception import stop
from workflows.parcel_label import ParcelLabel
from workflows.parcel_stock import ParcelStock
from workflows.shortage import ask_about, ask_what_now
from workflows.supplier import supplier_of, watch_supplier
from workflows.trouble import tell_of_trouble
from workflows.warehouse import WMS, Warehouse

PUSH = "push outbound"
GIVING_UP = (
    "the child is cancelled and its money refunded; where it may have arrived, the warehouse is asked to stop it first"
)
Spawn = Callable[[Coroutine[Any, Any, None]], None]
GiveBack = Callable[["Parcel", dict[str, int], str], Coroutine[Any, Any, None]]
"""Refund units (by line_id) of a parcel, for a reason."""
Find = Callable[["Parcel", Mapping[str, int], str], Awaitable[dict[str, int]]]
"""Look for units (by line_id) of a parcel elsewhere; what nobody has."""


class Parcel:
    """The fulfilment of one child order. `run` is its business process; `hear` and `cancel` may come at any time."""

    def __init__(
        self,
        plan: ChildPlan,
        book: Book,
        warehouse: Warehouse,
        spawn: Spawn,
        give_back: GiveBack,
        moved: Callable[[], None],
        find: Find,
    ) -> None:
        self.plan = plan
        self.book = book
        self.warehouse = warehouse
        self.axis = ChildAxis(plan.status)
        self.address = book.order.address
        self.label = ParcelLabel(self)
        self.waybill_no: str | None = None
        self.carrier: str | None = None
        self.shipped_at: datetime | None = None
        self.signed_at: datetime | None = None
        self.stock = ParcelStock(plan, book)
        self.runs: tuple[UnitRun, ...] = plan.runs
        self.set_aside = False
        """Being made anew (workflows/replanning.py): whatever becomes of it meanwhile, its stock stays reserved."""
        self.replaces: tuple[str, ...] = ()
        self.replaced_by: tuple[str, ...] = ()
        self.border = Border(book, plan, self.axis)
        self.spawn = spawn
        self.give_back = give_back
        self._moved = moved
        self.find_elsewhere = find
        self._accepted = False
        self._rejected = ""
        self.answered = False
        """The warehouse, or the supplier, has said whether it takes the child."""
        self._stock_news = False
        self._on_the_way_out = False

    # --- the branch --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        await self._wait_for_stock()
        await self._pass_customs()
        await self._push()
        await self._until(lambda: self.packed)
        self.spawn(self.label.print())  # the order must not end before it is known whether there is a label
        await self._until(lambda: self.axis.status is ChildStatus.SIGNED)

    async def _until(self, reached: Callable[[], bool]) -> None:
        await workflow.wait_condition(lambda: reached() or self.cancelled)

    async def _wait_for_stock(self) -> None:
        while self.axis.status is ChildStatus.BACKORDER:
            await self._until(lambda: self._stock_news)
            self._stock_news = False
            if not self.cancelled and await self.stock.reserve():
                self._got_stock()

    async def _pass_customs(self) -> None:
        if self.axis.status is ChildStatus.CUSTOMS_HOLD:
            if await self.border.passed():
                self._record(self.axis.release())
                self._after_move()
            elif not self.cancelled:
                await self._abandon("customs did not let it in")

    async def _push(self) -> None:
        """Until the warehouse has the order; a person who gives up cancels the child, and its money goes back."""
        while not (self.cancelled or self._accepted or self.packed):
            self._on_the_way_out = True
            step = Step(
                WMS, PUSH, Pushed, GIVING_UP, self.plan.child_no,
                settled=lambda: self._accepted or self.packed or self.cancelled or self.axis.intercepting,
            )  # fmt: skip
            try:
                pushed = await guarded(self.book.tickets, step, lambda: self.warehouse.push(self.plan, self.address))
                self._accepted = self._accepted or pushed is not None
                if supplier_of(self) is not None and workflow.patched("suppliers answer in time"):
                    self.spawn(watch_supplier(self))
                await self._until(lambda: not self.axis.intercepting)
            except GaveUp as gave_up:
                await self._abandon("the warehouse could not take it", maybe_there=gave_up.maybe_done)
            finally:
                self._on_the_way_out = False
            await self._unless_rejected()

    async def _unless_rejected(self) -> None:
        """A warehouse may still reject what it took: a person decides whether to send it again, or elsewhere."""
        await self._until(
            lambda: not self._accepted or bool(self._rejected) or self.packed or self.axis.status is ChildStatus.PICKING
        )
        if not self._rejected or self.cancelled or self.packed:
            return
        answer = await ask_what_now(
            self.book, self.plan.child_no, self._rejected, lambda: self.packed or self.cancelled
        )
        self._rejected = ""
        if answer is None:
            return
        self._accepted = False
        if answer == "supply":
            await self.ship_elsewhere("the warehouse rejected it")
        elif answer == "give_up":
            await self._abandon("the warehouse rejected it")

    async def ship_elsewhere(self, why: str) -> None:
        """Others ship what they have of it; the rest is cancelled and refunded."""
        if await self.find_elsewhere(self, dict(self.plan.lines), why):
            await self._abandon(why)
        else:
            self.take_off()

    def _got_stock(self) -> None:
        """Stock is there: the branch goes on, and what was heard too early counts now."""
        if self.cancelled:  # while it was being reserved
            self.stock.release()
            return
        self._record(self.axis.hold_for_customs() if self.plan.customs else self.axis.release())
        self._after_move()

    # --- cancelling --------------------------------------------------------------------------------------------------

    async def cancel(self) -> bool:
        """True: it will not ship, its stock is free again. False: too late."""
        await self.between_calls()
        if self.shipped or (self.cancelled and workflow.patched("cancelled once")):
            return False
        if not self.at_warehouse:
            return self.take_off()
        return await stop(self)

    async def between_calls(self) -> None:
        """Until it is known whether the warehouse has it: in the middle of a push it is not."""
        await workflow.wait_condition(lambda: not self._on_the_way_out or self.shipped or self._stuck)

    @property
    def at_warehouse(self) -> bool:
        """The warehouse may have it: it has to be asked before anything changes."""
        return self._accepted or self._stuck

    def hand_over(self, to: tuple[str, ...]) -> bool:
        """Its units ship as other children: it ends, without a refund. False when it has left in the meantime."""
        self.set_aside = False
        if self.cancelled:
            self._clear_away()  # it was stopped for this, and its stock was kept
        elif not self.take_off():
            return False
        self.replaced_by = to
        self.runs, nothing = (), {"lines": {}, "net_minor": 0, "freight_minor": 0, "paid_minor": 0, "runs": ()}
        self.plan = self.plan.model_copy(update=nothing)
        self.book.touch()
        return True

    async def _abandon(self, reason: str, *, maybe_there: bool = False) -> None:
        """What the warehouse may have taken is not refunded before it has said that it will not ship it."""
        if maybe_there and workflow.patched("ask before abandoning"):
            self._accepted = not await stop(self)
            if self._accepted:
                return
        elif not self.take_off():
            return
        self.spawn(self.give_back(self, dict(self.plan.lines), reason))

    def take_off(self) -> bool:
        """The child will not ship. Its reserved stock is free again. False when it has left in the meantime."""
        if self.shipped:
            return False
        self._record(self.axis.cancel())
        self._after_move()
        return True

    def _record(self, taken: Iterable[tuple[Fact, Applied]]) -> None:
        """Facts that were held and have come out, and that something of ours has changed."""
        for fact, applied in taken:
            note = applied.note or "held until now"
            self.book.record(fact, applied.outcome, applied.before, applied.after, self.plan.child_no, note)
            if applied.outcome is Outcome.MISMATCH:
                self.book.tickets.note(fact.source, "contradicting event", applied.note, self.plan.child_no)
        self.book.touch()

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
        if applied.outcome is Outcome.APPLIED and applied.before != applied.after:
            tell_of_trouble(self.book, self.plan.child_no, fact, applied)
        self._after_move()
        if fact.kind is Kind.INTERCEPTED and applied.outcome is Outcome.APPLIED and not asked:
            self.spawn(self.give_back(self, dict(self.plan.lines), "the warehouse cancelled it"))

    def _keep(self, fact: Fact) -> None:
        if fact.waybill_no and (self.waybill_no is None or fact.kind is Kind.WAYBILL_RETURNED):
            self.waybill_no, self.carrier = fact.waybill_no, fact.carrier or self.carrier
        if fact.actual is not None and (missing := self.stock.found(fact.actual)):
            self.spawn(self._settle_short(missing))
        if fact.kind in (Kind.WMS_ACCEPTED, Kind.PICKING):
            self._accepted = self.answered = True
        if fact.kind is Kind.WMS_REJECTED:
            self._rejected, self._accepted = fact.note or "the warehouse gave no reason", False
            self.answered = True
        # The earliest word counts, whichever comes first.
        if fact.kind in (Kind.WAYBILL_RETURNED, Kind.COLLECTED):
            self.shipped_at = min(fact.occurred_at, self.shipped_at or fact.occurred_at)
        if fact.kind is Kind.SIGNED:
            self.signed_at = min(fact.occurred_at, self.signed_at or fact.occurred_at)

    def _after_move(self) -> None:
        """Whatever has moved the parcel: its stock, its label and its order follow."""
        if self.shipped and (missing := self.stock.ship()):
            self.spawn(self._settle_short(missing))
        if self.cancelled:
            self._clear_away()
        self._moved()

    def _clear_away(self) -> None:
        if self.axis.has_stock and not self.set_aside:
            self.stock.release()
        self.border.leave(self.spawn)
        if self.label.take_back():
            self.spawn(self.label.void())

    async def _settle_short(self, missing: dict[str, int]) -> None:
        if owed := await ask_about(
            self.book, self.plan.child_no, missing, lambda u: self.find_elsewhere(self, u, "short pick")
        ):
            await self.give_back(self, owed, "short pick")

    def let_go(self, gone: tuple[UnitRun, ...], to: tuple[ChildPlan, ...]) -> None:
        """Units that others ship: they and their money are no longer this one's."""
        self.runs = without(self.runs, gone)
        self.replaced_by += tuple(plan.child_no for plan in to)
        self.plan = less(self.plan, to)
        self.book.touch()

    # --- where it is -------------------------------------------------------------------------------------------------

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
        """The push waits for a person: it may have arrived or not, so cancelling asks the warehouse."""
        asked = (t.record for t in self.book.tickets.open_ones.values())
        return any((t.child_no, t.step) == (self.plan.child_no, PUSH) for t in asked)
