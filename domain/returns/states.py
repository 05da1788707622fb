"""The after-sales state machine: one table of steps for the case, one for each axis of its goods, and the roll-up.

Reception says where a unit is, acceptance whether we agree with what came; the case's status is what people follow.
Money has its own axis (`domain/states.py`, RefundStatus): accepted by a channel is not refunded.
"""

from collections.abc import Iterable
from enum import StrEnum

from domain.returns.enums import (
    ENDS,
    GOODS_COME_BACK,
    GOODS_GO_OUT,
    MONEY_GOES_BACK,
    Acceptance,
    CaseStatus,
    Reception,
    ReturnType,
)
from domain.strict import Strict

S = CaseStatus


class ReturnEvent(StrEnum):
    """What can happen to a case. What is not in `STEPS` for its status is refused and leaves the case alone."""

    ADMITTED = "admitted"
    EXEMPTED = "exempted"
    """Owed by the system itself, or waved through by a published table: nobody has to agree."""
    ARRIVED_LATE = "arrived_late"
    """A linked case: its goods are on their way, or here, before anybody has agreed (N6)."""
    APPROVED = "approved"
    REJECTED = "rejected"
    BUYER_CANCELLED = "buyer_cancelled"
    HANDED_OVER = "handed_over"
    """A waybill was entered, or the courier picked it up."""
    NOT_SENT = "not_sent"
    RECEIVED = "received"
    INSPECTED = "inspected"
    REVIEW_WANTED = "review_wanted"
    """A linked case whose goods have been inspected, or a payout that finance sends back: the supervisor decides."""
    FINANCE_WANTED = "finance_wanted"
    PAYOUT = "payout"
    """The refund is asked for. Behind it stands the payout gate (`gate.py`)."""
    REFUND_SUCCEEDED = "refund_succeeded"
    REFUND_FAILED = "refund_failed"
    REPLACE = "replace"
    """The replacement may be prepared: the returned unit has been inspected and the exchange stands."""
    REPLACEMENT_SHIPPED = "replacement_shipped"
    REPLACEMENT_SIGNED = "replacement_signed"


class ReturnStep(Strict):
    event: ReturnEvent
    before: frozenset[CaseStatus]
    after: CaseStatus
    types: frozenset[ReturnType] = frozenset(ReturnType)
    goods_here: bool | None = None
    """Only when the goods have been inspected already, or only when not; None: either way."""


class NoSuchStep(ValueError):
    """The event does not fit the case's status or type."""

    def __init__(self, kind: ReturnType, status: CaseStatus, event: ReturnEvent) -> None:
        super().__init__(f"a {kind} that is {status} knows no step {event}; look at the case's timeline")


NO_GOODS = frozenset(ReturnType) - GOODS_COME_BACK
BEFORE_SENDING = frozenset({S.APPLIED, S.SUPERVISOR_REVIEW, S.WAITING_RETURN})
WITH_A_DECIDER = frozenset({S.SUPERVISOR_REVIEW, S.INSPECTED, S.FINANCE_REVIEW, S.REPLACEMENT_QC})
"""Also a person who gives up a replacement that cannot be sent."""

