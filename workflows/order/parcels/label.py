"""Waybill and label of one parcel: booked once when it is packed, voided when it will not ship after all."""

from activities.messages import Booked
from workflows.durable.carrying import Own, Table
from workflows.order.parcels.documents import booking
from workflows.order.parcels.parcel_state import ParcelState
from workflows.order.state import OrderState
from workflows.shipping.carrier_label import CarrierLabel
from workflows.shipping.warehouse import Warehouse


class ParcelLabel:
    CARRIED = Table(
        _is_void=bool,
        _voiding=bool,
        _over=bool,
        _at_carrier=Own(),
        left={"_state": "wiring", "_order_state": "wiring"},
    )

    def __init__(self, state: ParcelState, order_state: OrderState, warehouse: Warehouse) -> None:
        self._state = state
        self._order_state = order_state
        self._at_carrier = CarrierLabel(order_state.tickets, warehouse)
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
        label: Booked | None = None
        try:
            label = await self._at_carrier.book(
                "book waybill label", booking(self._order_state, state),
                settled=lambda: state.waybill_no is not None or state.cancelled,
            )  # fmt: skip
        finally:  # where it breaks, a person is asked: no run takes it up again
            self._over = True
        if label is None:
            if state.cancelled:
                self._at_carrier.nobody_uses_it()
        elif state.cancelled:  # while it was being printed
            await self.void()
        elif state.waybill_no in (None, label.waybill_no):
            state.labelled(label)
            self._order_state.mark_changed()
        else:
            self._at_carrier.goes_under_another()
        if self._at_carrier.is_unused:
            await self.void()

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
        plan = self._state.plan
        try:
            await self._at_carrier.void("void label", plan.child_no, plan.warehouse)
        finally:
            self._voiding = False
