"""What one child cannot ship is looked for elsewhere, at a person's word: at other warehouses that ship the same goods.

The new children ship beside the old one, which keeps what is left of it; nothing is refunded for what was found.
"""

from collections.abc import Mapping

from temporalio import workflow

from activities.store import StoreActivities
from domain.records import OrderWrite
from domain.replanning import Elsewhere, Place, Resource, last_units
from domain.states import OrderStatus
from workflows.book import STORE_RETRY, STORE_TIMEOUT, Book
from workflows.branches import Branches
from workflows.family import Family
from workflows.parcel import Parcel

OVER = frozenset({OrderStatus.COMPLETED, OrderStatus.CLOSED})


class Sourcing:
    def __init__(self, book: Book, family: Family, branches: Branches) -> None:
        self._book = book
        self._family = family
        self._branches = branches
        family.source_elsewhere = self.find

    async def find(self, parcel: Parcel, units: Mapping[str, int], remark: str) -> dict[str, int]:
        """New children for as many of `units` (by line_id) as others have. Returns what nobody has."""
        if self._book.status in OVER:
            return dict(units)
        assert self._book.priced is not None
        runs = last_units(parcel.runs, units)
        skus = {line.line_id: line.sku for line in self._book.priced.lines}
        next_number = self._family.hold_numbers(sum(units.values()))  # a child holds a unit at least

        async def step(write: OrderWrite) -> Elsewhere:
            return await workflow.execute_local_activity_method(
                StoreActivities.resource,
                Resource(
                    write=write, child_no=parcel.plan.child_no, runs=runs,
                    failed=tuple(Place(sku=skus[i], warehouse=parcel.plan.warehouse) for i in units),
                    next_number=next_number, policy=self._book.policy, remark=remark,
                ),
                start_to_close_timeout=STORE_TIMEOUT,
                retry_policy=STORE_RETRY,
                summary=f"source elsewhere for {parcel.plan.child_no}",
            )  # fmt: skip

        try:
            found = await self._book.carried_by(step)
        finally:
            self._family.numbers_are_given()
        made = []
        for plan in found.children:
            child = self._family.add(plan)
            child.replaces = (parcel.plan.child_no,)
            made.append(child)
        if made:
            parcel.let_go(tuple(run for plan in found.children for run in plan.runs), tuple(found.children))
        self._family.roll_up()
        for child in made:
            self._branches.start(child.run())
        return dict(found.nowhere)
