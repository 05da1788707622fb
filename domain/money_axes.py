"""Transition tables of the two axes that follow money: the payment of an order, and each of its refunds."""

from domain.facts import Kind
from domain.states import Outcome, PaymentStatus, RefundStatus
from domain.transitions import Fit, Move, Table

PAYMENT: dict[tuple[PaymentStatus, Kind], PaymentStatus] = {
    (PaymentStatus.NONE, Kind.PAYMENT_SUCCEEDED): PaymentStatus.PAID,
    (PaymentStatus.CREATED, Kind.PAYMENT_SUCCEEDED): PaymentStatus.PAID,
    (PaymentStatus.CLOSED, Kind.PAYMENT_SUCCEEDED): PaymentStatus.LATE,
    (PaymentStatus.NONE, Kind.PAYMENT_CLOSED): PaymentStatus.CLOSED,
    (PaymentStatus.CREATED, Kind.PAYMENT_CLOSED): PaymentStatus.CLOSED,
}
"""Closing is our own decision (R13), so here order matters: money that comes after it is late, and owed back."""

REFUND = Table(
    moves={
        # The provider settles a refund once; only an abnormal one may still succeed, when a person has mended it.
        Kind.REFUND_CLOSED: Move((RefundStatus.REQUESTED, RefundStatus.ACCEPTED), RefundStatus.CLOSED),
        Kind.REFUND_ABNORMAL: Move(
            (RefundStatus.REQUESTED, RefundStatus.ACCEPTED, RefundStatus.CLOSED), RefundStatus.ABNORMAL
        ),
        Kind.REFUND_SUCCEEDED: Move(
            (RefundStatus.REQUESTED, RefundStatus.ACCEPTED, RefundStatus.CLOSED, RefundStatus.ABNORMAL),
            RefundStatus.SUCCEEDED,
        ),
    },
    rank=(
        RefundStatus.REQUESTED,
        RefundStatus.ACCEPTED,
        RefundStatus.CLOSED,
        RefundStatus.ABNORMAL,
        RefundStatus.SUCCEEDED,
    ),
)
"""Acceptance is not success; of contradicting news, the one that says that the buyer has the money wins."""


def payment_after(status: PaymentStatus, kind: Kind) -> tuple[Outcome, PaymentStatus]:
    """Payment status after a fact with a new key, and what became of the fact.

    A second, different payment of an order that has its money is a MISMATCH: kept, and shown to a person.
    """
    if (status, kind) in PAYMENT:
        return Outcome.APPLIED, PAYMENT[status, kind]
    return (Outcome.MISMATCH if kind is Kind.PAYMENT_SUCCEEDED else Outcome.STALE), status


def refund_after(status: RefundStatus, kind: Kind) -> tuple[Outcome, RefundStatus]:
    """Refund status after a fact with a new key, and what became of the fact."""
    if REFUND.fit(status, kind) is not Fit.FITS:
        return Outcome.STALE, status
    return Outcome.APPLIED, RefundStatus(REFUND.move(kind).to)
