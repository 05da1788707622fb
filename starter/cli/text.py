"""Values as a person reads them: Shanghai time, yuan, and data without control characters."""

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Controls, format characters (bidi overrides, zero width), surrogates, line and paragraph separators: data with these
# could repaint the terminal or fake a line of output.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(text: str) -> str:
    """The text with every unsafe character as `\\uXXXX`."""
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSAFE else c for c in text)


def one_line(text: str) -> str:
    """Cleaned, with line breaks folded into spaces first."""
    return clean(" ".join(text.split()))


def when(moment: datetime | None) -> str:
    """`2026-03-02 10:00:00` in Asia/Shanghai; empty for None."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def money(minor: int, currency: str) -> str:
    """`1,234.05 CNY` for 123405."""
    return f"{amount(minor)} {currency}"


def amount(minor: int) -> str:
    """`1,234.05` for 123405, where the currency is told elsewhere."""
    whole, fen = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole:,}.{fen:02}"


def _escaped(c: str) -> str:
    code = ord(c)
    if code > 0xFFFF:  # JSON knows only pairs beyond the basic plane
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
