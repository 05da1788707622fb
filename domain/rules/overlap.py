"""Which rows of a table can never count, and which ones compete, as far as conditions can be compared for certain."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.rules.cells import BadCell, literal
from domain.rules.findings import Finding
from domain.rules.tables import RuleRow, RuleTable

MOST = 50
"""Warnings of one table."""
_RANGE = re.compile(r"([\[(])\s*(-?[0-9]+)\s*\.\.\s*(-?[0-9]+)\s*([\])])")
_COMPARED = re.compile(r"(==|!=|<=|>=|<|>)\s*(.+)", re.DOTALL)
_LISTED = re.compile(r"(not\s+in|in)\s*(\[.*\])", re.DOTALL)
_INFINITY = 10**30


@dataclass(frozen=True)
class _Any:
    pass


@dataclass(frozen=True)
class _Values:
    """One of these values, or with `but` any other one."""

    values: frozenset[str | int]
    but: bool = False


@dataclass(frozen=True)
class _Range:
    """Whole numbers, both ends included."""

    low: int
    high: int


@dataclass(frozen=True)
class _Unknown:
    text: str


Condition = _Any | _Values | _Range | _Unknown


def condition(cell: str) -> Condition:
    """What a cell about its column lets through."""
    if not cell:
        return _Any()
    try:
        return _known(cell)
    except BadCell:
        return _Unknown(cell)


def _known(cell: str) -> Condition:
    if found := _RANGE.fullmatch(cell):
        low, high = int(found[2]), int(found[3])
        return _Range(low + (found[1] == "("), high - (found[4] == ")"))
    if found := _LISTED.fullmatch(cell):
        return _values(found[2], but=found[1] != "in")
    if found := _COMPARED.fullmatch(cell):
        sign, value = found[1], literal(found[2])
        if sign in ("==", "!=") and isinstance(value, str | int):
            return _Values(frozenset({value}), but=sign == "!=")
        if isinstance(value, int):
            low = {">": value + 1, ">=": value}.get(sign, -_INFINITY)
            high = {"<": value - 1, "<=": value}.get(sign, _INFINITY)
            return _Range(low, high)
        return _Unknown(cell)
    return _values(f"[{cell}]")


def _values(text: str, but: bool = False) -> Condition:
    value = literal(text)
    return _Values(frozenset(value), but) if isinstance(value, list) else _Unknown(text)


def covers(one: Condition, other: Condition) -> bool:  # noqa: PLR0911 - one case a line
    """Certain that whatever fits `other` fits `one`."""
    match one, other:
        case _Any(), _:
            return True
        case _Values(mine, but=False), _Values(theirs, but=False):
            return theirs <= mine
        case _Values(mine, but=True), _Values(theirs, but=False):
            return not theirs & mine
        case _Values(mine, but=True), _Values(theirs, but=True):
            return mine <= theirs
        case _Range(low, high), _Range(a, b):
            return low <= a and b <= high
        case _Range(low, high), _Values(theirs, but=False):
            return all(isinstance(v, int) and low <= v <= high for v in theirs)
    return one == other


def apart(one: Condition, other: Condition) -> bool:  # noqa: PLR0911 - one case a line
    """Certain that nothing fits both."""
    match one, other:
        case _Values(mine, but=False), _Values(theirs, but=False):
            return not mine & theirs
        case _Values(mine, but=True), _Values(theirs, but=False):
            return theirs <= mine
        case _Values(_, but=False), _Values(_, but=True):
            return apart(other, one)
        case _Range(low, high), _Range(a, b):
            return high < a or b < low
        case _Range(low, high), _Values(theirs, but=False):
            return not any(isinstance(v, int) and low <= v <= high for v in theirs)
        case _Values(_, but=False), _Range():
            return apart(other, one)
    return False


def competing(table: RuleTable) -> Iterator[Finding]:
    """Warnings about rows that never count because an earlier one takes all, and about rows that overlap."""
    conditions = [_conditions(table, row) for row in table.rows]
    told = 0
    for n, row in enumerate(table.rows):
        for before, earlier in zip(table.rows[:n], conditions[:n], strict=True):
            finding = _pair(table, (before, earlier), (row, conditions[n]))
            if finding is not None:
                told += 1
                yield finding
                if told == MOST:
                    return
                break  # one warning a row


def _pair(
    table: RuleTable, before: tuple[RuleRow, Sequence[Condition]], after: tuple[RuleRow, Sequence[Condition]]
) -> Finding | None:
    (first, mine), (second, theirs) = before, after
    same = all(first.cells[c.id] == second.cells[c.id] for c in table.outputs)
    hidden = all(covers(a, b) for a, b in zip(mine, theirs, strict=True))
    collect = table.shape.hit == "collect"
    if hidden and (same or not collect):
        text = f"repeats row {first.rule_id}" if collect else f"never counts: row {first.rule_id} takes it all"
        return _warning(table, second, text, "remove it, or move it up")
    sure = not any(isinstance(c, _Unknown) for c in (*mine, *theirs))
    overlap = sure and not any(apart(a, b) for a, b in zip(mine, theirs, strict=True))
    # The specific row before the general one is how tables are written, and no matter for a warning.
    general = all(covers(b, a) for a, b in zip(mine, theirs, strict=True))
    if overlap and not same and not collect and not general:
        text = f"overlaps with row {first.rule_id}: where both fit, row {first.rule_id} counts"
        return _warning(table, second, text, "narrow one of them if that is not meant")
    return None


def _conditions(table: RuleTable, row: RuleRow) -> tuple[Condition, ...]:
    return tuple(
        condition(row.cells[c.id]) if c.field or not row.cells[c.id] else _Unknown(row.cells[c.id])
        for c in table.inputs
    )


def _warning(table: RuleTable, row: RuleRow, text: str, advice: str) -> Finding:
    return Finding(severity="warning", table=table.shape.name, row=row.rule_id, text=text, advice=advice)
