"""Carrier: booking with its label, keyed by child number; voiding."""

import base64

from temporalio import activity

from activities.calls import BookBatch, Booked, Booking, BookOutcome, BookOutcomes, ChildCall, Failure
from activities.outside import each, outside
from providers.tms import client, messages


class CarrierActivities:
    def __init__(self, tms: client.TmsClient) -> None:
        self._tms = tms

    @activity.defn(name="carrier.book")
    async def book(self, call: BookBatch) -> BookOutcomes:
        return BookOutcomes(items=await each(call, call.items, self._book, _outcome))

    @activity.defn(name="carrier.void")
    async def void(self, call: ChildCall) -> bool:
        """False: the carrier already has the parcel."""
        async with outside(call):
            return await self._tms.void(call.child_no) == "voided"

    async def _book(self, item: Booking) -> Booked:
        booked = await self._tms.book(
            messages.BookShipment(
                shipment_id=item.child_no, receiver=item.address, weight_g=item.weight_g, items=item.pieces
            )
        )
        label = await self._tms.label(item.child_no, "ZPL")
        return Booked(
            waybill_no=booked.waybill_no,
            carrier=booked.carrier,
            tms_ref=booked.tms_ref,
            label_format=label.format,
            label_b64=base64.b64encode(label.content).decode(),
        )


def _outcome(item: Booking, done: Booked | None, failed: Failure | None) -> BookOutcome:
    return BookOutcome(child_no=item.child_no, done=done, failed=failed)
