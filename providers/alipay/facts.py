"""From what Alipay says to our facts: the same keys whether it was called back or asked."""

from datetime import datetime

from domain.facts import Fact, Kind
from providers.alipay.models import RefundResult, Trade
from providers.alipay.wire import TradeNotice

SOURCE = "alipay"


def trade_facts(trade: Trade) -> tuple[Fact, ...]:
    """PAYMENT_SUCCEEDED for a paid trade with its evidence, else nothing."""
    if not trade.is_paid or trade.transaction_id is None or trade.paid_at is None:
        return ()
    return (
        Fact(
            key=f"alipay:pay:{trade.transaction_id}",
            kind=Kind.PAYMENT_SUCCEEDED,
            source=SOURCE,
            occurred_at=trade.paid_at,
            order_no=trade.order_no,
            transaction_id=trade.transaction_id,
            merchant_id=trade.seller_id,
            amount_minor=trade.amount_minor,
            currency=trade.currency,
        ),
    )


def refund_facts(result: RefundResult, *, merchant_id: str, seen_at: datetime) -> tuple[Fact, ...]:
    """REFUND_SUCCEEDED, or nothing while PROCESSING. `seen_at` dates a success that carries no time itself."""
    if result.status != "SUCCESS":
        return ()
    return (
        Fact(
            key=_refund_key(result.refund_no),
            kind=Kind.REFUND_SUCCEEDED,
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


def notice_facts(notice: TradeNotice) -> tuple[Fact, ...]:
    """The payment while the trade stands, and the refund that caused the notification, if one did.

    WAIT_BUYER_PAY and a trade that closed unpaid tell nothing.
    """
    return (*trade_facts(_trade(notice)), *_refund(notice))


def _trade(notice: TradeNotice) -> Trade:
    return Trade(
        order_no=notice.out_trade_no,
        seller_id=notice.seller_id,
        trade_state=notice.trade_status,
        transaction_id=notice.trade_no,
        amount_minor=notice.total_amount,
        currency="CNY",
        paid_at=notice.gmt_payment,
    )


def _refund(notice: TradeNotice) -> tuple[Fact, ...]:
    """Without an amount: a notification tells only the sum of all refunds, and of which refund it brings news."""
    if not (notice.out_biz_no and notice.refund_fee and notice.gmt_refund):
        return ()
    return (
        Fact(
            key=_refund_key(notice.out_biz_no),
            kind=Kind.REFUND_SUCCEEDED,
            source=SOURCE,
            occurred_at=notice.gmt_refund,
            order_no=notice.out_trade_no,
            refund_no=notice.out_biz_no,
            transaction_id=notice.trade_no,
            merchant_id=notice.seller_id,
            currency="CNY",
            note=f"all refunds of the trade so far: {notice.refund_fee} fen",
        ),
    )


def _refund_key(refund_no: str) -> str:
    return f"alipay:refund:{refund_no}:SUCCESS"
