"""The JSON of trades and refunds, in replies and in callbacks."""

import datetime as dt
import hashlib
from typing import Any

from sandbox.wechat.crypto import Crypto
from sandbox.wechat.state import Refund, Trade, stamp

ACCOUNT = "buyer's balance"


def trade(seal: Crypto, trade: Trade) -> dict[str, Any]:
    """Reply of the query, and resource of TRANSACTION.SUCCESS."""
    value: dict[str, Any] = {
        "appid": seal.appid,
        "mchid": seal.mchid,
        "out_trade_no": trade.no,
        "trade_state": trade.state,
        "trade_state_desc": trade.state,
    }
    if trade.attach:
        value["attach"] = trade.attach
    if trade.transaction_id is not None:
        paid = {"total": trade.total, "currency": trade.currency}
        value |= {
            "transaction_id": trade.transaction_id,
            "trade_type": "NATIVE",
            "bank_type": "OTHERS",
            "success_time": trade.success_time,
            "payer": {"openid": "o-sandbox-buyer"},
            "amount": {**paid, "payer_total": trade.total, "payer_currency": trade.currency},
        }
    return value


def customs(asked: dict[str, Any], *, failed: bool) -> dict[str, Any]:
    """Reply of a customs declaration."""
    value = {name: asked[name] for name in ("appid", "mchid", "out_trade_no", "transaction_id", "sub_order_no")}
    number = int.from_bytes(hashlib.sha256(asked["sub_order_no"].encode()).digest()[:8]) % 10**14
    value |= {"sub_order_id": f"15{number:014d}", "state": "FAIL" if failed else "PROCESSING"}
    return value | ({"explanation": "failure on demand"} if failed else {})


def refund(trade: Trade, refund: Refund) -> dict[str, Any]:
    """Reply of refund and refund query: the state is called `status`, the amount names its currency."""
    value: dict[str, Any] = {
        **_both(trade, refund),
        "channel": "ORIGINAL",
        "funds_account": "AVAILABLE",
        "create_time": stamp(dt.datetime.fromisoformat(refund.at)),
        "status": refund.status,
        "amount": {
            "currency": "CNY",
            **refund.asked["amount"],
            "payer_total": trade.total,
            "payer_refund": refund.amount_minor,
            "settlement_refund": refund.amount_minor,
            "settlement_total": trade.total,
            "discount_refund": 0,
        },
    }
    return value


def refund_notice(seal: Crypto, trade: Trade, refund: Refund) -> dict[str, Any]:
    """Resource of REFUND.*: the state is called `refund_status`, the amount has no currency."""
    amount = {
        "total": trade.total,
        "refund": refund.amount_minor,
        "payer_total": trade.total,
        "payer_refund": refund.amount_minor,
    }
    return {**_both(trade, refund), "mchid": seal.mchid, "refund_status": refund.status, "amount": amount}


def _both(trade: Trade, refund: Refund) -> dict[str, Any]:
    value: dict[str, Any] = {
        "out_trade_no": trade.no,
        "transaction_id": trade.transaction_id,
        "out_refund_no": refund.no,
        "refund_id": refund.refund_id,
        "user_received_account": ACCOUNT,
    }
    if refund.success_time is not None:
        value["success_time"] = refund.success_time
    return value
