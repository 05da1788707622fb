"""Numbers of payment cards, which nobody may keep: found in words, masked where others tell them, refused where people
write them.

A number is one when it has the length and the first digits of a card scheme and its check digit fits. Ten in a hundred
numbers of such a shape are none; what a message itself names (waybills, transactions) is left out.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

_SHAPE = re.compile(r"(?<![0-9A-Za-z])[0-9](?:(?: |-|\+|%20)?[0-9]){12,18}(?![0-9A-Za-z])")
_CODE = re.compile(r"(?i)(\b(?:cvv2?|cvc2?|cvn2?|cav2|cid code)\b[\"'=:>\s]{1,4})[0-9]{3,4}\b")
_SCHEMES: Sequence[tuple[re.Pattern[str], Collection[int]]] = (
    (re.compile("4"), (13, 16, 19)),
    (re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile("3[47]"), (15,)),
    (re.compile("3[689]|30[0-5]"), (14,)),
    (re.compile("35|60|62|64|65|81"), range(16, 20)),
)
"""Visa; Mastercard; American Express; Diners; JCB, Discover, UnionPay."""
WORDS = frozenset(
    {"reason", "remark", "why", "note", "text", "description", "lowered_reason", "evidence", "name", "street"}
)
"""Fields of messages in which people write what they like."""


def masked(text: str, ours: Collection[str] = ()) -> str:
    """The same with all but the last four digits of card numbers, and their codes, gone. `ours`: numbers that are known
    to be something else."""

    def mask(found: re.Match[str]) -> str:
        digits = _digits(found[0])
        if digits in ours or not is_card(digits):
            return found[0]
        return "*" * (len(digits) - 4) + digits[-4:]

    return _CODE.sub(lambda found: found[1] + "***", _SHAPE.sub(mask, text))


def masked_bytes(body: bytes, ours: Collection[str] = ()) -> bytes:
    """Of a message as it came, whatever its encoding: only digits are looked at."""
    return masked(body.decode("latin-1"), ours).encode("latin-1")


def card_in(message: Mapping[str, Any] | Sequence[Any]) -> str | None:
    """The field of a message whose words have a card's number; None: none has."""
    for field, words in _words(message, ""):
        if masked(words) != words:
            return field
    return None


def is_card(digits: str) -> bool:
    fits = any(start.match(digits) and len(digits) in lengths for start, lengths in _SCHEMES)
    return fits and _luhn(digits) and len(set(digits)) > 1


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _digits(found: str) -> str:
    return re.sub(r"%20|[^0-9]", "", found)


def _words(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, str) and key in WORDS:
                yield f"{path}{key}", inner
            else:
                yield from _words(inner, f"{path}{key}.")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _words(inner, path)
