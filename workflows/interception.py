"""Stopping a parcel at the warehouse: a request that shipping may overtake, and that may stay without an answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from temporalio import workflow

from activities.calls import InterceptOutcome
from domain.child_axis import ChildAxis
from domain.records import ChildPlan
from workflows.book import Book
from workflows.guarded import GaveUp, Step, guarded
from workflows.warehouse import WMS, Warehouse


class Stoppable(Protocol):
    """A child order that the warehouse may have."""

    plan: ChildPlan
    book: Book
    warehouse: Warehouse
    axis: ChildAxis

    @property
    def cancelled(self) -> bool: ...
    @property
    def shipped(self) -> bool: ...
    def take_off(self) -> bool: ...


async def stop(child: Stoppable) -> bool:
    """Ask the warehouse. True: it will not ship, its stock is free again. False: it ships, or has shipped."""

    def decided() -> bool:
        return child.cancelled or child.shipped or child.axis.intercept_refused

    child.axis.intercept()
    child.book.touch()
    asking = Interception(child.book, child.warehouse, child.plan, cancelled=lambda: child.cancelled, decided=decided)
    try:
        stopped = await asking.ask()
    except GaveUp:
        stopped = False
    if not stopped:
        child.axis.resume()
        child.book.touch()
        return child.cancelled
    if not child.take_off():
        child.axis.resume()
    return child.cancelled


class Interception:
    """`decided`: facts have settled it, one way or the other; `cancelled`: they say that the parcel was stopped."""

    def __init__(
        self,
        book: Book,
        warehouse: Warehouse,
        plan: ChildPlan,
        *,
        cancelled: Callable[[], bool],
        decided: Callable[[], bool],
    ) -> None:
        self.book = book
        self.warehouse = warehouse
        self.plan = plan
        self._cancelled = cancelled
        self._step = Step(
            WMS,
            "intercept",
            InterceptOutcome,
            "the parcel ships; the buyer may return it",
            plan.child_no,
            settled=decided,
        )

    async def ask(self) -> bool:
        """True: the warehouse has stopped it. Raises `GaveUp`."""
        outcome = await guarded(self.book.tickets, self._step, lambda: self.warehouse.intercept(self.plan))
        if outcome is not None and outcome.result != "pending":
            return outcome.result == "cancelled"
        wait = timedelta(seconds=self.book.policy.cancel_wait_s)
        try:
            await workflow.wait_condition(
                self._step.settled, timeout=wait, timeout_summary=f"interception of {self.plan.child_no}"
            )
        except TimeoutError:
            return await self._ask_a_person()
        return self._cancelled()

    async def _ask_a_person(self) -> bool:
        ticket = self.book.tickets.open(
            WMS,
            "interception unanswered",
            "the warehouse has not said whether the parcel was stopped",
            self.plan.child_no,
            self._step.give_up_means,
            result=InterceptOutcome,
            actions=("supply", "give_up"),
        )
        await workflow.wait_condition(lambda: ticket.resolution is not None or self._step.settled())
        if ticket.resolution is None:
            self.book.tickets.close_on_evidence(ticket)
            return self._cancelled()
        given = ticket.resolution.result or {}
        return ticket.resolution.action == "supply" and given.get("result") == "cancelled"
