"""Values out of a body, as a mapping says. Every fault is collected with its field: a dry run shows them all."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from providers.generic.mapping import Actual, Amount, Moment, Value
from providers.generic.pointers import find
from providers.generic.shapes import AMOUNT, ID, WHOLE, WRITTEN_TIME, shape_of
from providers.tracking import one_line

MAX_LINES = 10_000
MAX_UNITS = 1_000_000
MAX_MINOR = 10**12


class _Wrong(Exception):
    """The value cannot be used. The text says where it stands, never what it is (it may be personal)."""


class Reader:
    """One body. `faults`: a line `field: what is wrong` for each value that was needed and could not be read."""

    def __init__(self, body: Any) -> None:
        self.faults: list[str] = []
        self._body = body

    def field(self, name: str, given: Value | Amount | Actual) -> Any:
        """The field's value, or None when it is absent or wrong."""
        try:
            if isinstance(given, Amount):
                return _amount(self._body, given)
            if isinstance(given, Actual):
                return _actual(self._body, given)
            return _text(self._body, name, given)
        except _Wrong as wrong:
            self.faults.append(f"{name}: {wrong}")
            return None

    def moment(self, name: str, given: Moment) -> datetime | None:
        try:
            return _moment(self._body, given)
        except _Wrong as wrong:
            self.faults.append(f"{name}: {wrong}")
            return None

    def word(self, name: str, pointer: str) -> str | None:
        """A text or whole number at `pointer`."""
        text = _plain(find(self._body, pointer))
        if text is None:
            self.faults.append(f"{name}: there is no text at {pointer}")
        return text


def _text(body: Any, name: str, given: Value) -> str | None:
    if given.at is None:
        return given.const
    found = find(body, given.at)
    if found is None or (isinstance(found, str) and not found.strip()):
        if given.optional:
            return None
        raise _Wrong(f"nothing stands at {given.at}")
    text = _plain(found)
    if text is None:
        raise _Wrong(f"what stands at {given.at} is neither a text nor a whole number")
    if given.map is not None:
        text = given.map.get(text)
        if text is None:
            raise _Wrong(f"what stands at {given.at} is not in the map of this field")
    if name == "note":
        return one_line(text, 300)
    if not shape_of(name).fullmatch(text):
        raise _Wrong(f"what stands at {given.at} is not a {name}")
    return text


def _amount(body: Any, given: Amount) -> int | None:
    found = find(body, given.at)
    if found is None and given.optional:
        return None
    # The shortest text of a JSON number is the one that was written, up to 15 digits.
    text = repr(found) if isinstance(found, int | float) else found
    if not isinstance(text, str) or not AMOUNT.fullmatch(text):
        raise _Wrong(f"there is no amount of zero or more at {given.at}")
    minor = Decimal(text).scaleb(given.decimals)
    if minor != minor.to_integral_value() or minor > MAX_MINOR:
        raise _Wrong(f"the amount at {given.at} is too large or has more than {given.decimals} decimals")
    return int(minor)


def _actual(body: Any, given: Actual) -> dict[str, int] | None:
    lines = find(body, given.lines)
    if lines is None and given.optional:
        return None
    if not isinstance(lines, list) or not 0 < len(lines) <= MAX_LINES:
        raise _Wrong(f"there is no list of 1 to {MAX_LINES} lines at {given.lines}")
    units: dict[str, int] = {}
    for position, line in enumerate(lines):
        line_id, number = _plain(find(line, given.line_id)), _plain(find(line, given.units))
        if line_id is None or not ID.fullmatch(line_id) or number is None or not WHOLE.fullmatch(number):
            raise _Wrong(f"{given.lines}/{position} lacks a line id or a whole number of units")
        # One of our lines may be picked in several lots.
        units[line_id] = units.get(line_id, 0) + int(number)
        if units[line_id] > MAX_UNITS:
            raise _Wrong(f"{given.lines}/{position} has more than {MAX_UNITS} units")
    return units


def _moment(body: Any, given: Moment) -> datetime:
    text = _plain(find(body, given.at))
    if text is None:
        raise _Wrong(f"there is no time at {given.at}")
    try:
        at = _time(text, given)
    except (ValueError, OverflowError):
        raise _Wrong(f"the time at {given.at} is not in the form {given.format}") from None
    if at.tzinfo is None or not 2000 <= at.year < 2100:
        raise _Wrong(f"the time at {given.at} has no offset, or is not of this century")
    return at


def _time(text: str, given: Moment) -> datetime:
    if given.format in ("epoch_s", "epoch_ms"):
        if not WHOLE.fullmatch(text):
            raise ValueError
        return datetime.fromtimestamp(int(text) / (1000 if given.format == "epoch_ms" else 1), UTC)
    if given.format != "rfc3339":
        at = datetime.strptime(text, given.format)  # noqa: DTZ007 - its zone is the mapping's, below
    elif WRITTEN_TIME.fullmatch(text):
        at = datetime.fromisoformat(text)
    else:
        raise ValueError
    return at.replace(tzinfo=ZoneInfo(given.zone)) if at.tzinfo is None and given.zone else at


def _plain(value: Any) -> str | None:
    if isinstance(value, str):
        return value if value.strip() else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
