"""The label of one parcel at its carrier: booked once, and voided where nobody uses it.

A booking that never got an answer may have been done, whatever a later attempt is answered: a label that nobody knows
of is charged, and a parcel that was stopped could still leave under it."""

from collections.abc import Callable
from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.messages import Booked, Booking
from domain.call_outcome import CallOutcome
from workflows.durable.carrying import Table
from workflows.durable.guarded import GaveUp, Step, StepFailed, guarded, outcome
from workflows.durable.tickets import Tickets
from workflows.shipping.warehouse import Voided, Warehouse

UNUSED = "a label that may be booked, and nobody uses, is voided"


class CarrierLabel:
    CARRIED = Table(
        _maybe=bool, _unused=bool,
        left={"_tickets": "wiring", "_warehouse": "wiring", "_under_way": "begun anew"},
    )  # fmt: skip

    def __init__(self, tickets: Tickets, warehouse: Warehouse) -> None:
        self._tickets = tickets
        self._warehouse = warehouse
        self._maybe = False
        """An attempt may have booked it, and nobody knows its number."""
        self._unused = False
        """It is, or may be, at the carrier, and the parcel does not go under it."""
        self._under_way = False

    @property
    def is_unused(self) -> bool:
        """It has to be voided."""
        return self._unused

    def nobody_uses_it(self) -> None:
        """The parcel does not go, or goes under another number, and one may be booked."""
        if self._maybe and workflow.patched(UNUSED):
            self._unused = True

    def goes_under_another(self) -> None:
        """The world has told the parcel's number while another one was being booked."""
        if workflow.patched(UNUSED):
            self._unused = True

    async def book(self, name: str, item: Booking, *, settled: Callable[[], bool]) -> Booked | None:
        """None: it was settled meanwhile, or a person gave it up. `name`: of its step."""
        means = "the warehouse ships under a number of its own"
        step = Step(self._warehouse.carrier_system, name, Booked, means, item.child_no, settled=settled)
        try:
            label = await guarded(self._tickets, step, lambda: self._try(item))
        except GaveUp as gave_up:
            self._maybe = self._maybe or gave_up.maybe_done
            self.nobody_uses_it()
            return None
        self._maybe = self._maybe and label is None
        return label

    async def void(self, name: str, child_no: str, warehouse: str) -> None:
        """Returns when it is, or a person has given that up."""
        if self._under_way:
            await workflow.wait_condition(lambda: not self._under_way)
            return
        means = "the label stays unused and may be charged"
        step = Step(self._warehouse.carrier_system, name, Voided, means, child_no)
        self._under_way = True
        try:
            with suppress(GaveUp):
                await guarded(self._tickets, step, lambda: self._void(child_no, warehouse))
        finally:
            self._maybe = self._unused = self._under_way = False

    async def _try(self, item: Booking) -> Booked:
        try:
            return await self._warehouse.label(item)
        except (ActivityError, StepFailed) as error:
            self._maybe = self._maybe or outcome(error) == CallOutcome.UNKNOWN
            raise

    async def _void(self, child_no: str, warehouse: str) -> Voided | None:
        try:
            return await self._warehouse.void_label(child_no, warehouse)
        except ActivityError as error:
            if self._maybe and outcome(error) == CallOutcome.REFUSED:
                return None  # there is none
            raise
