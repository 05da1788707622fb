"""One child order: its branch from stock to signature, side by side with its siblings."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.messages import WMS, Pushed
from domain.call_outcome import CallOutcome
from domain.facts import Fact, Kind
from domain.fulfilment.parcel_states import AppliedFact
from domain.fulfilment.reallocation import Held
from domain.records import ChildPlan
from domain.states import ChildStatus, Outcome
from domain.units import UnitRange
from workflows.durable.carrying import ByType, Own, Table
from workflows.durable.guarded import GaveUp, Step, StepFailed, guarded, outcome
from workflows.order.parcels import hearing
from workflows.order.parcels.customs import Border
from workflows.order.parcels.documents import outbound
from workflows.order.parcels.interception import Interception
from workflows.order.parcels.label import ParcelLabel
from workflows.order.parcels.parcel_state import TO_THE_END, ParcelState
from workflows.order.parcels.rejection import Rejection
from workflows.order.parcels.shortage import settle_short_pick
from workflows.order.parcels.stock import ParcelStock
from workflows.order.parcels.stop_claim import LEFT_STANDING, ONE_OWNER, Claimant, StopClaim
from workflows.order.parcels.supplier import SupplierWatch, supplier_of, watch_supplier
from workflows.order.state import OrderState
from workflows.shipping.warehouse import Warehouse

WIRING = ("_order_state", "_warehouse", "_spawn", "_give_back", "_moved", "_find", "_leave_to_a_return", "_rejection")
PUSH = "push outbound"
GIVING_UP = (
    "the child is cancelled and its money refunded; where it may have arrived, the warehouse is asked to stop it first"
)
Spawn = Callable[[Coroutine[Any, Any, None]], None]
GiveBack = Callable[["Parcel", dict[str, int], str], Coroutine[Any, Any, None]]
"""Refund units (by line_id) of a parcel, for a reason."""
Find = Callable[["Parcel", Mapping[str, int], str], Awaitable[dict[str, int]]]
"""Look for units (by line_id) of a parcel elsewhere; what nobody has."""
LeaveToAReturn = Callable[["Parcel"], bool]
"""Of a parcel that the warehouse has cancelled by itself: whether it stands still for a return that has its units."""


class Parcel:
    """The fulfilment of one child order. `run` is its business process; `apply` and `cancel` may come at any time. What
    is known of it is in `state`; here is what is done about it."""

    CARRIED = Table(
        state=Own(), _label=Own(), _stock=Own(), _border=Own(),
        _stock_news=bool, _started=bool, _pushed=bool,
        _short=list[dict[str, int]],
        _supplier=SupplierWatch,
        _odd_times=ByType(list[str], sorted, set),
        left={
            "claim": "no run ends while somebody has it",
            "_on_the_way_out": "said again by the branch",
            **dict.fromkeys(WIRING, "wiring"),
        },
    )  # fmt: skip

    def __init__(
        self,
        plan: ChildPlan,
        order_state: OrderState,
        warehouse: Warehouse,
        spawn: Spawn,
        give_back: GiveBack,
        moved: Callable[[], None],
        find: Find,
        leave_to_a_return: LeaveToAReturn,
    ) -> None:
        self.state = ParcelState(plan, order_state.order.address)
        self.claim = StopClaim()
        self._order_state = order_state
        self._warehouse = warehouse
        self._label = ParcelLabel(self.state, order_state, warehouse)
        self._stock = ParcelStock(plan, order_state)
        self._border = Border(order_state, plan, self.state.machine)
        self._spawn = spawn
        self._give_back = give_back
        self._moved = moved
        self._find = find
        self._leave_to_a_return = leave_to_a_return
        self._stock_news = False
        self._on_the_way_out = False
        self._started = self._pushed = False
        self._short: list[dict[str, int]] = []
        """Units (by line) that are missing and about which a person has not answered."""
        self._rejection = Rejection(
            self.state, order_state, self._stock, given_up=self._given_up, find=self._find_elsewhere,
            refund=lambda units, why: spawn(self._refund(units, why)), take_off=self._take_off,
        )  # fmt: skip
        self._supplier = SupplierWatch()
        self._odd_times: set[str] = set()
        """Keys of facts whose time a person was told about."""

    # --- the branch --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        self._started = True
        await self._wait_for_stock()
        await self._pass_customs()
        await self._push()
        await self._inside(lambda: self.state.packed and not self._order_state.holds.keep(self.state.child_no))
        self._spawn(self._label.print())  # the order must not end before it is known whether there is a label
        await self._inside(lambda: self.state.status is ChildStatus.SIGNED)

    def go_on(self) -> bool:
        """In a new run. True: its branch has been under way. What else of it waits for an answer goes on by itself."""
        for left in self._short:
            self._spawn(self._settle_short(left))
        if self._label.is_being_voided:
            self._spawn(self._label.void())
        if self._supplier.on:
            self._spawn(self._watch_supplier())
        return self._started

    @property
    def reserved_plan(self) -> ChildPlan:
        return self._stock.plan

    async def _until(self, reached: Callable[[], bool]) -> None:
        await workflow.wait_condition(lambda: reached() or self.state.cancelled)

    async def _wait_for_stock(self) -> None:
        while self.state.status is ChildStatus.BACKORDER:
            await self._until(lambda: self._stock_news)
            self._stock_news = False
            if not self.state.cancelled and await self._stock.reserve():
                self._got_stock()

    def _got_stock(self) -> None:
        """Stock is there: the branch goes on, and what was heard too early counts now."""
        if self.state.cancelled:  # while it was being reserved
            self._stock.release()
            return
        machine = self.state.machine
        self._record(machine.hold_for_customs() if self.state.plan.customs else machine.release())
        self._after_move()

    async def _pass_customs(self) -> None:
        if self.state.status is ChildStatus.CUSTOMS_HOLD:
            if await self._border.passed():
                self._record(self.state.machine.release())
                self._after_move()
            elif not self.state.cancelled:
                await self._abandon("customs did not let it in")

    async def _push(self) -> None:
        """Until the warehouse has the order; a person who gives up cancels the child, and its money goes back."""
        state = self.state
        if self._pushed and (state.accepted or state.rejected):  # by a run before
            await self._unless_rejected()
        while not (state.cancelled or state.accepted or state.needs_no_push):
            if (keep := self._order_state.holds.keep)(state.child_no):
                await self._until(lambda: not keep(state.child_no))
                continue
            self._pushed = True
            if self.claim.is_taken and workflow.patched(ONE_OWNER):  # the paper may be about to change
                await self._until(lambda: not self.claim.is_taken)
                continue
            self._on_the_way_out = True
            step = Step(
                WMS, PUSH, Pushed, GIVING_UP, state.child_no,
                settled=lambda: state.accepted or state.needs_no_push or state.cancelled or state.machine.intercepting,
            )  # fmt: skip
            try:
                pushed = await guarded(self._order_state.tickets, step, self._push_once)
                state.accepted = state.accepted or pushed is not None
                if supplier_of(state, self._order_state) is not None and workflow.patched("suppliers answer in time"):
                    self._spawn(self._watch_supplier())
                await self._until(lambda: not state.machine.intercepting)
            except GaveUp as gave_up:
                await self._abandon("the warehouse could not take it", maybe_there=gave_up.maybe_done)
            finally:
                self._on_the_way_out = False
            await self._unless_rejected()
        state.sends_again = False

    async def _push_once(self) -> Pushed:
        state = self.state
        try:
            pushed = await self._warehouse.push(outbound(self._order_state, state))
        except (ActivityError, StepFailed) as error:
            if outcome(error) == CallOutcome.UNKNOWN:
                state.pushed_at = workflow.now()
            raise
        state.pushed_at = workflow.now()
        return pushed

    async def _watch_supplier(self) -> None:
        await watch_supplier(
            self.state, self._order_state, cancel=lambda: self.cancel(Claimant.SUPPLIER), find=self._find_elsewhere,
            refund=self._refund, watch=self._supplier,
        )  # fmt: skip

    async def _unless_rejected(self) -> None:
        """A warehouse may still reject what it took."""
        state, picking = self.state, ChildStatus.PICKING
        await self._until(lambda: not state.accepted or bool(state.rejected) or state.packed or state.status is picking)
        if state.rejected and not (state.cancelled or state.packed):
            await self._rejection.ask()

    async def _inside(self, reached: Callable[[], bool]) -> None:
        """Until then. A warehouse may also reject what it has begun with, or find nothing of it."""
        await self._until(lambda: reached() or self._rejection.stands)
        while self._rejection.stands and not (reached() or self.state.cancelled) and workflow.patched(TO_THE_END):
            await self._rejection.ask()
            await self._push()
            await self._until(lambda: reached() or self._rejection.stands)
        await self._until(reached)

    async def _abandon(self, reason: str, *, maybe_there: bool = False) -> None:
        """What the warehouse may have taken is not refunded before it has said that it will not ship it."""
        if await self._given_up(maybe_there=maybe_there):
            self._spawn(self._refund(dict(self.state.plan.lines), reason))

    async def _given_up(self, *, maybe_there: bool) -> bool:
        """True: it will not ship, and nobody else has an eye on its money."""
        was_taken = self.claim.is_taken
        await self.claim.acquire(Claimant.GIVEN_UP)
        try:
            if was_taken and workflow.patched(ONE_OWNER):
                if self.state.cancelled:
                    return False
                maybe_there = True  # a stop that was refused meanwhile says so
            if not (maybe_there and workflow.patched("ask before abandoning")):
                return self._take_off() and not self.claim.leave_to(Claimant.RETURN)
            self.state.accepted = not await self.stop()
            return not self.state.accepted and not self.claim.leave_to(Claimant.RETURN)
        finally:
            self.claim.release(Claimant.GIVEN_UP)

    async def _find_elsewhere(self, units: Mapping[str, int], why: str) -> dict[str, int]:
        return await self._find(self, dict(units), why)

    async def _refund(self, units: dict[str, int], reason: str) -> None:
        await self._give_back(self, units, reason)

    # --- what is done to it ------------------------------------------------------------------------------------------

    async def cancel(self, who: Claimant) -> bool:
        """True: it will not ship, and what becomes of it is for `who`. False: too late, or it is somebody else's."""
        await self.claim.acquire(who)
        try:
            if self.claim.inherits(who):
                return self.state.cancelled
            return await self.cancel_as_owner() and not (
                who is not Claimant.RETURN and self.claim.leave_to(Claimant.RETURN)
            )
        finally:
            self.claim.release(who)

    async def cancel_as_owner(self) -> bool:
        """For whoever has the claim."""
        await self.between_calls()
        if self.state.shipped or (self.state.cancelled and workflow.patched("cancelled once")):
            return False
        if not self.at_warehouse:
            return self._take_off()
        return await self.stop()

    async def stop(self) -> bool:
        """Asks the warehouse. True: it will not ship. False: it ships, or has shipped."""
        return await Interception(self.state, self._order_state, self._warehouse, self._take_off).stop()

    async def between_calls(self) -> None:
        """Until it is known whether the warehouse has it: in the middle of a push it is not."""
        await workflow.wait_condition(lambda: not self._on_the_way_out or self.state.shipped or self._stuck)

    @property
    def at_warehouse(self) -> bool:
        """The warehouse may have it: it has to be asked before anything changes."""
        return self.state.accepted or self._stuck

    @property
    def _stuck(self) -> bool:
        """The push waits for a person: it may have arrived or not, so cancelling asks the warehouse."""
        asked = (t.record for t in self._order_state.tickets.open_ones.values())
        return any((t.child_no, t.step) == (self.state.child_no, PUSH) for t in asked)

    def hand_over(self, to: tuple[str, ...]) -> bool:
        """Its units ship as other children: it ends, without a refund. False when it has left in the meantime."""
        self.state.set_aside = False
        if self.state.cancelled:
            self._clear_away()  # it was stopped for this, and its stock was kept
        elif not self._take_off():
            return False
        self.state.release_all(to)
        self._order_state.mark_changed()
        return True

    def let_go(self, *, gone: bool = False) -> None:
        """What it was set aside for has ended: its stock is free again. `gone`: it has left all the same, with it."""
        if gone:
            self._stock.ship()
        self.state.set_aside = False
        self._clear_away()
        self._order_state.mark_changed()
        self._moved()

    def stand_still(self, as_it_was: Held) -> None:
        """It could not be made anew: it waits on, with everything it had."""
        self.state.take_again(as_it_was)
        self._order_state.mark_changed()
        self._moved()

    def stands_still_from_now(self) -> Held:
        """It is not sent on its way, and keeps its stock. Returns how it stood."""
        before = self.state.held
        self.state.set_aside = True
        self._take_off()
        return before

    def release_units(self, gone: tuple[UnitRange, ...], to: tuple[ChildPlan, ...]) -> None:
        """Units that others ship: they and their money are no longer this one's."""
        self.state.release_units(gone, to)
        self._order_state.mark_changed()

    def _take_off(self) -> bool:
        """The child will not ship. Its reserved stock is free again. False when it has left in the meantime."""
        if self.state.shipped:
            return False
        if not self.state.cancelled and self.claim.is_for(Claimant.RETURN) and workflow.patched(LEFT_STANDING):
            self.state.set_aside = True  # it keeps its stock, and its order goes on, until the return has ended
        self._record(self.state.machine.cancel())
        self._after_move()
        return True

    # --- what the world says -----------------------------------------------------------------------------------------

    def apply(self, fact: Fact) -> None:
        """One fact about this child."""
        timely = hearing.timely_fact(self._order_state, self.state, fact, self._odd_times)
        if timely.stale:
            status = self.state.status.value
            self._order_state.record(fact, Outcome.STALE, status, status, self.state.child_no, timely.stale)
            return
        fact = hearing.with_credible_counts(self._order_state, self.state, timely.fact, self._stock.planned)
        if fact.kind is Kind.STOCK_ARRIVED:
            self._stock_news = True
        asked = hearing.stop_is_wanted(self.state, fact, claimed=self.claim.is_taken)
        signed_before = self.state.status is ChildStatus.SIGNED
        known_before = len(self.state.packages.carriers)
        applied = self.state.apply(fact)
        if fact.actual is not None and (missing := self._stock.found(fact.actual)):
            self._is_short(missing)
        self._rejection.hear(fact, applied)
        self._note(fact, applied, applied.note)
        if applied.outcome is Outcome.APPLIED and applied.before != applied.after:
            hearing.open_courier_ticket(self._order_state.tickets, self.state.child_no, fact, applied)
        if signed_before and len(self.state.packages.carriers) > max(known_before, 1):
            hearing.tell_further_package(self._order_state, self.state, fact)
        alone = fact.kind is Kind.INTERCEPTED and applied.outcome is Outcome.APPLIED and not asked
        pays_back = alone and not self._leave_to_a_return(self)
        self._after_move()
        if pays_back:
            self._spawn(self._refund(dict(self.state.plan.lines), "the warehouse cancelled it"))

    def _record(self, taken: Iterable[tuple[Fact, AppliedFact]]) -> None:
        """Facts that were held and have come out, and that something of ours has changed."""
        for fact, applied in taken:
            self._note(fact, applied, applied.note or "held until now")
        self._order_state.mark_changed()

    def _note(self, fact: Fact, applied: AppliedFact, note: str) -> None:
        child = self.state.child_no
        self._order_state.record(fact, applied.outcome, applied.before, applied.after, child, note)
        if applied.outcome is Outcome.MISMATCH:
            hearing.tell_contradiction(self._order_state, self.state, fact, applied.note)

    def _after_move(self) -> None:
        """Whatever has moved the parcel: its stock, its label and its order follow."""
        if self.state.shipped and (missing := self._stock.ship()):
            self._is_short(missing)
        if self.state.cancelled:
            self._clear_away()
        self._moved()

    def _clear_away(self) -> None:
        if self.state.machine.has_stock and not self.state.set_aside:
            self._stock.release()
        self._border.leave(self._spawn)
        if self._label.take_back():
            self._spawn(self._label.void())

    def _is_short(self, missing: dict[str, int]) -> None:
        left = dict(missing)
        self._short.append(left)
        self._spawn(self._settle_short(left))

    async def _settle_short(self, left: dict[str, int]) -> None:
        child_no, find = self.state.child_no, self._find_elsewhere
        try:
            await settle_short_pick(self._order_state, child_no, left, find=find, refund=self._refund)
        finally:  # where it breaks, a person is asked: no run takes it up again
            left.clear()
