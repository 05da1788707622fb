"""Inputs and outputs of the activities that call outside systems. Amounts in minor units."""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from domain.call_outcome import CallOutcome
from domain.facts import Fact
from domain.order import Address, Minor, PayChannel
from domain.policy import CarrierSystem
from domain.strict import Strict

FULL = "full"
"""Type of the error of a try at once for which a worker has no room: it was not made."""
WMS = "qimen"
"""The warehouse's system, as tickets name it."""


class Call(Strict):
    """What every outside call carries: the waits before retry 1, 2, 3 and the least spacing between attempts."""

    backoff_s: tuple[int, ...]
    min_spacing_s: int = 0


class CreatePayment(Call):
    channel: PayChannel = "wechat"
    order_no: str
    method: Literal["native", "jsapi"]
    description: str
    amount_minor: Minor
    currency: str
    expires_at: AwareDatetime
    openid: str | None = None


class PaymentCreated(Strict):
    """`code`: what the QR code shows (native) or prepay_id (jsapi)."""

    code: str


class PaymentQuery(Call):
    channel: PayChannel = "wechat"
    order_no: str


class PaymentState(Strict):
    """`PAID` carries the payment as a fact; `UNKNOWN` is left to a person."""

    state: Literal["PAID", "UNPAID", "CLOSED", "ABSENT", "UNKNOWN"]
    fact: Fact | None = None

    @model_validator(mode="after")
    def _paid_needs_the_payment(self) -> Self:
        if (self.state == "PAID") != (self.fact is not None):
            raise ValueError("state PAID, and only PAID, carries the payment as a fact")
        return self


class RefundCall(Call):
    channel: PayChannel = "wechat"
    order_no: str
    refund_no: str
    amount_minor: Minor
    paid_minor: Minor
    currency: str
    reason: str
    transaction_id: str | None = None
    """Of a payment that is not the one offered under `order_no`: the channel's own number."""
    ask_first: bool = False
    """An earlier round may have reached the channel: ask for the refund before asking for it again."""


class RefundState(Strict):
    """`fact` is set once the refund has come to an end."""

    state: Literal["PROCESSING", "SUCCEEDED", "ABNORMAL", "CLOSED"]
    fact: Fact | None = None


class OutboundLine(Strict):
    line_id: str
    sku: str
    name: str
    qty: int


class Outbound(Strict):
    """One child order for the warehouse (key: child_no)."""

    child_no: str
    order_no: str
    warehouse: str
    placed_at: AwareDatetime
    address: Address
    lines: tuple[OutboundLine, ...]
    carrier: str | None = None
    buyer_identity: str | None = None
    """Of goods that cross the border: the reference by which customs know the buyer, the same on every document."""


class PushBatch(Call):
    items: tuple[Outbound, ...]


class Booking(Strict):
    """One parcel for the carrier (key: child_no)."""

    child_no: str
    address: Address
    weight_g: int
    pieces: int
    carrier: str | None = None
    """The order's choice; None: the carrier system chooses."""
    buyer_identity: str | None = None
    """As on the outbound order."""


class BookBatch(Call):
    carrier_system: CarrierSystem = "tms"
    items: tuple[Booking, ...]


class Booked(Strict):
    """`label_*` None: the carrier gives no label; the warehouse prints its own from the number."""

    waybill_no: str
    carrier: str
    tms_ref: str
    label_format: Literal["PDF", "ZPL"] | None = None
    label_b64: str | None = None


class Pushed(Strict):
    wms_ref: str


class Failure(Strict):
    """Why one item of a batch was not done. `outcome`: refused is final, the others were tried to the end."""

    outcome: Annotated[CallOutcome, Field(strict=False)]
    """Read from plain values too: a failed batch carries what is done as details of its error."""
    error: str


class PushOutcome(Strict):
    child_no: str
    done: Pushed | None = None
    failed: Failure | None = None


class BookOutcome(Strict):
    child_no: str
    done: Booked | None = None
    failed: Failure | None = None


class PushOutcomes(Strict):
    items: tuple[PushOutcome, ...]


class BookOutcomes(Strict):
    items: tuple[BookOutcome, ...]


class ChildCall(Call):
    child_no: str
    order_no: str
    warehouse: str = ""


class VoidCall(ChildCall):
    carrier_system: CarrierSystem = "tms"


class InterceptOutcome(Strict):
    """`absent`: the warehouse knows no such order, which may still be on its way to it."""

    result: Literal["cancelled", "pending", "too_late", "absent"]
    child_no: str = ""
    """Whose it is: the answer about one parcel says nothing of another. Older workers do not say it, nor do people."""


class ParcelQuery(Call):
    waybill_no: str
    carrier: str
    phone: str


class Facts(Strict):
    facts: tuple[Fact, ...]
