"""WeChat Pay API v3: the payment client, the callback receiver, and their mapping to facts."""

from providers.wechat.callbacks import WechatReceiver
from providers.wechat.client import WechatPay
from providers.wechat.errors import (
    DecideByQuery,
    FrequencyLimited,
    NotEnough,
    NotFound,
    OperatorNeeded,
    OrderAlreadyPaid,
    OrderClosed,
    OrderNumberUsed,
    RefundFrequencyLimited,
    UnverifiedReply,
    WechatRefused,
    WechatUnavailable,
    WechatUnknownOutcome,
)
from providers.wechat.facts import refund_facts, trade_facts
from providers.wechat.keys import PlatformKeys
from providers.wechat.models import (
    CreatePayment,
    CustomsPlace,
    CustomsRequest,
    CustomsResult,
    RefundRequest,
    RefundResult,
    Trade,
    WechatConfig,
)

__all__ = [
    "CreatePayment",
    "CustomsPlace",
    "CustomsRequest",
    "CustomsResult",
    "DecideByQuery",
    "FrequencyLimited",
    "NotEnough",
    "NotFound",
    "OperatorNeeded",
    "OrderAlreadyPaid",
    "OrderClosed",
    "OrderNumberUsed",
    "PlatformKeys",
    "RefundFrequencyLimited",
    "RefundRequest",
    "RefundResult",
    "Trade",
    "UnverifiedReply",
    "WechatConfig",
    "WechatPay",
    "WechatReceiver",
    "WechatRefused",
    "WechatUnavailable",
    "WechatUnknownOutcome",
    "refund_facts",
    "trade_facts",
]
