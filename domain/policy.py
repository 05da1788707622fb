"""Durations, retries and split order: a versioned policy, read once when an order starts and kept by it."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from domain.inbox.retention import Retention
from domain.insight.risk import RiskTable
from domain.order import Logistics, Tag
from domain.strict import Strict
from domain.tickets import Escalation
from domain.timers import Seconds

Dimension = Literal["warehouse", "customs", "supplier", "logistics"]
CarrierSystem = Literal["tms", "sf"]
FreightBack = Literal["proportional", "none", "none_if_buyer_fault"]
"""What becomes of the freight share of a returned unit. `none_if_buyer_fault`: kept from buyers at fault once goods
have left (R47)."""
Days = Annotated[int, Field(ge=0, le=3650)]
ChannelName = Annotated[str, Field(pattern=r"^[^\s=,，、]{1,64}$")]


class Policy(Strict):
    """Defaults are the practice facts of docs/requirements.md, Timers."""

    version: Annotated[int, Field(ge=0)] = 0
    currencies: tuple[str, ...] = ("CNY",)
    payment_timeout_s: Seconds = 30 * 60
    flash_payment_timeout_s: Seconds = 15 * 60
    late_payment_watch_s: Seconds = 25 * 3600
    """How long a closed order still listens for a late payment: WeChat repeats a notice for 24 h 4 min."""
    receipt_s: Seconds = 10 * 86400
    """Automatic receipt, counted from shipping of the last parcel."""
    window_s: Seconds = 7 * 86400
    """After-sales window, counted from receipt."""
    refund_query_s: Seconds = 600
    """An accepted refund that no callback has settled is asked for after this, then at ever longer pauses."""
    refund_ticket_after_s: Seconds = 3 * 86400
    """An accepted refund that has not ended after this becomes a ticket; it is asked for all the same."""
    cancel_wait_s: Seconds = 2 * 3600
    """A pending interception without an answer becomes a ticket after this."""
    retry_backoff_s: tuple[Seconds, ...] = (5, 10, 20)
    """Waits before retry 1, 2, 3: one try and three retries (R09)."""
    refund_spacing_s: Seconds = 60
    """WeChat refuses two refunds of one order within a minute (docs/providers.md, WeChat Pay)."""
    parked_ticket_after_s: Seconds = 4 * 3600
    escalation: Escalation = Escalation()
    """When a ticket that nobody looks after grows louder, and who is told (R10)."""
    retention: Retention = Retention()
    """How long the inbox keeps what it no longer needs."""
    callback_alert_below_bp: Annotated[int, Field(ge=0, le=10_000)] = 9_900
    """A source's callbacks want somebody when fewer than this were accepted in a span of five minutes (R18) …"""
    callback_alert_after: Annotated[int, Field(ge=1, le=288)] = 2
    """… and in so many of them in a row."""
    clock_skew_s: Seconds = 900
    """So far the clocks of couriers and warehouses may be ahead of ours; a later time is not believed."""
    supplier_answer_s: Seconds = 24 * 3600
    """A supplier that has neither confirmed nor rejected a child after this is asked about (R36)."""
    approval_reminder_s: Seconds = 24 * 3600
    approval_escalation_s: Seconds = 48 * 3600
    """An undecided approval is reminded of, then escalated, counted from asking (R43); nothing approves by itself."""
    carrier_system: CarrierSystem = "tms"
    """Where waybills are booked: at the carrier system, or at SF directly (without a label of ours)."""
    no_reason_days: Days = 7
    """Time to apply for a return, counted from the day after signing."""
    quality_exchange_days: Days = 15
    """The same for an exchange because of a defect."""
    max_applications: Annotated[int, Field(ge=1, le=100)] = 5
    """Cases an item may ever have."""
    freight_back: FreightBack = "proportional"
    small_refund_max_minor: Annotated[int, Field(ge=0, le=10**12)] = 10_000
    """Up to here the supervisor decides alone; above, finance looks again before payout (R44)."""
    cumulative_refunds: bool = True
    """Compare the sum over the order instead of the single case: a refund in small parts is no small one."""
    review_reminder_s: Seconds = 24 * 3600
    review_escalation_s: Seconds = 48 * 3600
    """Nobody has decided: the next level hears of it. Never approved by silence (R43)."""
    stop_before_asking: bool = True
    """What has not left is stopped when a case about it is applied for, and ships again when the case does not pay.
    False: only once the supervisor has agreed; what ships meanwhile is then asked about again (decision 0031)."""
    send_back_s: Seconds = 7 * 86400
    """From approval to handing over; then the case closes (R52)."""
    unknown_waybill_s: Seconds = 72 * 3600
    """A waybill of a return that no courier knows becomes a ticket after this (R51)."""
    receive_s: Seconds = 10 * 86400
    """From handing over to the warehouse's receipt, then a ticket."""
    dispatch_s: Seconds = 48 * 3600
    """From payment until all of an order has left, where its channel has promised nothing of its own (R82)."""
    dispatch_by_channel: Annotated[dict[ChannelName, Seconds], Field(max_length=50)] = Field(default_factory=dict)
    """The same for orders of these channels: a marketplace promises for all of its shops."""
    dispatch_warning_s: Seconds = 6 * 3600
    """So long before that a ticket warns of what has not left."""
    risk: RiskTable = RiskTable()
    """From which points on an order is looked at before it leaves (R60, R61)."""
    logistics: Annotated[tuple[Logistics, ...], Field(min_length=1, max_length=40)] = ("ambient", "cold", "frozen")
    """How goods may have to travel; an order with another class is refused, as it is most often misspelt."""
    warehouses: Annotated[tuple[Tag, ...], Field(max_length=500)] = ()
    """Where goods may be; empty: anywhere."""
    split_priority: tuple[Dimension, ...] = ("warehouse", "customs", "supplier", "logistics")

    def dispatch_of(self, channel: str) -> int:
        """In seconds from payment, where its order brings no promise of its own."""
        return self.dispatch_by_channel.get(channel, self.dispatch_s)

    @model_validator(mode="after")
    def _every_dimension_once(self) -> Self:
        if sorted(self.split_priority) != sorted(get_args(Dimension)):
            raise ValueError(f"split_priority names each of {', '.join(get_args(Dimension))} exactly once")
        return self


def changes(before: Policy, after: Policy) -> dict[str, tuple[Any, Any]]:
    """Old and new value of every setting that differs, as JSON values; the version itself is not a setting."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return {name: (old[name], new[name]) for name in new if name != "version" and old[name] != new[name]}
