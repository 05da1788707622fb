"""All parcels of one order: who hears which fact, and what the parcels together make of the order."""

from collections.abc import Iterable

from domain.facts import Fact, Kind
from domain.records import ChildPlan, ChildState
from domain.rollup import parent_status
from domain.shares import take
from domain.states import ChildStatus, Outcome
from workflows.book import Book
from workflows.case_signals import Units
from workflows.parcel import GiveBack, Parcel, Spawn
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
        book.child_states = self.states

    def open(self, plans: Iterable[ChildPlan]) -> None:
        for plan in plans:
            self.parcels[plan.child_no] = Parcel(
                plan, self.book, self._warehouse, self._spawn, self._give_back, self.roll_up
            )
        early, self._early = self._early, []
        for fact in early:
            self.hear(fact)

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
        self.book.becomes(parent_status(self.book.status, [p.axis.status for p in self.parcels.values()]))

    def shares(self, parcel: Parcel, units: dict[str, int]) -> int:
        """What the buyer paid for the last `units` (by line_id) of a parcel, minor units: a sum of frozen shares."""
        assert self.book.priced is not None
        total = 0
        for line in self.book.priced.lines:
            count = units.get(line.line_id, 0)
            end = self._first_unit(parcel, line.line_id) + parcel.plan.lines.get(line.line_id, 0)
            total += take(line, end - count, count).paid_minor
        return total

    def _first_unit(self, parcel: Parcel, line_id: str) -> int:
        """Children consume a line's units from the first one on, in the order of their numbers."""
        first = 0
        for other in self.parcels.values():
            if other is parcel:
                break
            first += other.plan.lines.get(line_id, 0)
        return first

    def units_of(self, parcel: Parcel) -> list[Units]:
        """Which units of which lines a parcel carries."""
        return [
            Units(line_id=line_id, first_unit=self._first_unit(parcel, line_id), units=qty)
            for line_id, qty in parcel.plan.lines.items()
        ]

    @property
    def all_left_or_cancelled(self) -> bool:
        return all(p.shipped or p.cancelled for p in self.parcels.values())

    @property
    def all_cancelled(self) -> bool:
        return all(p.cancelled for p in self.parcels.values())

    def states(self, to_write: bool) -> tuple[ChildState, ...]:
        return tuple(p.state(to_write=to_write) for p in self.parcels.values())

    @property
    def _closed(self) -> bool:
        return self.book.status.value == "CLOSED"

    def _meant(self, fact: Fact) -> list[Parcel]:
        if fact.kind is Kind.STOCK_ARRIVED and fact.child_no is None:
            return [p for p in self.parcels.values() if p.axis.status is ChildStatus.BACKORDER][:1]
        if fact.child_no is not None:
            return [p for no, p in self.parcels.items() if no == fact.child_no]
        return [p for p in self.parcels.values() if fact.waybill_no and p.waybill_no == fact.waybill_no]
