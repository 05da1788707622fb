"""Alipay (支付宝), gateway v2: the payment client, the notification receiver, and their mapping to facts."""

from providers.alipay.client import Alipay
from providers.alipay.errors import RefundNumberUsed
from providers.alipay.facts import refund_facts, trade_facts
from providers.alipay.models import AlipayConfig, AlipayPayment, AlipayRefund, AlipayRefundRequest, AlipayTrade
from providers.alipay.receiver import AlipayReceiver

__all__ = [
    "Alipay",
    "AlipayConfig",
    "AlipayPayment",
    "AlipayReceiver",
    "AlipayRefund",
    "AlipayRefundRequest",
    "AlipayTrade",
    "RefundNumberUsed",
    "refund_facts",
    "trade_facts",
]
