"""Carries a change of children into the books, in one transaction, and sends the new ones on their way."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.store import StoreActivities
from domain.fulfilment.reallocation import Because, Handover, Held, Part, Replan, UnableToReplan, replanned
from domain.records import ChildPlan, OrderWrite
from workflows.durable.branches import Branches
from workflows.durable.local_steps import STORE_ERRORS, in_store
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.parcels import Parcels
from workflows.order.state import OrderState

NUMBER_TAKEN = "ChildNumberTaken"
HIGHER_NUMBERS = "what finds its numbers taken takes higher ones"
"""Returns give their replacements numbers that the order does not know: nobody is asked about that."""


class ReallocationRefused(Exception):
    """The children could not be made so, and the books say why; nothing has changed there."""


@dataclass(frozen=True)
class ReallocationGroup:
    """Children that become `parts`. `before`: as they stood when all of this began."""

    parcels: tuple[Parcel, ...]
    before: tuple[Held, ...]
    parts: tuple[Part, ...]


class Reallocation:
    def __init__(self, state: OrderState, parcels: Parcels, branches: Branches) -> None:
        self._state = state
        self._parcels = parcels
        self._branches = branches

    async def remake(
        self,
        groups: Sequence[ReallocationGroup],
        because: Because,
        remark: str,
        approval_id: str | None,
        *,
        still: Collection[int] = (),
    ) -> tuple[str, ...]:
        """The numbers of the new children. Raises `ReallocationRefused`. `still`: places of children that are not
        sent on their way.

        Old and new change in one activation, and the projector waits, so that no write tells only half of it.
        """
        while True:
            made = self._plan(groups, because)
            with self._state.writes_deferred():
                new = self._hand_over(groups, made)
                try:
                    await self._state.commit_with(self._step(groups, made, because, remark, approval_id))
                    break
                except STORE_ERRORS as error:
                    for parcel in new:
                        self._parcels.take_back(parcel)
                    if isinstance(error, ApplicationError) and error.type == NUMBER_TAKEN:
                        self._parcels.pass_over(len(new))
                        if workflow.patched(HIGHER_NUMBERS):
                            continue
                    raise ReallocationRefused(str(error)) from error
        for place, parcel in enumerate(new):
            if place not in still:
                self._branches.start(parcel.run())
        return tuple(plan.child_no for plans in made for plan in plans)

    def _step(
        self,
        groups: Sequence[ReallocationGroup],
        made: Sequence[tuple[ChildPlan, ...]],
        because: Because,
        remark: str,
        approval_id: str | None,
    ) -> Callable[[OrderWrite], Awaitable[None]]:
        """What commits it, with all that has changed."""
        handovers = [
            Handover(child_no=h.plan.child_no, runs=h.runs, all_of_it=True, to=tuple(p.child_no for p in plans))
            for group, plans in zip(groups, made, strict=True)
            for h in group.before
        ]
        children = tuple(plan for plans in made for plan in plans)

        async def step(write: OrderWrite) -> None:
            message = Replan(
                write=write, handovers=tuple(handovers), children=children, because=because, remark=remark,
                approval_id=approval_id,
            )  # fmt: skip
            numbers = ", ".join(plan.child_no for plan in children)
            await in_store(StoreActivities.replan, message, summary=f"{because} {numbers}")

        return step

    async def insist(self, groups: Sequence[ReallocationGroup], because: Because, remark: str) -> tuple[str, ...]:
        """The same for children that stand still and have to go on: while our books refuse, a person is asked."""
        with self._state.writes_deferred():  # nothing is told of children that are neither here nor there
            while True:
                try:
                    return await self.remake(groups, because, remark, None)
                except ReallocationRefused as error:
                    for parcel in (p for group in groups for p in group.parcels):
                        parcel.state.set_aside = True
                    self._parcels.roll_up()
                    numbers = ", ".join(h.plan.child_no for group in groups for h in group.before)
                    await self._state.stalls.refused(f"{numbers}, which stand still, go on", str(error))

    def _hand_over(self, groups: Sequence[ReallocationGroup], made: Sequence[tuple[ChildPlan, ...]]) -> list[Parcel]:
        """The old ones end, the new ones stand beside them."""
        new: list[Parcel] = []
        for group, plans in zip(groups, made, strict=True):
            numbers = tuple(plan.child_no for plan in plans)
            for parcel in group.parcels:
                parcel.hand_over(numbers)
            for plan in plans:
                parcel = self._parcels.add(plan)
                parcel.state.replaces = tuple(h.plan.child_no for h in group.before)
                self._state.holds.inherit(plan.child_no, parcel.state.replaces)
                new.append(parcel)
        self._parcels.roll_up()
        return new

    def _plan(self, groups: Sequence[ReallocationGroup], because: Because) -> list[tuple[ChildPlan, ...]]:
        assert self._state.priced is not None
        number, made = self._parcels.next_number, []
        try:
            for group in groups:
                order_no = self._state.order.order_no
                plans = replanned(order_no, self._state.priced, group.before, group.parts, number, because)
                number += len(plans)
                made.append(plans)
        except UnableToReplan as error:
            raise ReallocationRefused(str(error)) from error
        return made
