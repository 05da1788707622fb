"""From what Alipay says to our facts: the same keys whether it was called back or asked."""

from datetime import datetime

from domain.facts import Fact, Kind
from providers.alipay.models import AlipayRefund, AlipayTrade
from providers.alipay.wire import TradeNotice
from providers.money_facts import payment_facts, refund_fact, refund_key

SOURCE = "alipay"


def trade_facts(trade: AlipayTrade) -> tuple[Fact, ...]:
    """PAYMENT_SUCCEEDED for a paid trade with its evidence, else nothing."""
    return payment_facts(SOURCE, trade, trade.seller_id)


def refund_facts(result: AlipayRefund, *, merchant_id: str, seen_at: datetime) -> tuple[Fact, ...]:
    """REFUND_SUCCEEDED, or nothing while PROCESSING. `seen_at` dates a success that carries no time itself."""
    if result.status != "SUCCESS":
        return ()
    at = result.succeeded_at or seen_at
    return (refund_fact(SOURCE, Kind.REFUND_SUCCEEDED, result.status, result, merchant_id, at),)


def notice_facts(notice: TradeNotice) -> tuple[Fact, ...]:
    """The payment while the trade stands, and the refund that caused the notification, if one did.

    WAIT_BUYER_PAY and a trade that closed unpaid tell nothing.
    """
    return (*trade_facts(_trade(notice)), *_refund(notice))


def _trade(notice: TradeNotice) -> AlipayTrade:
    return AlipayTrade(
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
            key=refund_key(SOURCE, notice.out_biz_no, "SUCCESS"),
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
