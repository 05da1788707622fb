"""WeChat Pay API v3: the payment client, the callback receiver, and their mapping to facts."""

from providers.wechat.callbacks import WechatReceiver
from providers.wechat.client import WechatPay
from providers.wechat.errors import RefundFrequencyLimited
from providers.wechat.facts import refund_facts, trade_facts
from providers.wechat.keys import PlatformKeys
from providers.wechat.models import (
    CustomsPlace,
    CustomsRequest,
    CustomsResult,
    WechatConfig,
    WechatPayment,
    WechatRefund,
    WechatRefundRequest,
    WechatTrade,
)

__all__ = [
    "CustomsPlace",
    "CustomsRequest",
    "CustomsResult",
    "PlatformKeys",
    "RefundFrequencyLimited",
    "WechatConfig",
    "WechatPay",
    "WechatPayment",
    "WechatReceiver",
    "WechatRefund",
    "WechatRefundRequest",
    "WechatTrade",
    "refund_facts",
    "trade_facts",
]
