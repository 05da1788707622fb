"""Messages of the return workflow: updates of people, the query `view`. Machines signal `facts`, as to an order.

The start input is `ApplyReturn` (or `ReopenReturn`), a decision is `domain.approvals.Decision` for update `decide` and
signal `decide_by_signal` alike.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from domain.order import Id, Minor, Text
from domain.records import TicketRecord
from domain.returns.enums import Acceptance, CaseStatus, Grade, Level, Reception, ReturnType
from domain.returns.models import EvidenceId, Parcel, Quote, ReturnNo
from domain.strict import Strict
from workflows.messages import SignedCommand

Code = Annotated[str, Field(min_length=1, max_length=64)]


class Applied(Strict):
    """Answer of update `apply`: the application is a case. A refused one is the error `ReturnRefused`, all its reasons
    as details."""

    return_no: ReturnNo
    order_no: str
    status: CaseStatus
    quote: Quote
    currency: str
    route: tuple[Level, ...]


class CancelReturn(SignedCommand):
    """The buyer takes the application back, as long as nothing has been handed over."""

    reason: Text


class LowerAmount(SignedCommand):
    """Staff agree on less than what is asked, never on more; what was approved before has to be approved again."""

    amount_minor: Minor
    reason: Text


class EnterWaybill(SignedCommand):
    """The goods are handed over: by the buyer's own carrier, or to a courier who picked them up."""

    parcel: Parcel


class ReceiveReturn(SignedCommand):
    """A parcel is at the return desk. `code`: the case's return code, from the slip."""

    code: Code


class Received(Strict):
    """Which case has the goods now: the one asked for, or the linked one when that had closed unsent (N6)."""

    return_no: ReturnNo


class ScanUnit(SignedCommand):
    """One unit at the inspection desk. A repeated `scan_id` is the same scan. `minor` and `scrap` need photos."""

    scan_id: Id
    code: Code
    grade: Grade
    sku: Id | None = None
    """The article's own barcode, where it is scanned as well: without it the first line with units left is meant."""
    photos: Annotated[tuple[EvidenceId, ...], Field(max_length=9)] = ()


class Scanned(Strict):
    """`result`: RESTOCK, SECOND_HAND or SCRAP; or why the scan moved nothing: UNKNOWN_CODE, QTY_EXCEEDED …"""

    scan_id: str
    result: str
    accepted: int
    expected: int


class FinishInspection(SignedCommand):
    """Nothing more came: units not scanned are missing, and the supervisor decides about them."""

    remark: Text


class AskSupervisor(SignedCommand):
    """The desk and the buyer disagree: the supervisor decides whether the case pays `amount_minor` instead."""

    amount_minor: Minor
    reason: Text


class CheckOutbound(SignedCommand):
    """Outbound quality check of the replacement: only a passed one lets its label print (R56)."""

    passed: bool
    remark: Text


class PrintLabel(SignedCommand):
    """The label of the replacement, or what it waits for."""


class LabelAnswer(Strict):
    """OK with the number, or what is missing."""

    result: Literal["OK", "RETURN_NOT_INSPECTED", "OUTBOUND_QC_REQUIRED", "NOT_AN_EXCHANGE", "LABEL_PENDING"]
    child_no: str | None = None
    waybill_no: str | None = None


class PayNow(SignedCommand):
    """Somebody asks for the money of a case. It answers what the gate says; paying is the case's own business."""


class PayAnswer(Strict):
    result: str
    """OK: it is being paid. NOT_APPROVED, GOODS_NOT_RECEIVED, NOT_INSPECTED, DUPLICATE: why it is not."""


class CaseState(Strict):
    """Answer of query `view`: a case as its workflow knows it this moment (the store's view has the whole story)."""

    return_no: str
    order_no: str
    type: ReturnType
    status: CaseStatus
    reception: Reception
    acceptance: Acceptance
    waiting_for: str
    sla_owner: str
    due_at: AwareDatetime | None
    amount_minor: Minor
    refunded_minor: Minor
    currency: str
    version: int
    open_approvals: tuple[str, ...]
    open_tickets: tuple[TicketRecord, ...]
    parcels: tuple[Parcel, ...]
    accepted_units: int
    expected_units: int
    replacement_no: str | None
    linked_to: str | None
    as_of: AwareDatetime
