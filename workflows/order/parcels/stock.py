"""Stock of one parcel: what was reserved for it leaves it once, by shipping, by being missing, or by being set free."""

from typing import Literal

from activities.store import StoreActivities
from domain.records import ChildPlan, StockMove
from workflows.durable.carrying import Table
from workflows.durable.local_steps import until_in_store
from workflows.order.state import OrderState


class ParcelStock:
    """Each movement happens once: a flag here, a unique key in the store. `plan`: as its units were reserved."""

    CARRIED = Table(
        _done=bool,
        _shipped=bool,
        _found=dict[str, int],
        _told_late=int,
        left={"_plan": "given by the parcel, as its units were reserved", "_order_state": "wiring"},
    )

    def __init__(self, plan: ChildPlan, order_state: OrderState) -> None:
        self._plan = plan
        self._order_state = order_state
        self._done = False
        self._shipped = False
        self._found: dict[str, int] = {}
        self._told_late = 0

    @property
    def planned(self) -> dict[str, int]:
        """Units by line_id, as the warehouse was told."""
        return self._plan.lines

    @property
    def plan(self) -> ChildPlan:
        return self._plan

    async def reserve(self) -> bool:
        """For a backorder: True when every unit of it is reserved now."""
        order_no, child_no = self._order_state.order.order_no, self._plan.child_no
        return await until_in_store(
            StoreActivities.allocate_backorder, order_no, child_no, summary=f"reserve for {child_no}"
        )

    def found(self, actual: dict[str, int]) -> dict[str, int]:
        """Units really there, by line, where the warehouse found less than planned. Lines not named are complete.

        Returns what is only now known to be missing of a parcel that has left; it is booked back from what was shipped.
        """
        before = dict(self._found)
        for line, count in actual.items():
            if count < self._plan.lines.get(line, 0):
                self._found[line] = min(count, self._found.get(line, count))
        if not self._shipped:
            return {}
        news = {line: before.get(line, self._plan.lines[line]) - count for line, count in self._found.items()}
        missing = {line: count for line, count in news.items() if count}
        if missing:
            self._told_late += 1
            self._move("unship", missing, f"~{self._told_late}")
        return missing

    @property
    def nothing_is_there(self) -> bool:
        """The warehouse has found no unit of it."""
        return bool(self._plan.lines) and all(self._found.get(line) == 0 for line in self._plan.lines)

    def look_again(self) -> None:
        """It is sent once more: what was found before says nothing of that."""
        self._found.clear()

    def ship(self) -> dict[str, int]:
        """The parcel has left. Returns the units (by line) that were planned and not there; they are written off."""
        if self._done:
            return {}
        self._done = self._shipped = True
        gone = {line: self._found.get(line, qty) for line, qty in self._plan.lines.items()}
        missing = {line: qty - gone[line] for line, qty in self._plan.lines.items() if qty > gone[line]}
        self._move("ship", gone)
        self._move("write_off", missing)
        return missing

    def release(self) -> None:
        """The parcel will not leave: its units can be sold again."""
        if not self._done:
            self._done = True
            self._move("release", self._plan.lines)

    def _move(
        self, kind: Literal["ship", "unship", "write_off", "release"], units: dict[str, int], time: str = ""
    ) -> None:
        """`time` tells apart what may happen to a line more than once."""
        for line in self._order_state.priced_lines(units):
            if qty := units.get(line.line_id, 0):
                ref = f"{self._plan.child_no}/{line.line_id}{time}"
                move = StockMove(ref=ref, kind=kind, sku=line.sku, warehouse=self._plan.warehouse, qty=qty)
                self._order_state.moves(move)
