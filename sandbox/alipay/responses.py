"""The JSON of trades and refunds in replies, and the fields of notifications."""

import datetime as dt
import json
from typing import Any

from sandbox.alipay.crypto import Crypto
from sandbox.alipay.request_checks import CHINA
from sandbox.alipay.state import Refund, Trade

BUYER = {"buyer_logon_id": "san***@example.com", "buyer_user_id": "2088000000000001"}


def yuan(minor: int) -> str:
    whole, rest = divmod(minor, 100)
    return f"{whole}.{rest:02}"


def stamp(at: dt.datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def trade(trade: Trade) -> dict[str, Any]:
    """Reply of the query."""
    value = {
        **BUYER,
        "out_trade_no": trade.no,
        "trade_no": trade.trade_no,
        "trade_status": trade.state,
        "total_amount": yuan(trade.total),
    }
    if trade.paid_at is not None:
        paid = {"receipt_amount": yuan(trade.total), "invoice_amount": yuan(trade.total)}
        value |= {**paid, "send_pay_date": stamp(trade.paid_at)}
    return value


def refunded(trade: Trade, refund: Refund, *, moved: bool) -> dict[str, Any]:
    """Reply of the refund: `refund_fee` is the sum of the trade's refunds, whoever asks."""
    value: dict[str, Any] = {
        **BUYER,
        "out_trade_no": trade.no,
        "trade_no": trade.trade_no,
        "fund_change": "Y" if moved else "N",
        "refund_fee": yuan(trade.refunded),
    }
    if refund.ended_at is not None and refund.status == "SUCCESS":
        value["gmt_refund_pay"] = stamp(refund.ended_at)
    return value


def found_refund(trade: Trade, refund: Refund | None, options: Any) -> dict[str, Any]:
    """Reply of the refund query: empty for an unknown or failed refund, without refund_status for a pending one."""
    if refund is None or refund.status == "FAILED":
        return {}
    value = {
        "out_trade_no": trade.no,
        "trade_no": trade.trade_no,
        "out_request_no": refund.no,
        "refund_amount": yuan(refund.amount_minor),
        "total_amount": yuan(trade.total),
    }
    if refund.status == "SUCCESS" and refund.ended_at is not None:
        value["refund_status"] = "REFUND_SUCCESS"
        if isinstance(options, list) and "gmt_refund_pay" in options:
            value["gmt_refund_pay"] = stamp(refund.ended_at)
    return value


def notice(seal: Crypto, trade: Trade, refund: Refund | None, notify_id: str, now: dt.datetime) -> dict[str, str]:
    """A notification's fields, unsigned. notify_time is that of the first attempt, the harder case for a receiver."""
    assert trade.paid_at is not None
    paid = yuan(trade.total)
    fields = {
        "app_id": seal.app_id,
        "auth_app_id": seal.app_id,
        "buyer_id": BUYER["buyer_user_id"],
        "buyer_logon_id": BUYER["buyer_logon_id"],
        "buyer_pay_amount": paid,
        "charset": "utf-8",
        "fund_bill_list": json.dumps([{"amount": paid, "fundChannel": "ALIPAYACCOUNT"}], separators=(",", ":")),
        "gmt_create": stamp(trade.created_at),
        "gmt_payment": stamp(trade.paid_at),
        "invoice_amount": paid,
        "notify_id": notify_id,
        "notify_time": stamp(now),
        "notify_type": "trade_status_sync",
        "out_trade_no": trade.no,
        "point_amount": "0.00",
        "receipt_amount": paid,
        "seller_id": seal.seller_id,
        "subject": str(trade.asked.get("subject", "")),
        "total_amount": paid,
        "trade_no": trade.trade_no,
        "trade_status": trade.state,
        "version": "1.0",
    }
    if refund is not None and refund.ended_at is not None:
        fields |= {
            "gmt_refund": f"{stamp(refund.ended_at)}.{refund.ended_at.microsecond // 1000:03d}",
            "out_biz_no": refund.no,
            "refund_fee": yuan(trade.refunded),
        }
    return fields