STEPS: tuple[ReturnStep, ...] = (
    ReturnStep(event=ReturnEvent.ADMITTED, before=frozenset({S.APPLIED}), after=S.SUPERVISOR_REVIEW),
    ReturnStep(event=ReturnEvent.EXEMPTED, before=frozenset({S.APPLIED}), after=S.REFUNDING, types=NO_GOODS),
    ReturnStep(
        event=ReturnEvent.EXEMPTED, before=frozenset({S.APPLIED}), after=S.WAITING_RETURN, types=GOODS_COME_BACK
    ),
    ReturnStep(event=ReturnEvent.ARRIVED_LATE, before=frozenset({S.APPLIED}), after=S.IN_RETURN, types=GOODS_COME_BACK),
    ReturnStep(
        event=ReturnEvent.APPROVED,
        before=frozenset({S.SUPERVISOR_REVIEW}),
        after=S.WAITING_RETURN,
        types=GOODS_COME_BACK,
        goods_here=False,
    ),
    ReturnStep(
        event=ReturnEvent.APPROVED,
        before=frozenset({S.SUPERVISOR_REVIEW}),
        after=S.INSPECTED,
        types=GOODS_COME_BACK,
        goods_here=True,
    ),
    ReturnStep(event=ReturnEvent.REJECTED, before=WITH_A_DECIDER, after=S.REJECTED),
    ReturnStep(event=ReturnEvent.BUYER_CANCELLED, before=BEFORE_SENDING, after=S.CANCELLED_BY_BUYER, goods_here=False),
    ReturnStep(
        event=ReturnEvent.BUYER_CANCELLED,
        before=frozenset({S.FINANCE_REVIEW}),
        after=S.CANCELLED_BY_BUYER,
        types=frozenset({ReturnType.REFUND_ONLY}),
    ),
    ReturnStep(
        event=ReturnEvent.HANDED_OVER, before=frozenset({S.WAITING_RETURN}), after=S.IN_RETURN, types=GOODS_COME_BACK
    ),
    ReturnStep(
        event=ReturnEvent.NOT_SENT, before=frozenset({S.WAITING_RETURN}), after=S.CLOSED_NOT_SENT, types=GOODS_COME_BACK
    ),
    ReturnStep(
        event=ReturnEvent.RECEIVED,
        before=frozenset({S.WAITING_RETURN, S.IN_RETURN}),
        after=S.RECEIVED,
        types=GOODS_COME_BACK,
    ),
    ReturnStep(event=ReturnEvent.INSPECTED, before=frozenset({S.RECEIVED}), after=S.INSPECTED, types=GOODS_COME_BACK),
    ReturnStep(
        event=ReturnEvent.REVIEW_WANTED,
        before=frozenset({S.INSPECTED, S.FINANCE_REVIEW}),
        after=S.SUPERVISOR_REVIEW,
    ),
    ReturnStep(
        event=ReturnEvent.FINANCE_WANTED,
        before=frozenset({S.INSPECTED}),
        after=S.FINANCE_REVIEW,
        types=MONEY_GOES_BACK & GOODS_COME_BACK,
    ),
    ReturnStep(
        event=ReturnEvent.FINANCE_WANTED,
        before=frozenset({S.SUPERVISOR_REVIEW}),
        after=S.FINANCE_REVIEW,
        types=NO_GOODS,
    ),
    ReturnStep(
        event=ReturnEvent.PAYOUT,
        before=frozenset({S.INSPECTED, S.FINANCE_REVIEW}),
        after=S.REFUNDING,
        types=MONEY_GOES_BACK & GOODS_COME_BACK,
    ),
    ReturnStep(
        event=ReturnEvent.PAYOUT,
        before=frozenset({S.SUPERVISOR_REVIEW, S.FINANCE_REVIEW}),
        after=S.REFUNDING,
        types=NO_GOODS,
    ),
    ReturnStep(
        event=ReturnEvent.REFUND_SUCCEEDED,
        before=frozenset({S.REFUNDING, S.REFUND_FAILED}),
        after=S.REFUNDED,
        types=MONEY_GOES_BACK,
    ),
    ReturnStep(
        event=ReturnEvent.REFUND_FAILED, before=frozenset({S.REFUNDING}), after=S.REFUND_FAILED, types=MONEY_GOES_BACK
    ),
    ReturnStep(event=ReturnEvent.REPLACE, before=frozenset({S.INSPECTED}), after=S.REPLACEMENT_QC, types=GOODS_GO_OUT),
    ReturnStep(
        event=ReturnEvent.REPLACEMENT_SHIPPED,
        before=frozenset({S.REPLACEMENT_QC}),
        after=S.REPLACEMENT_SHIPPED,
        types=GOODS_GO_OUT,
    ),
    ReturnStep(
        event=ReturnEvent.REPLACEMENT_SIGNED,
        before=frozenset({S.REPLACEMENT_SHIPPED}),
        after=S.EXCHANGED,
        types=GOODS_GO_OUT,
    ),
)


