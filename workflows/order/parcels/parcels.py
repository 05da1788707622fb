"""All parcels of one order: which fact is whose, and what the parcels together make of the order."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from temporalio import workflow

from domain.dispatch.holds import HoldCause, HoldEnd, HoldKind
from domain.facts import Fact, Kind
from domain.fulfilment.credible_facts import credible_numbers
from domain.fulfilment.reallocation import money_of
from domain.fulfilment.rollup import parent_status
from domain.records import ChildPlan, ChildState
from domain.states import ChildStatus, Outcome
from domain.strict import of
from domain.units import UnitRange, last_units
from workflows.durable.carrying import Table, Through, give, take
from workflows.durable.event_queue import apply_alone
from workflows.order.parcels import hearing
from workflows.order.parcels.parcel import Find, GiveBack, LeaveToAReturn, Parcel, Spawn
from workflows.order.parcels.stop_claim import ONE_OWNER
from workflows.order.state import OrderState
from workflows.shipping.warehouse import SharedWarehouse


class Parcels:
    """The children of an order, by child number."""

    CARRIED = Table(
        by_number=Through("_pack", "_unpack"),
        _early=list[Fact],
        _taken=dict[str, int],
        _others_until=int,
        left={
            "order_state": "wiring", "_spawn": "wiring", "_give_back": "wiring", "_warehouse": "wiring",
            "source_elsewhere": "wiring", "leave_to_a_return": "wiring",
            "_held_until": "no number is being given", "_holders": "no number is being given",
        },
    )  # fmt: skip

    def __init__(self, order_state: OrderState, spawn: Spawn, give_back: GiveBack) -> None:
        self.order_state = order_state
        self.by_number: dict[str, Parcel] = {}
        self._spawn = spawn
        self._give_back = give_back
        self._warehouse = SharedWarehouse(order_state, lambda: order_state.cause)
        self._early: list[Fact] = []
        self._taken: dict[str, int] = {}
        self._held_until = 0
        self._others_until = 0
        """Below are numbers that returns have given to their replacements."""
        self._holders = 0
        self.source_elsewhere: Find
        """Given by who makes new children (workflows/order/changes/resourcing.py)."""
        self.leave_to_a_return: LeaveToAReturn = lambda parcel: False
        """Given by who knows the returns (workflows/order/open_returns.py)."""

    def open(self, plans: Iterable[ChildPlan]) -> None:
        for plan in plans:
            self.add(plan)
        early, self._early = self._early, []
        for fact in early:
            apply_alone(self.order_state, fact, self.apply)

    def add(self, plan: ChildPlan) -> Parcel:
        """Children of the split take a line's units from the first one on, in the order of their numbers."""
        parcel = self._new(plan)
        if not plan.runs:
            parcel.state.runs = tuple(self._next_run(line_id, qty) for line_id, qty in plan.lines.items())
        self.by_number[plan.child_no] = parcel
        return parcel

    @property
    def nobody_stops_one(self) -> bool:
        return not any(p.claim.is_taken for p in self.by_number.values())

    def go_on(self) -> list[Parcel]:
        """In a new run: those whose branches have been under way."""
        return [parcel for parcel in self.by_number.values() if parcel.go_on()]

    def _pack(self) -> list[dict[str, Any]]:
        return [
            {"reserved": parcel.reserved_plan.model_dump(mode="json"), "parcel": take(parcel)}
            for parcel in self.by_number.values()
        ]

    def _unpack(self, data: list[dict[str, Any]]) -> None:
        for kept in data:
            parcel = self._new(of(ChildPlan, kept["reserved"]))
            give(parcel, kept["parcel"])
            self.by_number[parcel.state.child_no] = parcel

    def _new(self, plan: ChildPlan) -> Parcel:
        return Parcel(
            plan, self.order_state, self._warehouse, self._spawn, self._give_back, self.roll_up, self._find,
            self._leave,
        )  # fmt: skip

    def _leave(self, parcel: Parcel) -> bool:
        return self.leave_to_a_return(parcel)

    def as_they_come(self) -> Iterator[tuple[Parcel, ...]]:
        """Those that exist, then those that were made meanwhile, until there are no new ones."""
        seen: set[str] = set()
        while new := {number: parcel for number, parcel in self.by_number.items() if number not in seen}:
            if seen and not workflow.patched(ONE_OWNER):
                return
            seen.update(new)
            yield tuple(new.values())

    async def exist(self) -> bool:
        """Once they do. False: the order has been closed, and there will be none."""
        await workflow.wait_condition(lambda: bool(self.by_number) or self._closed)
        if not self.by_number and not workflow.patched("a closed order has no parcels"):
            await workflow.wait_condition(lambda: bool(self.by_number))
        return bool(self.by_number)

    def take_back(self, parcel: Parcel) -> None:
        """A child that the books have not taken was never there."""
        del self.by_number[parcel.state.child_no]

    def address_of(self, parcel: Parcel) -> str:
        """What says whether two parcels go to the same place; nothing to be shown."""
        return parcel.state.address.model_dump_json()

    def _next_run(self, line_id: str, qty: int) -> UnitRange:
        first = self._taken.get(line_id, 0)
        self._taken[line_id] = first + qty
        return UnitRange(line_id=line_id, first_unit=first, units=qty)

    async def _find(self, parcel: Parcel, units: Mapping[str, int], remark: str) -> dict[str, int]:
        return await self.source_elsewhere(parcel, units, remark)

    @property
    def next_number(self) -> int:
        """Never one that was given, nor one that is being given."""
        return max(
            self._held_until, self._others_until, 1 + max(int(number.rpartition("-")[2]) for number in self.by_number)
        )

    def hold_numbers(self, most: int) -> int:
        """The first of at most so many numbers that the books are about to give."""
        first = self.next_number
        self._held_until, self._holders = first + most, self._holders + 1
        return first

    def pass_over(self, numbers: int) -> None:
        """So many of the next ones are somebody else's."""
        self._others_until = self.next_number + numbers

    def numbers_are_given(self) -> None:
        self._holders -= 1
        if not self._holders:
            self._held_until = 0

    def apply(self, fact: Fact) -> None:
        """A fact about a parcel. One that comes before the parcels exist is kept until they do."""
        if not self.by_number and not self._closed:
            self._early.append(fact)
            return
        fact = self._with_credible_numbers(fact)
        meant, known = self._meant(fact), self._knows(fact.waybill_no)
        if len(meant) > 1 and not workflow.patched("a package may carry several children"):
            meant = meant[:1]
        for place, parcel in enumerate(meant):
            # The books keep one effect a key.
            parcel.apply(fact if not place else fact.model_copy(update={"key": f"{fact.key}@{parcel.state.child_no}"}))
        if meant:
            if not known:
                hearing.tell_odd_number(self.order_state, meant[0].state, fact)
            return
        status = self.order_state.status.value
        problem = f"order {self.order_state.order.order_no} has no parcel {fact.child_no or fact.waybill_no}"
        self.order_state.record(fact, Outcome.MISMATCH, status, status, None, problem)
        self.order_state.tickets.note(fact.source, "unknown parcel", problem)

    def _knows(self, number: str | None) -> bool:
        """Somebody has told it, or a carrier has booked it for us."""
        states = [parcel.state for parcel in self.by_number.values()]
        return any(number in s.packages.carriers or (s.label and s.label.waybill_no == number) for s in states)

    def _with_credible_numbers(self, fact: Fact) -> Fact:
        credible, wrong = credible_numbers(fact)
        if not wrong or not workflow.patched("numbers are checked"):
            return fact
        self.order_state.tickets.note(fact.source, "number does not fit", f"{fact.key}: {wrong}", fact.child_no)
        return credible

    def roll_up(self) -> None:
        """The order's status follows from its parcels once it is paid, and holds at the border from theirs."""
        self._follow_customs()
        self.order_state.becomes(
            parent_status(self.order_state.status, [self._counts_as(p) for p in self.by_number.values()])
        )

    def _follow_customs(self) -> None:
        """What customs keep is a hold like any other, that nobody places and nobody releases."""
        book, now = self.order_state.holds, workflow.now()
        kept = {no for no, p in self.by_number.items() if p.state.status is ChildStatus.CUSTOMS_HOLD}
        known = {hold.child_no: hold.hold_id for hold in book.open_ones if hold.kind is HoldKind.CUSTOMS}
        for child_no, hold_id in known.items():
            if child_no not in kept:
                parcel = self.by_number.get(str(child_no))
                gone = parcel is None or parcel.state.cancelled
                end, why = (HoldEnd.NOTHING_LEFT, "") if gone else (HoldEnd.CAUSE, HoldCause.CUSTOMS_RELEASED.value)
                book.end(hold_id, end, "system", now, why)
        for child_no in sorted(kept - known.keys()):
            book.place(HoldKind.CUSTOMS, "fact", "customs have not let it in yet", "system", now, child_no=child_no)
        if kept ^ known.keys():
            self.order_state.mark_changed()

    def _counts_as(self, parcel: Parcel) -> ChildStatus:
        """One that is being made anew still has to ship, whatever the warehouse says of its old paper."""
        return ChildStatus.INTERCEPTING if parcel.state.set_aside else parcel.state.status

    def shares(self, parcel: Parcel, units: dict[str, int]) -> int:
        """What the buyer paid for the last `units` (by line_id) of a parcel, minor units: a sum of frozen shares."""
        assert self.order_state.priced is not None
        some = self.order_state.priced.model_copy(update={"lines": self.order_state.priced_lines(units)})
        return sum(money_of(some, last_units(parcel.state.runs, units)))

    def units_of(self, parcel: Parcel) -> tuple[UnitRange, ...]:
        """Which units of which lines a parcel carries."""
        return parcel.state.runs

    @property
    def all_left_or_cancelled(self) -> bool:
        return all(p.state.shipped or (p.state.cancelled and not p.state.set_aside) for p in self.by_number.values())

    @property
    def all_cancelled(self) -> bool:
        return all(p.state.cancelled and not p.state.set_aside for p in self.by_number.values())

    def states(self, to_write: bool) -> tuple[ChildState, ...]:
        return tuple(p.state.row(to_write=to_write) for p in self.by_number.values())

    @property
    def _closed(self) -> bool:
        return self.order_state.status.value == "CLOSED"

    def _meant(self, fact: Fact) -> list[Parcel]:
        if fact.kind is Kind.STOCK_ARRIVED and fact.child_no is None:
            return [p for p in self.by_number.values() if p.state.status is ChildStatus.BACKORDER][:1]
        if fact.child_no is not None:
            return [p for no, p in self.by_number.items() if no == fact.child_no]
        return [p for p in self.by_number.values() if p.state.goes_under(fact.waybill_no)]
