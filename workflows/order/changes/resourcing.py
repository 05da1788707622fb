"""What one child cannot ship is looked for elsewhere, at a person's word: at other warehouses that ship the same goods.

The new children ship beside the old one, which keeps what is left of it; nothing is refunded for what was found.
"""

from collections.abc import Mapping

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.store import StoreActivities
from domain.fulfilment.reallocation import Elsewhere, Place, Resource
from domain.records import OrderWrite
from domain.states import OrderStatus
from domain.units import last_units
from workflows.durable.branches import Branches
from workflows.durable.local_steps import STORE_ERRORS, in_store
from workflows.order.changes.reallocation import NUMBER_TAKEN
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.parcels import Parcels
from workflows.order.parcels.stop_claim import ONE_OWNER, Claimant
from workflows.order.state import OrderState

SYSTEM = "orders"
OVER = frozenset({OrderStatus.COMPLETED, OrderStatus.CLOSED})


class Resourcing:
    def __init__(self, state: OrderState, parcels: Parcels, branches: Branches) -> None:
        self._state = state
        self._parcels = parcels
        self._branches = branches

    async def find(self, parcel: Parcel, units: Mapping[str, int], remark: str) -> dict[str, int]:
        """New children for as many of `units` (by line_id) as others have. Returns what nobody has."""
        if self._state.status in OVER:
            return dict(units)
        had_to_wait = parcel.claim.is_taken
        await parcel.claim.acquire(Claimant.ELSEWHERE)
        try:
            if had_to_wait and parcel.state.cancelled and workflow.patched(ONE_OWNER):
                return {}  # whoever stopped it has its units, these ones too
            return await self._find(parcel, units, remark)
        finally:
            parcel.claim.release(Claimant.ELSEWHERE)

    async def _find(self, parcel: Parcel, units: Mapping[str, int], remark: str) -> dict[str, int]:
        while True:
            try:
                found = await self._ask(parcel, units, remark)
                break
            except STORE_ERRORS as error:
                if isinstance(error, ApplicationError) and error.type == NUMBER_TAKEN:
                    self._parcels.pass_over(sum(units.values()))
                    continue
                self._state.tickets.note(SYSTEM, "not sourced elsewhere", str(error)[:500], parcel.state.child_no)
                return dict(units)
        self._take_in(parcel, found)
        return dict(found.nowhere)

    async def _ask(self, parcel: Parcel, units: Mapping[str, int], remark: str) -> Elsewhere:
        """Raises `STORE_ERRORS`."""
        assert self._state.priced is not None
        runs = last_units(parcel.state.runs, units)
        skus = {line.line_id: line.sku for line in self._state.priced.lines}
        next_number = self._parcels.hold_numbers(sum(units.values()))  # a child holds a unit at least

        async def step(write: OrderWrite) -> Elsewhere:
            message = Resource(
                write=write, child_no=parcel.state.child_no, runs=runs,
                failed=tuple(Place(sku=skus[i], warehouse=parcel.state.plan.warehouse) for i in units),
                next_number=next_number, policy=self._state.policy, remark=remark,
            )  # fmt: skip
            return await in_store(
                StoreActivities.resource, message, summary=f"source elsewhere for {parcel.state.child_no}"
            )

        try:
            return await self._state.commit_with(step)
        finally:
            self._parcels.numbers_are_given()

    def _take_in(self, parcel: Parcel, found: Elsewhere) -> None:
        """The new children stand beside it, and go on their way."""
        made = []
        for plan in found.children:
            child = self._parcels.add(plan)
            child.state.replaces = (parcel.state.child_no,)
            self._state.holds.inherit(plan.child_no, child.state.replaces)
            made.append(child)
        if made:
            parcel.release_units(tuple(run for plan in found.children for run in plan.runs), tuple(found.children))
        self._parcels.roll_up()
        for child in made:
            self._branches.start(child.run())
