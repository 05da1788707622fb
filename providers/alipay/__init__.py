"""Alipay (支付宝), gateway v2: the payment client, the notification receiver, and their mapping to facts."""

from providers.alipay.client import Alipay
from providers.alipay.errors import (
    AlipayRefused,
    AlipayUnavailable,
    AlipayUnknownOutcome,
    DecideByQuery,
    NotEnough,
    NotFound,
    OperatorNeeded,
    OrderAlreadyPaid,
    OrderClosed,
    OrderNumberUsed,
    RateLimited,
    RefundNumberUsed,
    UnverifiedReply,
)
from providers.alipay.facts import refund_facts, trade_facts
from providers.alipay.models import AlipayConfig, CreatePayment, RefundRequest, RefundResult, Trade
from providers.alipay.receiver import AlipayReceiver

__all__ = [
    "Alipay",
    "AlipayConfig",
    "AlipayReceiver",
    "AlipayRefused",
    "AlipayUnavailable",
    "AlipayUnknownOutcome",
    "CreatePayment",
    "DecideByQuery",
    "NotEnough",
    "NotFound",
    "OperatorNeeded",
    "OrderAlreadyPaid",
    "OrderClosed",
    "OrderNumberUsed",
    "RateLimited",
    "RefundNumberUsed",
    "RefundRequest",
    "RefundResult",
    "Trade",
    "UnverifiedReply",
    "refund_facts",
    "trade_facts",
]
