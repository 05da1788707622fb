"""Which units of an order's lines: the one shape of a range, and what may be done with ranges.

Units of a line are counted from 0. Parcels, cases, refunds and unit shares all name them by ranges.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, TypeVar

from pydantic import Field

from domain.order import Id, Qty
from domain.strict import Strict


class UnitRange(Strict):
    """Neighbouring units of one line, counted from 0."""

    line_id: Id
    first_unit: Annotated[int, Field(ge=0)]
    units: Qty

    @property
    def end(self) -> int:
        return self.first_unit + self.units

    def each(self) -> Iterator[tuple[str, int]]:
        return ((self.line_id, unit) for unit in range(self.first_unit, self.end))


R = TypeVar("R", bound=UnitRange)


def per_line(ranges: Iterable[UnitRange]) -> dict[str, int]:
    """How many units of each line. One order of lines for everybody, so that two cases of one order cannot block each
    other in the store."""
    counted: dict[str, int] = {}
    for r in ranges:
        counted[r.line_id] = counted.get(r.line_id, 0) + r.units
    return dict(sorted(counted.items()))


def count(ranges: Iterable[UnitRange]) -> int:
    return sum(r.units for r in ranges)


def pieces_without(ranges: Iterable[R], gone: Iterable[UnitRange]) -> list[R]:
    """What is left of `ranges`, in unit order. A piece keeps everything else that its range says."""
    going: dict[str, list[UnitRange]] = {}
    for g in sorted(gone, key=_place):
        going.setdefault(g.line_id, []).append(g)
    left: list[R] = []
    for r in sorted(ranges, key=_place):
        first = r.first_unit
        for g in going.get(r.line_id, ()):
            if g.end <= first or g.first_unit >= r.end:
                continue
            if g.first_unit > first:
                left.append(_piece(r, first, g.first_unit))
            first = g.end
        if first < r.end:
            left.append(_piece(r, first, r.end))
    return left


def without(ranges: Iterable[UnitRange], gone: Iterable[UnitRange]) -> tuple[UnitRange, ...]:
    """What is left of `ranges` when the units of `gone` went elsewhere, neighbours joined."""
    return joined(pieces_without(ranges, gone))


def joined(ranges: Iterable[UnitRange]) -> tuple[UnitRange, ...]:
    """The same units in as few ranges as can be; `ranges` are in unit order."""
    found: list[UnitRange] = []
    for r in ranges:
        if found and found[-1].line_id == r.line_id and found[-1].end == r.first_unit:
            last = found.pop()
            found.append(UnitRange(line_id=r.line_id, first_unit=last.first_unit, units=last.units + r.units))
        else:
            found.append(UnitRange(line_id=r.line_id, first_unit=r.first_unit, units=r.units))
    return tuple(found)


def first_units(ranges: Iterable[UnitRange], qty: int) -> tuple[UnitRange, ...]:
    """The first `qty` units of one line's ranges, neighbours joined. They hold at least as many."""
    taken: list[UnitRange] = []
    for r in sorted(ranges, key=_place):
        units = min(r.units, qty)
        if units <= 0:
            break
        qty -= units
        taken.append(_piece(r, r.first_unit, r.first_unit + units))
    return joined(taken)


def last_units(ranges: Sequence[UnitRange], units: Mapping[str, int]) -> tuple[UnitRange, ...]:
    """The last `units` (by line_id) of what `ranges` hold. Raises `ValueError` when they hold fewer."""
    found: list[UnitRange] = []
    for line_id, wanted in units.items():
        left = wanted
        for r in sorted((r for r in ranges if r.line_id == line_id), key=lambda r: -r.first_unit):
            qty = min(left, r.units)
            if qty:
                found.append(UnitRange(line_id=line_id, first_unit=r.end - qty, units=qty))
                left -= qty
        if left:
            raise ValueError(f"line {line_id}: {wanted} units are asked for, {wanted - left} are there")
    return tuple(found)


def holds(ranges: Sequence[UnitRange], some: Sequence[UnitRange]) -> bool:
    """Whether every unit of `some` is among `ranges`."""
    return count(pieces_without(ranges, some)) == count(ranges) - count(some)


def _place(r: UnitRange) -> tuple[str, int]:
    return r.line_id, r.first_unit


def _piece(r: R, first: int, end: int) -> R:
    return r.model_copy(update={"first_unit": first, "units": end - first})
