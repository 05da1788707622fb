"""Money and times as text, as Alipay writes them and every trade bill does.

Yuan with decimals ↔ int fen, Beijing wall-clock time ↔ tz-aware moments.
"""

import re
from datetime import datetime, timedelta, timezone
from typing import Any

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has kept one offset since 1991, and the channels are younger."""

_YUAN = re.compile(r"(0|[1-9][0-9]{0,10})(?:\.([0-9]{1,2}))?", re.ASCII)
_TIME = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?", re.ASCII)


def yuan(amount_minor: int) -> str:
    """1290 → `12.90`. Raises `ValueError` for a negative amount."""
    if amount_minor < 0:
        raise ValueError(f"{amount_minor} fen cannot be asked for: negative")
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def fen(text: Any) -> int:
    """`12.90`, `12.9` and `12` → exact int fen. Raises `ValueError` for anything else: sign, exponent, a third decimal,
    leading zeros, digits of other scripts, a JSON number."""
    found = _YUAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("not an amount in yuan with at most two decimals")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def stamp(at: datetime) -> str:
    """A tz-aware moment as `yyyy-MM-dd HH:mm:ss` in Beijing time; fractions are cut off."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def moment(text: Any) -> datetime:
    """`yyyy-MM-dd HH:mm:ss`, with or without a fraction (gmt_refund has one), read as Beijing time. Raises
    `ValueError`."""
    if not isinstance(text, str) or _TIME.fullmatch(text) is None:
        raise ValueError("not a time of the form yyyy-MM-dd HH:mm:ss")
    return datetime.fromisoformat(text.ljust(26, "0") if "." in text else text).replace(tzinfo=SHANGHAI)
