"""Waybill and label of one parcel: booked once when it is packed, voided when it will not ship after all."""

from contextlib import suppress

from activities.messages import Booked
from workflows.durable.carrying import Table
from workflows.durable.guarded import GaveUp, Step, guarded
from workflows.order.parcels.documents import booking
from workflows.order.parcels.parcel_state import ParcelState
from workflows.order.state import OrderState
from workflows.shipping.warehouse import Voided, Warehouse


class ParcelLabel:
    CARRIED = Table(
        _is_void=bool,
        _voiding=bool,
        _over=bool,
        left={"_state": "wiring", "_order_state": "wiring", "_warehouse": "wiring"},
    )

    def __init__(self, state: ParcelState, order_state: OrderState, warehouse: Warehouse) -> None:
        self._state = state
        self._order_state = order_state
        self._warehouse = warehouse
        self._is_void = False
        self._voiding = False
        """It is not known yet whether the carrier takes it back."""
        self._over = False
        """Booked, or given up."""

    async def print(self) -> None:
        """Unless the parcel is already on its way under a number of its own."""
        state = self._state
        if self._over or state.cancelled or state.waybill_no is not None or state.shipped:
            return
        step = Step(
            self._warehouse.carrier_system, "book waybill label", Booked,
            "the warehouse ships under a number of its own", state.child_no,
            settled=lambda: state.waybill_no is not None or state.cancelled,
        )  # fmt: skip
        label: Booked | None = None
        try:
            with suppress(GaveUp):
                label = await guarded(
                    self._order_state.tickets, step, lambda: self._warehouse.label(booking(self._order_state, state))
                )
        finally:  # where it breaks, a person is asked: no run takes it up again
            self._over = True
        if label is None:
            return
        if state.cancelled:  # while it was being printed
            await self.void()
        elif state.waybill_no in (None, label.waybill_no):
            state.labelled(label)
            self._order_state.mark_changed()

    @property
    def is_being_voided(self) -> bool:
        return self._voiding

    def take_back(self) -> bool:
        """True, once, when there is a label to void."""
        if self._state.label is None or self._is_void:
            return False
        self._is_void = True
        return True

    async def void(self) -> None:
        self._voiding = True
        plan, means = self._state.plan, "the label stays unused and may be charged"
        step = Step(self._warehouse.carrier_system, "void label", Voided, means, plan.child_no)
        try:
            with suppress(GaveUp):
                await guarded(
                    self._order_state.tickets, step, lambda: self._warehouse.void_label(plan.child_no, plan.warehouse)
                )
        finally:
            self._voiding = False
