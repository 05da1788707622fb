"""Inputs and outputs of the return workflow's own activities, beside the records of `domain/returns/records.py`."""

from typing import Literal

from pydantic import AwareDatetime

from domain.order import Address, PayChannel
from domain.policy import Policy
from domain.records import StockMove
from domain.returns.enums import Level
from domain.returns.models import Admitted, ApplyReturn, ReopenReturn
from domain.states import ChildStatus
from domain.strict import Strict
from domain.units import UnitRange


class Apply(Strict):
    """One application, or one parcel that reopens a case. `run_id`: the same run may ask again."""

    application: ApplyReturn | None = None
    reopening: ReopenReturn | None = None
    run_id: str
    now: AwareDatetime


class IssueCode(Strict):
    return_no: str
    now: AwareDatetime


class CloseOrder(Strict):
    """After a payout: an ended order of which every unit has been paid back is closed."""

    order_no: str
    return_no: str
    now: AwareDatetime


class ReturnedLine(Strict):
    """What a case needs to know of a line: for stock, for the desk, for a replacement."""

    line_id: str
    sku: str
    name: str
    warehouse: str
    weight_g: int
    units: tuple[UnitRange, ...]
    replacement_sku: str

    @property
    def qty(self) -> int:
        return sum(r.units for r in self.units)


class Taken(Strict):
    """The case with its surroundings, read once: the policy it keeps, the address a replacement goes to."""

    admitted: Admitted
    application: ApplyReturn
    """Of a reopened case: the application that the old one began with."""
    linked_to: str | None = None
    policy: Policy
    pay_channel: PayChannel
    address: Address
    lines: tuple[ReturnedLine, ...]
    coupons: tuple[str, ...] = ()
    """Given back when the whole order is cancelled before shipping."""
    whole_order: bool = False
    """The case holds every unit of the order."""


class QuoteFor(Strict):
    """What these units of a case are worth, staff's lowering included."""

    return_no: str
    accepted: tuple[UnitRange, ...]


class WhatLeft(Strict):
    """Asked before goods of a case are received: what never left the warehouse cannot come back to it."""

    return_no: str


class HasLeft(Strict):
    """Units of a case, by our books."""

    units: tuple[UnitRange, ...]


class CancelRoute(Strict):
    """Of a paid order that is to be cancelled; `amount_minor` would go back."""

    order_no: str
    amount_minor: int


class RouteFound(Strict):
    """Who has to agree, in turn."""

    levels: tuple[Level, ...]


class SlotFor(Strict):
    """Asked right before a refund is sent, so that the channel's limits hold across all cases of an order."""

    order_no: str
    refund_no: str
    payment_key: str
    spacing_s: int
    now: AwareDatetime


class Slot(Strict):
    """When the refund may be sent; or why it may not be sent at all."""

    at: AwareDatetime
    refused: str = ""


class ReplacementLine(Strict):
    line_id: str
    sku: str
    name: str
    warehouse: str
    weight_g: int
    qty: int


class OpenReplacement(Strict):
    """The child of type EXCHANGE, with its goods reserved: all of them or none."""

    return_no: str
    order_no: str
    lines: tuple[ReplacementLine, ...]
    at: AwareDatetime


class ReplacementPlan(Strict):
    """`child_no`: the same on every try. `missing`: SKUs that cannot be reserved now; then nothing is."""

    child_no: str
    missing: tuple[str, ...] = ()


class ReplacementState(Strict):
    """What becomes of a replacement, for the read model and for finding its case by its numbers."""

    return_no: str
    child_no: str
    status: ChildStatus
    waybill_no: str | None = None
    carrier: str | None = None
    tms_ref: str | None = None
    label_format: Literal["PDF", "ZPL"] | None = None
    label_b64: str | None = None
    shipped_at: AwareDatetime | None = None
    signed_at: AwareDatetime | None = None
    seq: int
    at: AwareDatetime
    moves: tuple[StockMove, ...] = ()