def after(kind: ReturnType, status: CaseStatus, event: ReturnEvent, *, goods_here: bool = False) -> CaseStatus:
    """The status that the event leads to. `goods_here`: the case's goods have been inspected. Raises `NoSuchStep`."""
    for step in STEPS:
        if (
            step.event is event
            and status in step.before
            and kind in step.types
            and step.goods_here in (None, goods_here)
        ):
            return step.after
    raise NoSuchStep(kind, status, event)


def fits(kind: ReturnType, status: CaseStatus, event: ReturnEvent, *, goods_here: bool = False) -> bool:
    """Whether the event may happen now: what validators ask."""
    try:
        after(kind, status, event, goods_here=goods_here)
    except NoSuchStep:
        return False
    return True


def is_over(status: CaseStatus) -> bool:
    return status in ENDS


# --- the goods' own axes ----------------------------------------------------------------------------------------------

RECEPTION: dict[Reception, frozenset[Reception]] = {
    Reception.NOT_EXPECTED: frozenset(),
    Reception.AWAITED: frozenset(
        {Reception.IN_TRANSIT, Reception.RECEIVED, Reception.MISSING, Reception.LOST, Reception.CANCELLED}
    ),
    Reception.IN_TRANSIT: frozenset({Reception.RECEIVED, Reception.MISSING, Reception.LOST, Reception.CANCELLED}),
    Reception.RECEIVED: frozenset(),
    Reception.MISSING: frozenset({Reception.RECEIVED}),
    Reception.LOST: frozenset({Reception.RECEIVED}),
    Reception.CANCELLED: frozenset(),
}
ACCEPTANCE: dict[Acceptance, frozenset[Acceptance]] = {
    Acceptance.PENDING: frozenset({Acceptance.ACCEPTED, Acceptance.REJECTED, Acceptance.DISPUTED}),
    Acceptance.DISPUTED: frozenset({Acceptance.ACCEPTED, Acceptance.REJECTED}),
    Acceptance.ACCEPTED: frozenset({Acceptance.DISPUTED}),
    Acceptance.REJECTED: frozenset({Acceptance.DISPUTED}),
}

_LEAST_DONE_FIRST = (
    Reception.AWAITED,
    Reception.IN_TRANSIT,
    Reception.LOST,
    Reception.RECEIVED,
    Reception.MISSING,
    Reception.CANCELLED,
    Reception.NOT_EXPECTED,
)
_OPEN_QUESTIONS_FIRST = (Acceptance.DISPUTED, Acceptance.PENDING, Acceptance.ACCEPTED, Acceptance.REJECTED)


def reception_of(units: Iterable[Reception]) -> Reception:
    """A case has received its goods when none is awaited any more: the least finished unit speaks for all."""
    return min(units, key=_LEAST_DONE_FIRST.index, default=Reception.NOT_EXPECTED)


def acceptance_of(units: Iterable[Acceptance]) -> Acceptance:
    """An open question about one unit is an open question about the case; one accepted unit makes it accepted."""
    return min(units, key=_OPEN_QUESTIONS_FIRST.index, default=Acceptance.PENDING)


OWNERS: dict[CaseStatus, str] = {
    S.APPLIED: "SYSTEM",
    S.SUPERVISOR_REVIEW: "CS_SUPERVISOR",
    S.WAITING_RETURN: "BUYER",
    S.IN_RETURN: "WAREHOUSE",
    S.RECEIVED: "WAREHOUSE",
    S.INSPECTED: "CS_SUPERVISOR",
    S.FINANCE_REVIEW: "FINANCE",
    S.REFUNDING: "SYSTEM",
    S.REPLACEMENT_QC: "WAREHOUSE",
    S.REPLACEMENT_SHIPPED: "BUYER",
    S.REFUND_FAILED: "FINANCE",
}
"""Whose turn it is, by role; an ended case is nobody's."""
