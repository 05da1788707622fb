"""Messages of the return workflow and the records that it keeps. Amounts in minor units of the order's currency."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from domain.approvals import Token
from domain.order import Id, Minor, OrderNo, Qty, Sku, Text
from domain.returns.enums import Acceptance, CaseStatus, Fault, Grade, Level, Reason, Reception, ReturnType
from domain.strict import Strict
from domain.units import UnitRange

ReturnNo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{5,25}$")]
"""6 to 26 characters: refund numbers `{return_no}-n` fit the channels' 32."""
EvidenceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
MAX_EVIDENCE = 9
MOST_RETURNED_UNITS = 1_000
"""Of one return: each is graded, written and shown for itself."""


class Origin(UnitRange):
    """Units and what they physically are now: the article that left last, and the warehouse that it left from.

    Not always the line's own: a line may ship from several warehouses, and an exchanged unit is another article.
    """

    sku: Sku
    warehouse: str


class Actor(Strict):
    """Who applies. Customer service applies on behalf of the buyer it names, never for itself."""

    kind: Literal["buyer", "cs_agent"]
    id: Id
    on_behalf_of: Id | None = None


class ApplyReturn(Strict):
    """Start input of the workflow `Return`, id `return/{return_no}`. One application is one case."""

    return_no: ReturnNo
    order_no: OrderNo
    type: ReturnType
    channel: Id
    """Where the buyer asked (app, pc, mini_program …): a label, never a rule (R40)."""
    actor: Actor
    lines: Annotated[dict[Id, Qty], Field(min_length=1, max_length=10_000)]
    """Units by line_id."""
    reason: Reason
    fault: Fault = Fault.NONE
    description: Text | None = None
    answers: Annotated[dict[Annotated[str, Field(max_length=30)], Text], Field(max_length=20)] = Field(
        default_factory=dict
    )
    """What the shop's own form asks besides, by the field's id (`domain/returns/forms.py`)."""
    evidence: Annotated[tuple[EvidenceId, ...], Field(max_length=100)] = ()
    """Pictures uploaded before under this return number (`store/returns/evidence.py`)."""
    replacements: dict[Id, Sku] = Field(default_factory=dict)
    """Exchange only: the SKU that goes out, by line_id. A line not named gets its own SKU again."""
    lowered_amount_minor: Minor | None = None
    """Staff may agree on less than the shares of the units, never on more."""
    lowered_reason: Text | None = None
    proof: Token | None = None
    """Who applies, proven; the books keep the application without it."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.lowered_amount_minor is None) != (self.lowered_reason is None):
            raise ValueError("a lowered amount and its reason come together")
        if self.replacements and self.type not in (ReturnType.EXCHANGE, ReturnType.WARRANTY_REPLACEMENT):
            raise ValueError(f"a {self.type} sends no replacement")
        if not set(self.replacements) <= set(self.lines):
            raise ValueError("a replacement names a line that is not returned")
        if len(set(self.evidence)) != len(self.evidence):
            raise ValueError("the same picture stands twice")
        return self


def return_too_large(application: ApplyReturn) -> str:
    """Why it is not taken, or '': a step that computes for 2 s is taken for a deadlock."""
    units = sum(application.lines.values())
    if units > MOST_RETURNED_UNITS:
        return f"the return has {units} units, one case takes at most {MOST_RETURNED_UNITS}; apply for several"
    return ""


class ReopenReturn(Strict):
    """Start input of a linked case: goods arrived although case `reopens` had closed (N6). Only the system sends it."""

    return_no: ReturnNo
    reopens: ReturnNo
    carrier: Id | None = None
    waybill_no: Id | None = None


class QuoteLine(Strict):
    line_id: Id
    units: Qty
    goods_minor: Minor
    freight_minor: Minor


class Quote(Strict):
    """What goes back for certain units: a plain sum of their frozen shares, lowered by staff or not."""

    goods_minor: Minor
    freight_minor: Minor
    total_minor: Minor
    lines: tuple[QuoteLine, ...]
    full_minor: Minor
    """Before lowering; equal to the total when nobody lowered it."""


class Admitted(Strict):
    """The application is a case now: its units and its money are held for it."""

    return_no: ReturnNo
    order_no: OrderNo
    type: ReturnType
    currency: str
    units: tuple[UnitRange, ...]
    quote: Quote
    """The most that this case can pay; held from the order's money until payout or closing."""
    route: tuple[Level, ...]
    """Who has to agree, in order: the supervisor on application, finance before payout."""
    unshipped: bool
    """Units that have not left: they must be stopped at the warehouse before money goes back."""
    policy_version: int
    order_ended: bool
    """No order workflow listens any more."""
    origins: tuple[Origin, ...] = ()
    """Of the units that have left: what to freeze, and where (`domain/returns/ledger.py`)."""
    applied_at: AwareDatetime


class Parcel(Strict):
    """How the goods come back."""

    carrier: Id
    waybill_no: Id
    way: Literal["own", "pickup"] = "own"


class CaseUnit(Strict):
    """One unit of a case on the axes of its goods."""

    line_id: Id
    unit: Annotated[int, Field(ge=0)]
    reception: Reception
    acceptance: Acceptance
    grade: Grade | None = None


class ScanRecord(Strict):
    """One scan at the inspection desk, and what became of it. `scan_id` makes a repeated scan one scan."""

    scan_id: Id
    scanned: str
    """As read; a wrong code is worth keeping."""
    result: str
    line_id: Id | None = None
    unit: Annotated[int, Field(ge=0)] | None = None
    grade: Grade | None = None
    photos: tuple[EvidenceId, ...] = ()
    by: Id
    at: AwareDatetime


class TimelineRecord(Strict):
    """One line of the case's story, the same for all roles (R58)."""

    actor: str
    role: str = ""
    action: str
    from_status: CaseStatus | None = None
    to_status: CaseStatus | None = None
    detail: dict[str, Any] = Field(default_factory=dict)


class TimelineLine(TimelineRecord):
    at: AwareDatetime


class ReturnView(Strict):
    """A case as people read it (`oms return show`)."""

    return_no: ReturnNo
    order_no: OrderNo
    type: ReturnType
    status: CaseStatus
    reception: Reception
    acceptance: Acceptance
    waiting_for: str
    needs_attention: bool
    sla_owner: str
    """The role whose turn it is."""
    due_at: AwareDatetime | None
    channel: str
    applied_by: Actor
    reason: Reason
    fault: Fault
    currency: str
    quote: Quote
    route: tuple[Level, ...]
    refunded_minor: Minor
    units: tuple[CaseUnit, ...]
    replacements: Mapping[str, str]
    evidence: tuple[str, ...]
    parcels: tuple[Parcel, ...]
    linked_to: ReturnNo | None
    close_reason: str | None
    applied_at: AwareDatetime
    ended_at: AwareDatetime | None
    timeline: tuple[TimelineLine, ...]
