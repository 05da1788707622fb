"""Facts about money: every payment channel tells them with the same evidence."""

from datetime import datetime

from domain.facts import Fact, Kind
from providers.payments import RefundResult, Trade


def payment_facts(source: str, trade: Trade, merchant_id: str) -> tuple[Fact, ...]:
    """PAYMENT_SUCCEEDED for a paid trade with its evidence, else nothing."""
    if not trade.is_paid or trade.transaction_id is None or trade.paid_at is None:
        return ()
    return (
        Fact(
            key=payment_key(source, trade.transaction_id),
            kind=Kind.PAYMENT_SUCCEEDED,
            source=source,
            occurred_at=trade.paid_at,
            order_no=trade.order_no,
            transaction_id=trade.transaction_id,
            merchant_id=merchant_id,
            amount_minor=trade.amount_minor,
            currency=trade.currency,
        ),
    )


def refund_fact(source: str, kind: Kind, status: str, result: RefundResult, merchant_id: str, at: datetime) -> Fact:
    """A refund's final state. `status`: the channel's word for it, part of the key."""
    return Fact(
        key=refund_key(source, result.refund_no, status),
        kind=kind,
        source=source,
        occurred_at=at,
        order_no=result.order_no,
        refund_no=result.refund_no,
        transaction_id=result.transaction_id,
        merchant_id=merchant_id,
        amount_minor=result.refund_minor,
        currency=result.currency,
    )


def payment_key(source: str, transaction_id: str) -> str:
    return f"{source}:pay:{transaction_id}"


def refund_key(source: str, refund_no: str, status: str) -> str:
    return f"{source}:refund:{refund_no}:{status}"
