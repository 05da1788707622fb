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
MAX_PATTERN = 40
MAX_DEPTH = 20
"""Brackets within brackets."""
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
    _bounded(text)
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


def _bounded(text: str) -> None:
    """What a cell may cost. Raises `BadCell` for a range that a function would count through, for a slow
    pattern, for brackets that nobody can follow."""
    open_calls: list[bool] = []
    before = ""
    for match in _TOKEN.finditer(text):
        part = match[0]
        if part.isspace():
            continue
        if part in ("(", "["):
            open_calls.append(part == "(" and before in FUNCTIONS)
            if len(open_calls) > MAX_DEPTH:
                raise BadCell(f"has more than {MAX_DEPTH} brackets within brackets", "divide it into several rows")
            if part == "(" and before == "matches":
                _pattern(text[match.end() :])
        elif part in (")", "]") and open_calls:
            open_calls.pop()
        elif part == ".." and any(open_calls):
            advice = "compare with the range itself: qty in [1..100]"
            raise BadCell("gives a range to a function, which would count through all of it", advice)
        before = part


def _pattern(rest: str) -> None:
    """The second argument of `matches`: a plain text, so that it is known before it runs."""
    found = _MATCHED.match(rest)
    if found is None:
        raise BadCell("asks `matches` with a pattern that is no plain text", "write matches(sku, 'A[0-9]+')")
    pattern = found["pattern"][1:-1]
    if len(pattern) > MAX_PATTERN:
        raise BadCell(f"has a pattern of more than {MAX_PATTERN} characters", "compare with startsWith, or list values")
    for part, said in _SLOW.items():
        if part in pattern:
            raise BadCell(f"has {part!r} in a pattern, {said}", "write [0-9]+ for digits, [A-Za-z]+ for letters")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        advice = "every bracket that opens closes; a plain [ is written [[]"
        raise BadCell("has a pattern that cannot be read", advice) from None


_MATCHED = re.compile(r"\s*(?:[A-Za-z_][A-Za-z0-9_]*|\$)\s*,\s*(?P<pattern>'[^']*'|\"[^\"]*\")\s*\)")
_SLOW = {
    "{": "which repeats by count and is slow to read",
    "\\": "which stands for thousands of characters and is slow to read",
    "(?": "which changes how the pattern is read",
}


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
