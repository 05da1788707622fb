"""Waybill and label of one parcel: booked once when it is packed, voided when it will not ship after all."""

from typing import TYPE_CHECKING

from activities.calls import Booked
from workflows.guarded import GaveUp, Step, guarded
from workflows.warehouse import Voided

if TYPE_CHECKING:
    from workflows.parcel import Parcel


class ParcelLabel:
    def __init__(self, parcel: "Parcel") -> None:
        self._parcel = parcel
        self.booked: Booked | None = None
        self._is_fresh = False
        self._is_void = False

    async def print(self) -> None:
        """Unless the parcel is already on its way under a number of its own."""
        parcel = self._parcel
        if parcel.cancelled or parcel.waybill_no is not None or parcel.shipped:
            return
        step = Step(
            parcel.warehouse.carrier_system, "book waybill label", Booked,
            "the warehouse ships under a number of its own", parcel.plan.child_no,
            settled=lambda: parcel.waybill_no is not None or parcel.cancelled,
        )  # fmt: skip
        try:
            label = await guarded(
                parcel.book.tickets, step, lambda: parcel.warehouse.label(parcel.plan, parcel.address)
            )
        except GaveUp:
            return
        if label is None:
            return
        if parcel.cancelled:  # while it was being printed
            await self.void()
        elif parcel.waybill_no in (None, label.waybill_no):
            self.booked, parcel.waybill_no, parcel.carrier = label, label.waybill_no, label.carrier
            self._is_fresh = True
            parcel.book.touch()

    def take_back(self) -> bool:
        """True, once, when there is a label to void."""
        if self.booked is None or self._is_void:
            return False
        self._is_void = True
        return True

    async def void(self) -> None:
        parcel = self._parcel
        means = "the label stays unused and may be charged"
        step = Step(parcel.warehouse.carrier_system, "void label", Voided, means, parcel.plan.child_no)
        try:
            await guarded(parcel.book.tickets, step, lambda: parcel.warehouse.void_label(parcel.plan))
        except GaveUp:
            return

    def bytes_to_write(self) -> str | None:
        """They travel in the first write after printing only."""
        fresh, self._is_fresh = self._is_fresh, False
        return self.booked.label_b64 if self.booked and fresh else None
