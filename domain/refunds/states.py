"""What moves a refund. Accepted by a channel is not refunded; nothing follows success (docs/requirements.md)."""

from enum import StrEnum
from typing import NamedTuple

from domain.facts import Kind
from domain.states import RefundStatus

S = RefundStatus
ENDS: dict[Kind, RefundStatus] = {
    Kind.REFUND_SUCCEEDED: S.SUCCEEDED,
    Kind.REFUND_ABNORMAL: S.ABNORMAL,
    Kind.REFUND_CLOSED: S.CLOSED,
}
"""What the channel's word about a refund is proof of."""


class RefundStep(StrEnum):
    """Steps of our own; the channel's are facts."""

    ACCEPTED = "the channel has taken it"
    TAKEN_OVER = "a person has taken it over"


class RefundMove(NamedTuple):
    before: frozenset[RefundStatus]
    after: RefundStatus


UNSETTLED = frozenset({S.REQUESTED, S.ACCEPTED})
STEPS: dict[RefundStep | Kind, RefundMove] = {
    RefundStep.ACCEPTED: RefundMove(frozenset({S.REQUESTED}), S.ACCEPTED),
    Kind.REFUND_SUCCEEDED: RefundMove(frozenset({S.REQUESTED, S.ACCEPTED, S.ABNORMAL, S.CLOSED}), S.SUCCEEDED),
    Kind.REFUND_ABNORMAL: RefundMove(UNSETTLED, S.ABNORMAL),
    Kind.REFUND_CLOSED: RefundMove(UNSETTLED, S.CLOSED),
    RefundStep.TAKEN_OVER: RefundMove(UNSETTLED, S.CLOSED),
}
"""A refund that a person has in hand may still be paid out by the channel: that proof ends any other state."""
