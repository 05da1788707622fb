"""What people and spreadsheets do to text, codes and numbers: undone where it is harmless, refused by name where the
value is lost. One place for orders, the open API, files and the catalogue. Pure; every function is idempotent.

Kept, for they mean something: emoji and the joiners inside them, Persian and Indic joiners, masks and extensions of
telephone numbers, punctuation of every script. Dropped: what nobody sees. Refused (`Spoilt`): control characters, codes
that a spreadsheet has rounded or made into dates.
"""

import re
import unicodedata

_INVISIBLE = dict.fromkeys(
    map(ord, "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\ufeff\ufff9\ufffa\ufffb")
) | dict.fromkeys(range(0x2060, 0x2070))
"""Soft hyphens, zero-width spaces, direction marks, byte order marks, annotation anchors."""
_JOINERS = "\u200c\u200d"
_BLACK_FLAG = "\U0001f3f4"
_TAGS = range(0xE0020, 0xE0080)
"""They spell a region behind a black flag (England), and nothing anywhere else."""
_LINE_ENDS = "\t\n\v\f\r\x85"
_WIDE_WORDS = {wide: wide - 0xFEE0 for wide in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
"""Full-width digits and letters: the same ones, drawn wider."""
_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xFFE5: 0xA5}
"""And their punctuation, which in a sentence is Chinese and in a number or code is a slip of the keyboard."""

_QUOTED_FORMULA = re.compile(r'="([^"]*)"')
_GUARDED = re.compile(r"['`](?=[0-9=+@\t-])")
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+[0-9]{1,3}")
_LONG = re.compile(r"[0-9]{17,}")
_EXACT_DIGITS = 15
"""So many are kept of a number, the rest becomes zeros. One number of 17 digits in a hundred ends so itself."""
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec"
_DATE = re.compile(
    rf"[0-9]{{1,2}}-({_MONTHS})(-[0-9]{{2,4}})?|({_MONTHS})-[0-9]{{1,2}}|[0-9]{{4}}/[0-9]{{1,2}}/[0-9]{{1,2}}"
    r"|([0-9]{4}年)?[0-9]{1,2}月[0-9]{1,2}日"
)
_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_MARKS = {
    "CNY": ("¥", "RMB", "CNY", "元", "圆"), "JPY": ("¥", "JPY", "円"), "USD": ("US$", "$", "USD"),
    "HKD": ("HK$", "$", "HKD"), "EUR": ("€", "EUR"), "GBP": ("£", "GBP"),
}  # fmt: skip
"""How an amount's currency is written at it; a mark of another currency stays, so that the amount is refused."""


class Spoilt(ValueError):
    """The value has been lost, or was never text; the message says how and what to do."""


def clean_text(text: str) -> str:
    """A name, a street, a remark on one line: no control characters (`Spoilt`), nothing invisible but joiners that
    join something, one space for any white space, digits and letters of the usual width."""
    for sign in text:
        category = unicodedata.category(sign)
        if category == "Cs" or (category == "Cc" and sign not in _LINE_ENDS):
            raise Spoilt(f"holds the control character U+{ord(sign):04X}; type the text again without it")
    return " ".join(_joined(text.translate(_INVISIBLE)).translate(_WIDE_WORDS).split())


def clean_code(code: str) -> str:
    """A number, SKU or name of a system: a spreadsheet's guards, invisible signs and outer white space gone, signs of
    the usual width. Raises `Spoilt`."""
    plain = clean_text(unguarded(code)).translate(_WIDE)
    return "".join(sign for sign in plain if sign not in _JOINERS).strip(" '`")


def exact_code(code: str) -> str:
    """`clean_code` of what a spreadsheet may have read as a number. Raises `Spoilt` for one that it rounded."""
    plain = clean_code(code)
    _refuse_scientific(plain)
    if _LONG.fullmatch(plain) and not plain[_EXACT_DIGITS:].strip("0"):
        raise Spoilt(
            f"{plain!r} has only zeros after {_EXACT_DIGITS} digits, as when a spreadsheet has rounded it; export it "
            "with the column as text, or say `rounded: accept` in the mapping if it is right"
        )
    return plain


def exact_sku(code: str) -> str:
    """`exact_code` of an article. Raises `Spoilt` also for a date that a spreadsheet has made of it (1-2 → 1-Feb)."""
    plain = exact_code(code)
    if _DATE.fullmatch(plain):
        raise Spoilt(f"{plain!r} is a date that a spreadsheet has made of a code; format the column as text")
    return plain


def clean_number(text: str, currency: str = "") -> str:
    """A decimal number as digits and a point, for whoever reads it strictly: separators of thousands and the marks of
    `currency` gone. What is no such number comes back as it is after cleaning, to be refused. Raises `Spoilt`."""
    plain = clean_code(text)
    for mark in _MARKS.get(currency, ()):
        plain = plain.removeprefix(mark).removesuffix(mark).strip()
    sign = "-" if plain.startswith("-") else ""
    number = plain.removeprefix("-")
    return sign + number.replace(",", "") if _THOUSANDS.fullmatch(number) else plain


def clean_quantity(text: str) -> str:
    """`clean_number` of a count: `1.0`, as spreadsheets write it, is 1. Raises `Spoilt`."""
    plain = clean_number(text)
    whole, point, rest = plain.partition(".")
    return whole if point and whole and not rest.strip("0") else plain


def clean_phone(text: str) -> str:
    """A telephone number with what marketplaces put at it: extension, mask, brackets. Raises `Spoilt`."""
    return clean_text(unguarded(text)).translate(_WIDE).strip(" '`")


def exact_phone(text: str) -> str:
    """`clean_phone` of what a spreadsheet may have read as a number. Raises `Spoilt`."""
    plain = clean_phone(text)
    _refuse_scientific(plain)
    return plain


def unguarded(cell: str) -> str:
    """A cell without what keeps a spreadsheet from reading it: `="…"`, or `'` and a backtick before a number."""
    text = cell.strip()
    while True:
        formula = _QUOTED_FORMULA.fullmatch(text)
        bare = formula[1].strip() if formula else _GUARDED.sub("", text, count=1) if _GUARDED.match(text) else text
        if bare == text:
            return text
        text = bare


def _refuse_scientific(plain: str) -> None:
    if _SCIENTIFIC.fullmatch(plain):
        raise Spoilt(f"{plain!r} is what a spreadsheet left of a long number; export it with the column as text")


def _joined(text: str) -> str:
    """Joiners stay between two signs that can be joined."""
    if not any(sign in _JOINERS or ord(sign) in _TAGS for sign in text):
        return text
    kept: list[str] = []
    for at, sign in enumerate(text):
        if sign in _JOINERS:
            stays = _joins(kept[-1:]) and _joins(text[at + 1 : at + 2])
        elif ord(sign) in _TAGS:
            stays = bool(kept) and (kept[-1] == _BLACK_FLAG or ord(kept[-1]) in _TAGS)
        else:
            stays = True
        if stays:
            kept.append(sign)
    return "".join(kept)


def _joins(neighbour: list[str] | str) -> bool:
    return bool(neighbour) and unicodedata.category(neighbour[0])[0] in "LMNS"
