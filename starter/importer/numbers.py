"""Numbers of a CSV cell, read strictly, and the one place where money is rounded."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from domain.order import Minor, Qty

_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_FEN = Decimal("0.01")


class BadNumber(ValueError):
    """A cell that is no usable number; the text says why."""


@dataclass(frozen=True, slots=True)
class LinePrice:
    """A line total as unit price and line discount: `qty × unit_price_minor − discount_minor == total_minor`."""

    unit_price_minor: Minor
    discount_minor: Minor
    total_minor: Minor
    rounded_from: str | None
    """The cell's text when it had fractions of a fen that were rounded off, else None."""


def quantity(text: str) -> Qty:
    """Units of a line: ASCII digits only, at least 1."""
    if re.fullmatch(r"-[0-9.]+", text) or (_WHOLE.fullmatch(text) and int(text) == 0):
        raise BadNumber(f"quantity {text[:20]!r} is not above zero")
    if not _WHOLE.fullmatch(text):
        raise BadNumber(f"quantity {text[:20]!r} is not a whole number")
    return int(text)


def whole(text: str, what: str) -> int:
    """A count of 0 or more, for instance grams."""
    if not _WHOLE.fullmatch(text):
        raise BadNumber(f"{what} {text[:20]!r} is not a whole number of 0 or more")
    return int(text)


def line_price(text: str, qty: Qty) -> LinePrice:
    """Line total in major units → fen, half up, once; from there on nothing is rounded any more.

    When the total does not divide by `qty`, the unit price is the next fen up and the line discount carries what is
    too much, so that the line's net is the rounded total to the fen.
    """
    if text.startswith("-") and _DECIMAL.fullmatch(text[1:]):
        raise BadNumber(f"total {text[:20]!r} is below zero")
    if not _DECIMAL.fullmatch(text):
        raise BadNumber(f"total {text[:20]!r} is not a plain decimal number")
    exact = Decimal(text)
    rounded = exact.quantize(_FEN, rounding=ROUND_HALF_UP)
    total = int(rounded * 100)
    unit = -(-total // qty)
    return LinePrice(unit, unit * qty - total, total, text if rounded != exact else None)
