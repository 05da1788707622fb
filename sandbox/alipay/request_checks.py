"""Checks of biz_content and notify_url, as picky as the gateway: everything wrong is ACQ.INVALID_PARAMETER."""

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from sandbox.alipay.state import Denied

NUMBER = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?", re.ASCII)
CHINA = dt.timezone(dt.timedelta(hours=8))


def biz_content(raw: str) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        raise _wrong("biz_content is not JSON") from None
    if not isinstance(value, dict):
        raise _wrong("biz_content is not an object")
    return value


def number(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        raise _wrong(name)
    return value


def minor(asked: dict[str, Any], name: str) -> int:
    """Yuan as text → fen, 0.01 to 100,000,000.00 yuan."""
    value = asked.get(name)
    if not isinstance(value, str) or not AMOUNT.fullmatch(value):
        raise _wrong(name)
    fen = int(Decimal(value) * 100)
    if not 0 < fen <= 10**10:
        raise _wrong(name)
    return fen


def subject(asked: dict[str, Any]) -> None:
    value = asked.get("subject")
    if not isinstance(value, str) or not 0 < len(value) <= 256 or any(c in value for c in "/=&"):
        raise _wrong("subject")


def time_expire(asked: dict[str, Any]) -> dt.datetime | None:
    if "time_expire" not in asked:
        return None
    return beijing(asked["time_expire"], "time_expire")


def beijing(value: Any, name: str) -> dt.datetime:
    try:
        return dt.datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    except (TypeError, ValueError):
        raise _wrong(name) from None


def notify_url(value: str) -> str:
    """https without a query; plain http only to this machine, which the real system would not reach. May be absent."""
    url = urlsplit(value)
    local = url.scheme == "http" and url.hostname in ("127.0.0.1", "localhost")
    if value and (url.query or not url.hostname or not (url.scheme == "https" or local)):
        raise _wrong("notify_url")
    return value


def _wrong(what: str) -> Denied:
    return Denied("40004", "ACQ.INVALID_PARAMETER", f"missing or wrong: {what}")
