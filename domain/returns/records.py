"""What the return workflow hands to the store, and gets back: one write per visible change, one transaction each."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from domain.order import Id, Minor
from domain.records import AuditEntry, EventRecord, RefundRecord, StockMove, TicketRecord, TicketResolution
from domain.returns.enums import Acceptance, CaseStatus, Reception
from domain.returns.models import CaseUnit, Parcel, ReturnNo, ScanRecord, TimelineRecord
from domain.strict import Strict
from domain.units import UnitRange


class RefundPart(Strict):
    """The part of a case's refund that one payment bears. Each is asked for at its channel under its own number."""

    refund_no: str
    payment_key: str
    channel: str
    transaction_id: str
    amount_minor: Minor
    paid_minor: Minor
    """Of that payment, as some channels want to hear it again."""


class ReserveRefund(Strict):
    """The last step before money moves: held money becomes refunds, one a payment.

    `accepted`: the units that are really refunded; the case's other units become free again.
    """

    return_no: ReturnNo
    accepted: tuple[UnitRange, ...]
    amount_minor: Minor
    reason: str
    at: AwareDatetime


class RefundReserved(Strict):
    parts: tuple[RefundPart, ...]


class ReturnWrite(Strict):
    """Everything one visible change of a case writes, in one transaction.

    `seq` rises by one per write; read-model columns are only overwritten by a higher seq, while timeline, moves,
    parcels, scans, refunds, tickets and audit rows go in once whatever the seq (each has its own unique key).
    A status of `LET_GO` or EXCHANGED frees the case's units and money in the same transaction.
    """

    return_no: ReturnNo
    seq: Annotated[int, Field(ge=1)]
    at: AwareDatetime
    status: CaseStatus
    reception: Reception
    acceptance: Acceptance
    waiting_for: str
    needs_attention: bool
    sla_owner: str = ""
    due_at: AwareDatetime | None = None
    close_reason: str | None = None
    """`RETURN_NOT_SENT_7D`, a rejection's remark …"""
    ended: bool = False
    units: tuple[CaseUnit, ...] = ()
    """Only those that changed."""
    parcels: tuple[Parcel, ...] = ()
    scans: tuple[ScanRecord, ...] = ()
    timeline: tuple[TimelineRecord, ...] = ()
    events: tuple[EventRecord, ...] = ()
    """What became of facts, beside the order's own: every inbox row comes to an end, every source's word is known."""
    moves: tuple[StockMove, ...] = ()
    """From `domain/returns/ledger.py`."""
    refunds: tuple[RefundRecord, ...] = ()
    """News of refunds that `reserve_refund` made."""
    tickets: tuple[TicketRecord, ...] = ()
    resolutions: tuple[TicketResolution, ...] = ()
    audit: tuple[AuditEntry, ...] = ()


class CodeIssued(Strict):
    """The case's return code, for the slip and for scanning (R50)."""

    return_no: ReturnNo
    code: str


class CodeLookup(Strict):
    """Somebody types or scans a return code. `who`: the desk or person that is counted against guessing."""

    code: str
    who: Id
    at: AwareDatetime
