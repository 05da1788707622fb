"""From what WeChat Pay says to our facts: the same keys whether it was called back or asked."""

from datetime import datetime

from domain.facts import Fact, Kind
from providers.wechat.models import RefundResult, Trade

SOURCE = "wechat"

_REFUND_KINDS = {
    "SUCCESS": Kind.REFUND_SUCCEEDED,
    "ABNORMAL": Kind.REFUND_ABNORMAL,
    "CLOSED": Kind.REFUND_CLOSED,
}


def trade_facts(trade: Trade) -> tuple[Fact, ...]:
    """PAYMENT_SUCCEEDED for a paid trade with its evidence, else nothing."""
    if not trade.is_paid or trade.transaction_id is None or trade.paid_at is None:
        return ()
    return (
        Fact(
            key=f"wechat:pay:{trade.transaction_id}",
            kind=Kind.PAYMENT_SUCCEEDED,
            source=SOURCE,
            occurred_at=trade.paid_at,
            order_no=trade.order_no,
            transaction_id=trade.transaction_id,
            merchant_id=trade.mchid,
            amount_minor=trade.amount_minor,
            currency=trade.currency,
        ),
    )


def refund_facts(result: RefundResult, *, merchant_id: str, seen_at: datetime) -> tuple[Fact, ...]:
    """The refund's final state, or nothing while PROCESSING. `seen_at` dates a state that carries no time itself."""
    kind = _REFUND_KINDS.get(result.status)
    if kind is None:
        return ()
    return (
        Fact(
            key=f"wechat:refund:{result.refund_no}:{result.status}",
            kind=kind,
            source=SOURCE,
            occurred_at=result.succeeded_at or seen_at,
            order_no=result.order_no,
            refund_no=result.refund_no,
            transaction_id=result.transaction_id,
            merchant_id=merchant_id,
            amount_minor=result.refund_minor,
            currency=result.currency,
        ),
    )
