"""Checks of request bodies, as picky as API v3: everything wrong is 400 PARAM_ERROR."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from sandbox.wechat.state import Denied

TRADE_NO = re.compile(r"[0-9A-Za-z_\-|*]{6,32}", re.ASCII)
REFUND_NO = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}", re.ASCII)


def body_of(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        raise _wrong("the body is not JSON") from None
    if not isinstance(value, dict):
        raise _wrong("the body is not an object")
    return value


def payment(asked: dict[str, Any], *, needs_payer: bool) -> str:
    """Check an order body; returns its out_trade_no."""
    no = _text(asked, "out_trade_no", 32)
    if not TRADE_NO.fullmatch(no):
        raise _wrong("out_trade_no")
    _text(asked, "description", 127)
    _url(asked)
    _amount(asked, "total")
    payer = asked.get("payer")
    if needs_payer and not (isinstance(payer, dict) and isinstance(payer.get("openid"), str) and payer["openid"]):
        raise _wrong("payer.openid")
    return no


def refund(asked: dict[str, Any]) -> None:
    if not REFUND_NO.fullmatch(_text(asked, "out_refund_no", 64)):
        raise _wrong("out_refund_no")
    _text(asked, "transaction_id" if "transaction_id" in asked else "out_trade_no", 32)
    if "notify_url" in asked:
        _url(asked)
    _amount(asked, "refund", "total")


def customs(asked: dict[str, Any]) -> None:
    """A declaration of a part: the fees must add up."""
    for name in ("out_trade_no", "transaction_id", "customs", "merchant_customs_no", "sub_order_no"):
        _text(asked, name, 32)
    for name in ("order_fee", "product_fee", "transport_fee"):
        if type(asked.get(name)) is not int or asked[name] < 0:
            raise _wrong(name)
    if asked.get("fee_type") != "CNY":
        raise _wrong("fee_type")
    if asked["order_fee"] != asked["product_fee"] + asked["transport_fee"]:
        raise _wrong("order_fee: it is product_fee plus transport_fee")


def _amount(asked: dict[str, Any], *names: str) -> None:
    amount = asked.get("amount")
    if not isinstance(amount, dict) or amount.get("currency", "CNY") != "CNY":
        raise _wrong("amount.currency")
    for name in names:
        if type(amount.get(name)) is not int or not 0 < amount[name] <= 10**10:
            raise _wrong(f"amount.{name}")


def _url(asked: dict[str, Any]) -> None:
    """https without a query; plain http only to this machine, which the real system would not allow."""
    url = urlsplit(_text(asked, "notify_url", 255))
    local = url.scheme == "http" and url.hostname in ("127.0.0.1", "localhost")
    if url.query or not url.hostname or not (url.scheme == "https" or local):
        raise _wrong("notify_url")


def _text(asked: dict[str, Any], name: str, longest: int) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise _wrong(name)
    return value


def _wrong(what: str) -> Denied:
    return Denied(400, "PARAM_ERROR", f"missing or wrong: {what}")
