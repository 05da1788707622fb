"""What delivering a fact once more would do, as the books stand: told before anything is delivered (R06).

A forecast: the order itself has the last word, and its books may have moved on by then.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from domain.facts import Fact, Kind
from domain.fulfilment.fact_times import is_of_an_earlier_parcel
from domain.fulfilment.parcel_states import HOLDS, RANK, ParcelStateMachine
from domain.inbox.event_routing import MONEY, Disposition, Target, fate
from domain.refunds.chargebacks import ENDS
from domain.states import ChildStatus, OrderStatus, Outcome, RefundStatus

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_REFUNDS = {
    Kind.REFUND_SUCCEEDED: RefundStatus.SUCCEEDED,
    Kind.REFUND_ABNORMAL: RefundStatus.ABNORMAL,
    Kind.REFUND_CLOSED: RefundStatus.CLOSED,
}


class Effect(StrEnum):
    MOVES = "moves"
    HELD = "held"
    DUPLICATE = "duplicate"
    STALE = "stale"
    MISMATCH = "mismatch"
    PARKS = "parks"
    UNREADABLE = "unreadable"


_EFFECTS = {
    Outcome.APPLIED: Effect.MOVES,
    Outcome.HELD: Effect.HELD,
    Outcome.DUPLICATE: Effect.DUPLICATE,
    Outcome.STALE: Effect.STALE,
    Outcome.MISMATCH: Effect.MISMATCH,
}


@dataclass(frozen=True)
class ReplayPreview:
    """What the books say about the order of a fact. `known`: what was made of the same fact before."""

    target: Target
    payable_minor: int
    currency: str
    pay_channel: str
    known: Outcome | None = None
    refund_minor: int | None = None
    refund_status: RefundStatus | None = None


@dataclass(frozen=True)
class Forecast:
    """`before` and `after`: of what the fact is about (order, parcel or refund); the same when nothing moves."""

    key: str
    kind: Kind
    effect: Effect
    order_no: str | None = None
    child_no: str | None = None
    before: str = ""
    after: str = ""
    why: str = ""


def forecast(fact: Fact, standing: ReplayPreview | None) -> Forecast:
    if standing is None:
        return Forecast(fact.key, fact.kind, Effect.PARKS, why="its order is not in the books")
    target = standing.target
    before = _status(fact, standing)

    effect, why, after = _effect(fact, standing, before)
    return Forecast(fact.key, fact.kind, effect, target.order_no, target.child_no, before, after, why)


def _effect(fact: Fact, standing: ReplayPreview, before: str) -> tuple[Effect, str, str]:
    target = standing.target
    found = fate(fact, target)
    if standing.known is Outcome.APPLIED:
        return Effect.DUPLICATE, "the order has applied it", before
    if found is Disposition.CLOSED:
        return Effect.PARKS, "the order has ended; a person is asked", before
    if found is Disposition.STALE:
        return Effect.STALE, _why_stale(fact, target), before
    if fact.kind in MONEY:
        return _money(fact, standing, before)
    if target.child_status is None:
        return Effect.MOVES, "the order decides", before
    applied = _axis(target.child_status).apply(fact)
    return _EFFECTS[applied.outcome], applied.note, applied.after


def _why_stale(fact: Fact, target: Target) -> str:
    if is_of_an_earlier_parcel(fact, target.since):
        return "it happened before the order was paid: another parcel had the number"
    return "the order has ended" if target.ended else "the parcel has gone further"


def _money(fact: Fact, s: ReplayPreview, before: str) -> tuple[Effect, str, str]:
    if fact.kind is Kind.CHARGEBACK_OPENED:
        return Effect.MISMATCH, "a chargeback is a person's to book", before
    if fact.kind in ENDS:
        return Effect.MOVES, "the books compare it with the chargeback, and end that", before
    return _payment(fact, s) if fact.kind is Kind.PAYMENT_SUCCEEDED else _refund(fact, s)


def _payment(fact: Fact, s: ReplayPreview) -> tuple[Effect, str, str]:
    status = s.target.status
    if fact.source != s.pay_channel:
        return Effect.MISMATCH, f"told by {fact.source}, to be paid through {s.pay_channel}", status
    if status is OrderStatus.CLOSED:
        return Effect.MOVES, "late: the money goes back", status
    if status is not OrderStatus.PENDING_PAYMENT:
        return Effect.MISMATCH, "the order is paid already", status
    if (fact.amount_minor, fact.currency or s.currency) != (s.payable_minor, s.currency):
        return Effect.MISMATCH, f"told {fact.amount_minor}, payable {s.payable_minor} {s.currency}", status
    return Effect.MOVES, "the payment fits", OrderStatus.AWAITING_SHIPMENT


def _refund(fact: Fact, s: ReplayPreview) -> tuple[Effect, str, str]:
    if s.refund_status is None:
        return Effect.MISMATCH, f"refund {fact.refund_no} is not in the books", ""
    if fact.amount_minor not in (None, s.refund_minor):
        return Effect.MISMATCH, f"told {fact.amount_minor}, asked for {s.refund_minor}", s.refund_status
    if s.refund_status is RefundStatus.SUCCEEDED:
        return Effect.STALE, "the refund has succeeded", s.refund_status
    return Effect.MOVES, "", _REFUNDS[fact.kind]


def _status(fact: Fact, s: ReplayPreview) -> str:
    if fact.kind in _REFUNDS:
        return s.refund_status or ""
    return s.target.child_status or s.target.status


def _axis(status: ChildStatus) -> ParcelStateMachine:
    """A parcel of which only the status is known."""
    axis = ParcelStateMachine(status if status in HOLDS else ChildStatus.RELEASED)
    if status in RANK:
        axis.reached = status
    axis.is_cancelled = status is ChildStatus.CANCELLED
    axis.intercepting = status is ChildStatus.INTERCEPTING
    if status in (ChildStatus.EXCEPTION, ChildStatus.REFUSED):
        axis.reached = ChildStatus.IN_TRANSIT
        axis.exception_at = _LONG_AGO if status is ChildStatus.EXCEPTION else None
        axis.returned_at = _LONG_AGO if status is ChildStatus.REFUSED else None
    return axis
