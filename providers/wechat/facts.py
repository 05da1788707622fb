"""From what WeChat Pay says to our facts: the same keys whether it was called back or asked."""

from datetime import datetime

from domain.facts import Fact, Kind
from providers.money_facts import payment_facts, refund_fact
from providers.wechat.models import WechatRefund, WechatTrade

SOURCE = "wechat"

_REFUND_KINDS = {
    "SUCCESS": Kind.REFUND_SUCCEEDED,
    "ABNORMAL": Kind.REFUND_ABNORMAL,
    "CLOSED": Kind.REFUND_CLOSED,
}


def trade_facts(trade: WechatTrade) -> tuple[Fact, ...]:
    """PAYMENT_SUCCEEDED for a paid trade with its evidence, else nothing."""
    return payment_facts(SOURCE, trade, trade.mchid)


def refund_facts(result: WechatRefund, *, merchant_id: str, seen_at: datetime) -> tuple[Fact, ...]:
    """The refund's final state, or nothing while PROCESSING. `seen_at` dates a state that carries no time itself."""
    kind = _REFUND_KINDS.get(result.status)
    if kind is None:
        return ()
    return (refund_fact(SOURCE, kind, result.status, result, merchant_id, result.succeeded_at or seen_at),)
