"""A payment that was taken for the order's and is not: what was told of it is money from outside."""

from domain.records import EventRecord, Payment
from domain.refunds.outside import OutsideKind, OutsideMoney
from domain.states import Outcome


def mismatched(event: EventRecord, payment: Payment, why: str) -> EventRecord:
    """The record of the fact that told it, as it would be had that been known at once."""
    money = OutsideMoney(
        kind=OutsideKind.PAYMENT,
        source=event.source,
        number=payment.transaction_id,
        key=payment.key,
        transaction_id=payment.transaction_id,
        merchant_id=payment.merchant_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        occurred_at=payment.paid_at,
        why=why[:300],
    )
    return event.model_copy(
        update={"outcome": Outcome.MISMATCH, "to_status": event.from_status, "note": why, "outside": money}
    )
