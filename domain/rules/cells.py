"""The text of a rule table's cells: which names it uses, what it may not use, and the values that an output names.

A cell is an expression of the rule engine's small language. What is allowed is listed here; anything else is refused,
so that a decision never depends on the clock, on chance or on data outside its question.
"""

import ast
import re
from collections.abc import Set
from typing import Any

MAX_CELL = 500
"""Characters."""
VALUE = "$"
"""The value of the column that a cell stands in."""
WORDS = frozenset({"true", "false", "null", "and", "or", "not", "in"})
FUNCTIONS = frozenset({
    "abs", "ceil", "contains", "count", "endsWith", "floor", "len", "lower", "matches", "max", "min", "round",
    "startsWith", "sum", "trim", "upper",
})  # fmt: skip
CLOCK = frozenset({
    "d", "date", "dateString", "day", "dayOfMonth", "dayOfWeek", "dayOfYear", "duration", "endOf", "month",
    "monthOfYear", "monthString", "now", "quarter", "rand", "random", "seasonOf", "startOf", "time", "timestamp",
    "today", "tomorrow",
    "uuid", "weekOfMonth", "weekOfYear", "weekdayString", "year", "yesterday",
})  # fmt: skip
"""Functions and words of the language that read the clock, reckon with dates or roll dice."""

_TOKEN = re.compile(
    r"""\s+|"[^"]*"|'[^']*'|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<dollar>\$[A-Za-z0-9_]*)|[0-9][0-9_]*(?:\.[0-9]+)?
    |(?P<mark>==|!=|<=|>=|&&|\|\||\.\.|[-+*/%^<>!(),\[\]])|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTES = {"“": '"', "”": '"', "‘": "'", "’": "'", "，": ",", "（": "(", "）": ")", "；": ";", "！": "!", "＝": "="}


class BadCell(ValueError):
    """A cell that may not stand in a rule table. `args[0]` says why, `args[1]` what to do."""


def names(text: str, fields: Set[str]) -> frozenset[str]:
    """The columns that a condition reads. Raises `BadCell` for anything that a condition may not say."""
    if len(text) > MAX_CELL:
        raise BadCell(f"has more than {MAX_CELL} characters", "divide it into several rows")
    found: set[str] = set()
    for match in _TOKEN.finditer(text):
        name, dollar, other = match["name"], match["dollar"], match["other"]
        if other:
            raise BadCell(f"holds {other!r}, which conditions do not know", _straight(other))
        if dollar not in (None, VALUE):
            raise BadCell(f"uses {dollar!r}", "`$` alone is the value of the column")
        if name and name not in WORDS:
            called = text[match.end() :].lstrip().startswith("(")
            _known(name, called, fields)
            if not called:
                found.add(name)
    return frozenset(found)


def literal(text: str) -> Any:
    """The value that an output cell spells out: text in quotes, a number, true, false, or a list of these in brackets.

    Raises `BadCell`.
    """
    plain = {"true": "True", "false": "False"}.get(text.strip(), text.strip())
    try:
        if len(text) > MAX_CELL:
            raise ValueError
        value = ast.literal_eval(plain)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        advice = 'write text in straight quotes, "A", several as ["A", "B"], numbers as digits, or a column\'s name'
        raise BadCell(f"{text[:40]!r} is no plain value", advice) from None
    parts = value if isinstance(value, list) else [value]
    if not all(isinstance(part, str | int) for part in parts):
        raise BadCell(f"{text[:40]!r} is neither text nor a whole number", "write one value, or a list in brackets")
    return value


def _known(name: str, called: bool, fields: Set[str]) -> None:
    if name in fields and not called:
        return
    if called and name in FUNCTIONS:
        return
    if name in CLOCK:
        raise BadCell(
            f"uses {name!r}, which depends on the clock, the calendar or chance",
            "a decision must come out the same when it is looked at later; publish another version when the time comes",
        )
    if called:
        raise BadCell(f"calls {name!r}, which is not allowed", f"allowed are {', '.join(sorted(FUNCTIONS))}")
    raise BadCell(f"names {name!r}, which is no column", f"text stands in quotes: '{name}'")


def _straight(mark: str) -> str:
    if mark in _QUOTES:
        return f"write {_QUOTES[mark]!r}, the plain sign, instead"
    return "compare with == != < <= > >= in, join with and, or, not"
