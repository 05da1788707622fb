"""Stopping a parcel at the warehouse: a request that shipping may overtake, and that may stay without an answer."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from activities.messages import WMS, InterceptOutcome
from workflows.durable.continuing import stays_no_longer
from workflows.durable.guarded import GaveUp, Step, guarded
from workflows.order.parcels.parcel_state import ParcelState
from workflows.order.state import OrderState
from workflows.shipping.warehouse import Warehouse

PUSH_ARRIVES = timedelta(minutes=15)
"""A push that had no answer may stand in a queue before the warehouse; after this it has come out, or never will."""
DONE = ("cancelled", "absent")
UNANSWERED = "interception unanswered"
GIVEN_UP = (
    "its order has been told more than a run has room for, and waits for the warehouse's answer no longer: the parcel "
    "ships, unless the warehouse stops it all the same"
)


class Interception:
    """`take_off`: the parcel will not ship; False when it has left in the meantime."""

    def __init__(
        self, state: ParcelState, order_state: OrderState, warehouse: Warehouse, take_off: Callable[[], bool]
    ) -> None:
        self._state = state
        self._order_state = order_state
        self._warehouse = warehouse
        self._take_off = take_off

    async def stop(self) -> bool:
        """Ask the warehouse. True: it will not ship, its stock is free again. False: it ships, or has shipped."""
        self._state.being_stopped = True
        try:
            return await self._stop()
        finally:
            self._state.being_stopped = False

    async def _stop(self) -> bool:
        machine = self._state.machine
        machine.intercept()
        self._order_state.mark_changed()
        try:
            stopped = await self._ask()
        except GaveUp:
            stopped = False
        if not stopped and not self._decided() and stays_no_longer():
            self._order_state.tickets.note(WMS, UNANSWERED, GIVEN_UP, self._state.child_no)
        if not stopped:
            machine.resume()
            self._order_state.mark_changed()
            return self._state.cancelled
        if not self._take_off():
            machine.resume()
        return self._state.cancelled

    def _settled(self) -> bool:
        """Nobody has to be asked any more."""
        return self._decided() or stays_no_longer()

    def _decided(self) -> bool:
        """Facts have decided it, one way or the other."""
        return self._state.cancelled or self._state.shipped or self._state.machine.intercept_refused

    async def _ask(self) -> bool:
        """True: the warehouse has stopped it. Raises `GaveUp`."""
        plan, means = self._state.plan, "the parcel ships; the buyer may return it"
        step = Step(WMS, "intercept", InterceptOutcome, means, plan.child_no, settled=self._settled)
        outcome = await self._ask_warehouse(step)
        while outcome is not None and outcome.result == "absent" and (wait := self._push_may_arrive_for()):
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    self._settled, timeout=wait, timeout_summary=f"push of {plan.child_no} on its way"
                )
            outcome = None if self._settled() else await self._ask_warehouse(step)
        if outcome is not None and outcome.result != "pending":
            return outcome.result in DONE
        wait = timedelta(seconds=self._order_state.policy.cancel_wait_s)
        try:
            await workflow.wait_condition(
                self._settled, timeout=wait, timeout_summary=f"interception of {plan.child_no}"
            )
        except TimeoutError:
            return await self._ask_a_person(means)
        return self._state.cancelled

    async def _ask_warehouse(self, step: Step[InterceptOutcome]) -> InterceptOutcome | None:
        plan = self._state.plan
        return await guarded(
            self._order_state.tickets, step, lambda: self._warehouse.intercept(plan.child_no, plan.warehouse)
        )

    def _push_may_arrive_for(self) -> timedelta | None:
        """How long "no such order" cannot be believed; None: it can."""
        pushed = self._state.pushed_at
        left = pushed + PUSH_ARRIVES - workflow.now() if pushed else timedelta(0)
        return left if left > timedelta(0) else None

    async def _ask_a_person(self, give_up_means: str) -> bool:
        resolution = await self._order_state.tickets.ask(
            WMS,
            UNANSWERED,
            "the warehouse has not said whether the parcel was stopped",
            self._state.child_no,
            give_up_means,
            settled=self._settled,
            result=InterceptOutcome,
            actions=("supply", "give_up"),
        )
        if resolution is None:
            return self._state.cancelled
        given = resolution.result or {}
        return resolution.action == "supply" and given.get("result") in DONE
