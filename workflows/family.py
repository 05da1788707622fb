"""All parcels of one order: who hears which fact, and what the parcels together make of the order."""

from collections.abc import Iterable, Mapping

from domain.facts import Fact, Kind
from domain.records import ChildPlan, ChildState, UnitRun
from domain.replanning import last_units, money_of
from domain.rollup import parent_status
from domain.states import ChildStatus, Outcome
from workflows.book import Book
from workflows.case_signals import Units
from workflows.parcel import Find, GiveBack, Parcel, Spawn
from workflows.parcel_state import child_state
from workflows.warehouse import Warehouse


class Family:
    """The children of an order, by child number."""

    def __init__(self, book: Book, spawn: Spawn, give_back: GiveBack) -> None:
        self.book = book
        self.parcels: dict[str, Parcel] = {}
        self._spawn = spawn
        self._give_back = give_back
        self._warehouse = Warehouse(book)
        self._early: list[Fact] = []
        self._taken: dict[str, int] = {}
        self._held_until = 0
        self._holders = 0
        self.source_elsewhere: Find
        """Given by who makes new children (workflows/elsewhere.py)."""
        book.child_states = self.states

    def open(self, plans: Iterable[ChildPlan]) -> None:
        for plan in plans:
            self.add(plan)
        early, self._early = self._early, []
        for fact in early:
            self.hear(fact)

    def add(self, plan: ChildPlan) -> Parcel:
        """Children of the split take a line's units from the first one on, in the order of their numbers."""
        parcel = Parcel(plan, self.book, self._warehouse, self._spawn, self._give_back, self.roll_up, self._find)
        if not plan.runs:
            parcel.runs = tuple(self._next_run(line_id, qty) for line_id, qty in plan.lines.items())
        self.parcels[plan.child_no] = parcel
        return parcel

    def take_back(self, parcel: Parcel) -> None:
        """A child that the books have not taken was never there."""
        del self.parcels[parcel.plan.child_no]

    def address_of(self, parcel: Parcel) -> str:
        """What says whether two parcels go to the same place; nothing to be shown."""
        return parcel.address.model_dump_json()

    def _next_run(self, line_id: str, qty: int) -> UnitRun:
        first = self._taken.get(line_id, 0)
        self._taken[line_id] = first + qty
        return UnitRun(line_id=line_id, first_unit=first, units=qty)

    async def _find(self, parcel: Parcel, units: Mapping[str, int], remark: str) -> dict[str, int]:
        return await self.source_elsewhere(parcel, units, remark)

    @property
    def next_number(self) -> int:
        """Never one that was given, nor one that is being given."""
        return max(self._held_until, 1 + max(int(number.rpartition("-")[2]) for number in self.parcels))

    def hold_numbers(self, most: int) -> int:
        """The first of at most so many numbers that the books are about to give."""
        first = self.next_number
        self._held_until, self._holders = first + most, self._holders + 1
        return first

    def numbers_are_given(self) -> None:
        self._holders -= 1
        if not self._holders:
            self._held_until = 0

    def hear(self, fact: Fact) -> None:
        """A fact about a parcel. One that comes before the parcels exist is kept until they do."""
        if not self.parcels and not self._closed:
            self._early.append(fact)
            return
        for parcel in self._meant(fact):
            parcel.hear(fact)
            return
        status = self.book.status.value
        problem = f"order {self.book.order.order_no} has no parcel {fact.child_no or fact.waybill_no}"
        self.book.record(fact, Outcome.MISMATCH, status, status, None, problem)
        self.book.tickets.note(fact.source, "unknown parcel", problem)

    def roll_up(self) -> None:
        """The order's status follows from its parcels once it is paid."""
        self.book.becomes(parent_status(self.book.status, [self._counts_as(p) for p in self.parcels.values()]))

    def _counts_as(self, parcel: Parcel) -> ChildStatus:
        """One that is being made anew still has to ship, whatever the warehouse says of its old paper."""
        return ChildStatus.INTERCEPTING if parcel.set_aside else parcel.axis.status

    def shares(self, parcel: Parcel, units: dict[str, int]) -> int:
        """What the buyer paid for the last `units` (by line_id) of a parcel, minor units: a sum of frozen shares."""
        assert self.book.priced is not None
        return sum(money_of(self.book.priced, last_units(parcel.runs, units)))

    def units_of(self, parcel: Parcel) -> list[Units]:
        """Which units of which lines a parcel carries."""
        return [Units(line_id=run.line_id, first_unit=run.first_unit, units=run.units) for run in parcel.runs]

    @property
    def all_left_or_cancelled(self) -> bool:
        return all(p.shipped or (p.cancelled and not p.set_aside) for p in self.parcels.values())

    @property
    def all_cancelled(self) -> bool:
        return all(p.cancelled and not p.set_aside for p in self.parcels.values())

    def states(self, to_write: bool) -> tuple[ChildState, ...]:
        return tuple(child_state(p, to_write=to_write) for p in self.parcels.values())

    @property
    def _closed(self) -> bool:
        return self.book.status.value == "CLOSED"

    def _meant(self, fact: Fact) -> list[Parcel]:
        if fact.kind is Kind.STOCK_ARRIVED and fact.child_no is None:
            return [p for p in self.parcels.values() if p.axis.status is ChildStatus.BACKORDER][:1]
        if fact.child_no is not None:
            return [p for no, p in self.parcels.items() if no == fact.child_no]
        return [p for p in self.parcels.values() if fact.waybill_no and p.waybill_no == fact.waybill_no]
