"""What an order workflow hands to the store, and gets back: one write per visible change, one transaction each."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from domain.dispatch.holds import Hold
from domain.insight.risk import BuyerHistory, OrderTraits
from domain.insight.risk_model import RiskModel
from domain.order import Id, Minor, Qty, Sku, SkuTags
from domain.policy import Policy
from domain.refunds.outside import BankWord, OutsideMoney
from domain.states import ChildStatus, OrderStatus, Outcome, PaymentStatus, RefundStatus
from domain.strict import Strict
from domain.tickets import Remark, Severity
from domain.units import UnitRange


class SplitReason(Strict):
    """Why a group of units became a child of its own."""

    dim: str
    value: str


class ChildPlan(Strict):
    """One child order as planned by the split. `lines`: units by line_id. Amounts are sums of unit shares."""

    child_no: str
    reasons: tuple[SplitReason, ...]
    lines: dict[str, Qty]
    warehouse: str
    net_minor: Minor
    freight_minor: Minor
    paid_minor: Minor
    status: ChildStatus
    carrier: str | None = None
    """Who is to carry it: the cheapest configured tariff. None: the carrier system chooses."""
    shipping_cost_minor: Minor | None = None
    """What that carrier is expected to charge us; not what the buyer pays."""
    runs: tuple[UnitRange, ...] = ()
    """Exactly which units. Empty for children of the split itself: the next ones of each line, in order of numbers."""
    customs: str | None = None
    """Mode in which it crosses the border; None: it does not."""


class PricedLine(Strict):
    line_id: Id
    sku: Sku
    qty: Qty
    unit_price_minor: Minor
    gross_minor: Minor
    discount_minor: Minor
    coupon_minor: Minor
    net_minor: Minor
    freight_minor: Minor
    paid_minor: Minor
    weight_g: int
    tags: SkuTags


class Priced(Strict):
    """An order's price, line by line, coupons and freight shared out to the fen."""

    goods_gross_minor: Minor
    line_discount_minor: Minor
    coupon_minor: Minor
    goods_net_minor: Minor
    freight_minor: Minor
    payable_minor: Minor
    lines: tuple[PricedLine, ...]


class Untagged(Strict):
    """A line whose SKU the catalogue knows without tags."""

    line_id: str
    sku: str


NO_WAREHOUSE = "PENDING-TAGS"
"""Stands where an untagged line's warehouse will be; nothing is split, reserved or shipped from it."""


class Registered(Strict):
    """An order that is in the books: its price, resolved tags and the policy that it keeps."""

    order_no: str
    priced: Priced
    policy: Policy
    pay_deadline: AwareDatetime
    untagged: tuple[Untagged, ...] = ()
    """Not to be split before somebody has tagged them (R25)."""
    offers_at_once: bool = False
    """Its payment is asked for in the same workflow task (decision 0076). False: as histories from before have it."""


class Retagged(Strict):
    """The order after another look into the catalogue."""

    priced: Priced
    untagged: tuple[Untagged, ...] = ()


class Payment(Strict):
    """Money received for an order, as the channel told it."""

    key: str
    channel: str
    transaction_id: str
    merchant_id: str
    amount_minor: Minor
    currency: str
    paid_at: AwareDatetime


class Package(Strict):
    """One of several packages of a child. `signed_at`: nobody has signed for it yet where it is empty."""

    waybill_no: str
    carrier: str | None = None
    signed_at: AwareDatetime | None = None


class ChildState(Strict):
    child_no: str
    status: ChildStatus
    waybill_no: str | None = None
    carrier: str | None = None
    tms_ref: str | None = None
    """The carrier system's own id of the booking, needed to void it."""
    label_format: Literal["PDF", "ZPL"] | None = None
    label_b64: str | None = None
    shipped_at: AwareDatetime | None = None
    signed_at: AwareDatetime | None = None
    replaces: tuple[str, ...] = ()
    """Children that it was made of: shipped together, or split by hand."""
    replaced_by: tuple[str, ...] = ()
    """It ended without a refund: its units ship as these."""
    packages: tuple[Package, ...] = ()
    """Where it goes in several: all of them. It is delivered when each of them is."""


