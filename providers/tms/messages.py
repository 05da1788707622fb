"""What the TMS contract carries (docs/contract/tms.md). What we send is strict; replies may hold more than we read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from domain.order import Address, Id
from domain.strict import Strict
from providers.tracking import WaybillNo

LabelFormat = Literal["PDF", "ZPL"]
Carrier = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,19}$")]
"""Carrier code as warehouses use it (Qimen logisticsCode): SF, YTO, ZTO, STO, YUNDA, JD, EMS."""


class BookShipment(Strict):
    """One parcel to be carried. `shipment_id` is the child order's number and the idempotency key."""

    shipment_id: Id
    receiver: Address
    weight_g: Annotated[int, Field(ge=0, le=10**9)]
    items: Annotated[int, Field(ge=1, le=10**7)]
    """Units inside."""
    carrier: Carrier | None = None
    """None: the TMS chooses."""
    buyer_identity: Id | None = None
    """Of goods that cross the border: a reference or a hash, never a document's number."""


class ShipmentStatus(StrEnum):
    BOOKED = "booked"
    COLLECTED = "collected"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    REFUSED = "refused"
    RETURNED = "returned"
    VOIDED = "voided"


class _Reply(BaseModel):
    """A carrier system may add fields; the ones that we read are still read strictly."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


class TmsBooked(_Reply):
    """A booking as the TMS holds it: answer of book and of query."""

    shipment_id: Id
    tms_ref: Id
    carrier: Carrier
    waybill_no: WaybillNo
    status: ShipmentStatus


class VoidAnswer(_Reply):
    result: Literal["voided", "too_late"]


class TmsFailure(_Reply):
    code: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,49}$")]
    message: str = ""


class FailureReply(_Reply):
    error: TmsFailure


class EventData(_Reply):
    shipment_id: Id
    waybill_no: WaybillNo | None = None
    carrier: Carrier | None = None
    place: str = ""
    note: str = ""


class TmsEvent(_Reply):
    """A callback: `timestamp` is when it happened, not when it was sent."""

    type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,59}$")]
    timestamp: AwareDatetime
    data: EventData


class EventHead(_Reply):
    """As much as must be readable in an event of a type that we do not know."""

    type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,59}$")]


@dataclass(frozen=True)
class TmsLabel:
    """A printable label. ZPL is text for a label printer."""

    format: LabelFormat
    content: bytes
