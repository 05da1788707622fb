"""Carries a change of children into the books, in one transaction, and sends the new ones on their way."""

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio import workflow

from activities.store import StoreActivities
from domain.records import ChildPlan, OrderWrite
from domain.replanning import Because, Handover, Held, Part, Replan, UnableToReplan, replanned
from workflows.book import STORE_ERRORS, STORE_RETRY, STORE_TIMEOUT, Book
from workflows.branches import Branches
from workflows.family import Family
from workflows.parcel import Parcel


class NotRemade(Exception):
    """The children could not be made so, and the books say why; nothing has changed there."""


@dataclass(frozen=True)
class Group:
    """Children that become `parts`. `before`: as they stood when all of this began."""

    parcels: tuple[Parcel, ...]
    before: tuple[Held, ...]
    parts: tuple[Part, ...]


class Remaking:
    def __init__(self, book: Book, family: Family, branches: Branches) -> None:
        self._book = book
        self._family = family
        self._branches = branches

    async def remake(
        self, groups: Sequence[Group], because: Because, remark: str, approval_id: str | None
    ) -> tuple[str, ...]:
        """The numbers of the new children. Raises `NotRemade`.

        Old and new change in one activation, and the projector waits, so that no write tells only half of it.
        """
        made = self._plan(groups, because)
        held_before, self._book.held = self._book.held, True
        handovers = [
            Handover(child_no=h.plan.child_no, runs=h.runs, all_of_it=True, to=tuple(p.child_no for p in plans))
            for group, plans in zip(groups, made, strict=True)
            for h in group.before
        ]
        new: list[Parcel] = []
        for group, plans in zip(groups, made, strict=True):
            numbers = tuple(plan.child_no for plan in plans)
            for parcel in group.parcels:
                parcel.hand_over(numbers)
            for plan in plans:
                parcel = self._family.add(plan)
                parcel.replaces = tuple(h.plan.child_no for h in group.before)
                new.append(parcel)
        self._family.roll_up()
        children = tuple(plan for plans in made for plan in plans)

        async def step(write: OrderWrite) -> None:
            await workflow.execute_local_activity_method(
                StoreActivities.replan,
                Replan(
                    write=write, handovers=tuple(handovers), children=children, because=because, remark=remark,
                    approval_id=approval_id,
                ),
                start_to_close_timeout=STORE_TIMEOUT,
                retry_policy=STORE_RETRY,
                summary=f"{because} {', '.join(plan.child_no for plan in children)}",
            )  # fmt: skip

        try:
            await self._book.carried_by(step)
        except STORE_ERRORS as error:
            for parcel in new:
                self._family.take_back(parcel)
            raise NotRemade(str(error)) from error
        finally:
            self._book.held = held_before
        for parcel in new:
            self._branches.start(parcel.run())
        return tuple(plan.child_no for plan in children)

    def _plan(self, groups: Sequence[Group], because: Because) -> list[tuple[ChildPlan, ...]]:
        assert self._book.priced is not None
        number, made = self._family.next_number, []
        try:
            for group in groups:
                order_no = self._book.order.order_no
                plans = replanned(order_no, self._book.priced, group.before, group.parts, number, because)
                number += len(plans)
                made.append(plans)
        except UnableToReplan as error:
            raise NotRemade(str(error)) from error
        return made
