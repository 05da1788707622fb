"""The policy as fields of a form and back: durations as people say them, amounts in yuan, lists with commas."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

from console.text.language import PageLanguage
from domain.access.loosening import LEVERS
from domain.policy import CarrierSystem, FreightBack, Policy

Kind = Literal["duration", "durations", "by_name", "money", "number", "flag", "choice", "words"]
BY_NAME, EXAMPLE = frozenset({"dispatch_by_channel"}), "douyin=24h, tmall=48h"
"""Durations by a name that people choose."""
CHOICES: Mapping[str, tuple[str, ...]] = {
    "carrier_system": get_args(CarrierSystem), "freight_back": get_args(FreightBack),
}  # fmt: skip
UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"([0-9]{1,9})\s*([dhms])", re.ASCII)
DAYS_S = UNITS["d"]
ELSEWHERE = frozenset({"risk.fields"})
"""Settings that have a page of their own."""


class Unreadable(ValueError):
    """`name`: of the field whose text says nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class PolicyField:
    """`name`: its place, dots between. `text`: its value as it is written."""

    name: str
    kind: Kind
    text: str
    choices: tuple[str, ...] = ()
    example: str = EXAMPLE
    """Of durations by name."""

    def label(self, language: PageLanguage) -> str:
        """As whoever approves a change reads it."""
        first, _, rest = self.name.partition(".")
        lever = LEVERS.get(first)
        whole = (lever.zh if language.code == "zh" else lever.en) if lever else language.word("policy", first)
        return f"{whole} · {language.word('policy', rest)}" if rest else whole


def fields_of(policy: Policy) -> tuple[PolicyField, ...]:
    """Every setting, in the order of the policy; its number is none."""
    return tuple(_fields(policy.model_dump(mode="json", exclude={"version"}), ""))


def read_back(policy: Policy, said: Mapping[str, str]) -> dict[str, Any]:
    """JSON values of the policy that a form says; what it does not name stays as in `policy`. Raises `Unreadable`."""
    whole = policy.model_dump(mode="json", exclude={"version"})
    for field in fields_of(policy):
        if field.name in said:
            *groups, last = field.name.split(".")
            place = whole
            for group in groups:
                place = place[group]
            place[last] = _value(field, said[field.name].strip())
    return whole


def _fields(values: Mapping[str, Any], before: str) -> Iterator[PolicyField]:
    for name, value in values.items():
        if f"{before}{name}" in ELSEWHERE:
            continue
        if isinstance(value, dict) and name not in BY_NAME:
            yield from _fields(value, f"{before}{name}.")
        else:
            kind = _kind(name, value)
            yield PolicyField(f"{before}{name}", kind, _text(kind, value), CHOICES.get(name, ()))


def _kind(name: str, value: Any) -> Kind:
    if isinstance(value, bool):
        return "flag"
    if name in CHOICES:
        return "choice"
    if name in BY_NAME:
        return "by_name"
    if isinstance(value, list):
        return "durations" if name.endswith("_s") else "words"
    if name.endswith("_s"):
        return "duration"
    return "money" if name.endswith("_minor") else "number"


def _text(kind: Kind, value: Any) -> str:  # noqa: PLR0911 - a table of kinds
    match kind:
        case "duration":
            return "" if value is None else duration(value)
        case "durations":
            return ", ".join(map(duration, value))
        case "by_name":
            return ", ".join(f"{each}={duration(seconds)}" for each, seconds in sorted(value.items()))
        case "money":
            return f"{value // 100}.{value % 100:02}"
        case "flag":
            return "1" if value else ""
        case "words":
            return ", ".join(value)
    return str(value)


def _value(field: PolicyField, text: str) -> Any:
    """Raises `Unreadable`."""
    try:
        return _READ[field.kind](text)
    except (ValueError, InvalidOperation, OverflowError):
        raise Unreadable(field.name) from None


def _minor(text: str) -> int:
    amount = Decimal(text) * 100
    if amount != amount.to_integral_value():
        raise ValueError
    return int(amount)


def duration(seconds: int) -> str:
    """`7d`, `36h`, `90s`: the largest unit that it is a whole number of; days only from two on."""
    for unit, size in UNITS.items():
        if seconds % size == 0 and (size < DAYS_S or seconds >= 2 * DAYS_S):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _seconds(text: str) -> int:
    """Raises `ValueError`."""
    found = list(_DURATION.finditer(text))
    if not found or _DURATION.sub("", text).strip():
        raise ValueError
    return sum(int(each[1]) * UNITS[each[2]] for each in found)


def seconds_of(name: str, text: str) -> int:
    """Of a duration as people write it. Raises `Unreadable`."""
    try:
        return _seconds(text)
    except ValueError:
        raise Unreadable(name) from None


def minor_of(name: str, text: str) -> int:
    """Of an amount in yuan. Raises `Unreadable`."""
    try:
        return _minor(text)
    except (ValueError, InvalidOperation, OverflowError):
        raise Unreadable(name) from None


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip()]


def _by_name(text: str) -> dict[str, int]:
    """Raises `ValueError`, also for a name that stands twice."""
    found: dict[str, int] = {}
    for part in _parts(text):
        name, _, long = (each.strip() for each in part.partition("="))
        if not name or name in found:
            raise ValueError(part)
        found[name] = _seconds(long)
    return found


_READ: Mapping[Kind, Callable[[str], Any]] = {
    "duration": lambda text: _seconds(text) if text else None,
    "durations": lambda text: [_seconds(part) for part in _parts(text)],
    "by_name": _by_name,
    "money": _minor,
    "number": int,
    "flag": lambda text: text == "1",
    "choice": str,
    "words": _parts,
}
