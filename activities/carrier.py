"""Carrier: booking keyed by child number, with a label where there is one; voiding. At the carrier system or at SF."""

import base64
from collections.abc import Awaitable, Callable
from typing import Literal

from pydantic import ValidationError
from temporalio import activity

from activities.messages import BookBatch, Booked, Booking, BookOutcome, BookOutcomes, Failure, VoidCall
from activities.provider_errors import each, outside
from domain.policy import CarrierSystem
from providers.errors import ProviderError, Refused, UnknownOutcome
from providers.sf import client as sf
from providers.tms import client as tms
from providers.tms import messages

Book = Callable[[Booking], Awaitable[Booked]]


class CarrierActivities:
    """`sf` None: this installation books at the carrier system only."""

    def __init__(self, carrier_system: tms.TmsClient, sf: sf.Sf | None = None) -> None:
        self._tms = carrier_system
        self._sf = sf

    @activity.defn(name="carrier.book")
    async def book(self, call: BookBatch) -> BookOutcomes:
        async with outside(call):
            book = self._book_at(call.carrier_system)
        return BookOutcomes(items=await each(call, call.items, book, _outcome))

    @activity.defn(name="carrier.void")
    async def void(self, call: VoidCall) -> bool:
        """False: the carrier already has the parcel."""
        async with outside(call):
            at = self._tms if call.carrier_system == "tms" else self._sf_or_refuse()
            result: Literal["voided", "too_late"] = await at.void(call.child_no)
            return result == "voided"

    def _book_at(self, system: CarrierSystem) -> Book:
        if system == "tms":
            return self._book_at_tms
        client = self._sf_or_refuse()

        async def book_at_sf(item: Booking) -> Booked:
            """SF gives a number only; who packs prints the waybill from it."""
            booked = await client.book(_shipment(item))
            return Booked(waybill_no=booked.waybill_no, carrier=booked.carrier, tms_ref=booked.tms_ref)

        return book_at_sf

    async def _book_at_tms(self, item: Booking) -> Booked:
        booked = await self._tms.book(_shipment(item))
        try:
            label = await self._tms.label(item.child_no, "ZPL")
        except ProviderError as error:  # whatever it says: the parcel is booked
            text = f"booked under {booked.waybill_no}, and its label was not given: {error.message}"
            raise UnknownOutcome(error.system, error.code, text, retry_after_s=error.retry_after_s) from error
        return Booked(
            waybill_no=booked.waybill_no,
            carrier=booked.carrier,
            tms_ref=booked.tms_ref,
            label_format=label.format,
            label_b64=base64.b64encode(label.content).decode(),
        )

    def _sf_or_refuse(self) -> sf.Sf:
        if self._sf is None:
            text = "the policy books at SF, which is not configured here: set OMS_SF_BASE_URL and its other variables"
            raise Refused("sf", "NOT_CONFIGURED", text)
        return self._sf


def _shipment(item: Booking) -> messages.BookShipment:
    message = {
        "shipment_id": item.child_no,
        "receiver": item.address,
        "weight_g": item.weight_g,
        "items": item.pieces,
        "carrier": item.carrier,
        "buyer_identity": item.buyer_identity,
    }
    try:
        return messages.BookShipment.model_validate(message)
    except ValidationError:  # the carrier is the only part that has not been read as strictly before
        text = f"the tariff table's carrier {item.carrier} is no carrier code (docs/contract/tms.md); correct the table"
        raise Refused("tms", "CARRIER_UNKNOWN", text) from None


def _outcome(item: Booking, done: Booked | None, failed: Failure | None) -> BookOutcome:
    return BookOutcome(child_no=item.child_no, done=done, failed=failed)