class StockMove(Strict):
    """One movement of one SKU in one warehouse. (ref, kind, sku, warehouse) happens at most once."""

    ref: str
    kind: Literal[
        "receive", "reserve", "release", "ship", "unship", "write_off", "shrink",
        "freeze", "unfreeze", "grade_good", "grade_minor", "grade_scrap",
    ]  # fmt: skip
    """`unship`: booked as shipped, and was not there; `shrink`: was not found at a
    count. The second row is of returns (`domain/returns/ledger.py`)."""
    sku: str
    warehouse: str
    qty: Qty


class EventRecord(Strict):
    """What became of one fact. At most one APPLIED record per (order_no, key)."""

    key: str
    kind: str
    """A `domain.facts.Kind`; or the name of one that this version does not know, of a fact that it could not read."""
    source: str
    occurred_at: AwareDatetime
    outcome: Outcome
    child_no: str | None = None
    from_status: str
    to_status: str
    note: str = ""
    inbox_id: int | None = None
    outside: OutsideMoney | None = None
    """It says that money moved without us: kept beside, with a ticket."""
    bank: BankWord | None = None
    """It says how a chargeback ended: the books compare, and say what became of it."""


class RefundRecord(Strict):
    refund_no: str
    amount_minor: Minor
    status: RefundStatus
    reason: str
    units: dict[str, int] = Field(default_factory=dict)
    """Units refunded by line_id."""
    children: tuple[str, ...] = ()
    """The parcels whose units they are: all of them, or the last ones of a single parcel (short pick). None: it is left
    open which units exactly, unless the line is refunded as a whole."""
    payment_key: str | None = None
    """The payment that it gives back; None: the order's, the oldest first."""


class TicketRecord(Strict):
    """A question for a person. `ticket_id` = `T-{order_no}-{n}`."""

    ticket_id: str
    system: str
    step: str
    error: str
    severity: Severity = "normal"
    child_no: str | None = None
    actions: tuple[Literal["retry", "supply", "give_up"], ...] = ("retry", "supply", "give_up")
    give_up_means: str = ""
    """The defined fallback, in words."""


class TicketResolution(Strict):
    ticket_id: str
    action: Literal["retry", "supply", "give_up", "evidence"]
    """`evidence`: the awaited fact arrived by itself."""
    remark: Remark
    resolved_by: str
    result: dict[str, Any] | None = None


class AuditEntry(Strict):
    actor: str
    action: str
    detail: dict[str, Any] = Field(default_factory=dict)


class OrderWrite(Strict):
    """Everything one visible change of an order writes, in one transaction.

    `seq` rises by one per write; the read-model columns are only overwritten by a higher seq, while events, moves,
    payments, refunds, tickets and audit rows are inserted once whatever the seq (each has its own unique key).
    """

    order_no: str
    seq: Annotated[int, Field(ge=1)]
    at: AwareDatetime
    status: OrderStatus
    payment_status: PaymentStatus
    waiting_for: str
    needs_attention: bool
    ended: bool = False
    """The workflow is about to end."""
    payment_code: str | None = None
    """Native: code_url; JSAPI: prepay_id."""
    children: tuple[ChildState, ...] = ()
    events: tuple[EventRecord, ...] = ()
    moves: tuple[StockMove, ...] = ()
    payment: Payment | None = None
    refunds: tuple[RefundRecord, ...] = ()
    tickets: tuple[TicketRecord, ...] = ()
    resolutions: tuple[TicketResolution, ...] = ()
    audit: tuple[AuditEntry, ...] = ()
    holds: tuple[Hold, ...] = ()
    """Those that have changed, each as it is now."""


class SettlePayment(Strict):
    """A payment that fits the order: book it, freeze the unit shares, reserve stock, split, store the children."""

    write: OrderWrite
    """Carries the payment and its event; children are filled in by the answer."""
    policy: Policy
    traits: OrderTraits | None = None
    """What the order shows of its return risk, kept with what is counted of its buyer. None: before that was asked."""


class Settled(Strict):
    """`history`: of its buyer; None in what was settled before anybody asked. `risk_model`: the one in force."""

    children: tuple[ChildPlan, ...]
    history: BuyerHistory | None = None
    risk_model: RiskModel | None = None
