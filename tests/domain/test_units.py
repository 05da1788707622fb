"""Ranges of units say the same as the sets of units that they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.units import UnitRange, count, first_units, holds, joined, last_units, pieces_without, without

Units = set[tuple[str, int]]


class Marked(UnitRange):
    mark: str


@st.composite
def ranges(draw: st.DrawFn, lines: str = "AB") -> list[UnitRange]:
    """Ranges that do not overlap, in any order."""
    found = []
    for line_id in lines:
        first = 0
        for gap, units in draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), max_size=4)):
            found.append(UnitRange(line_id=line_id, first_unit=first + gap, units=units))
            first += gap + units
    return draw(st.permutations(found))


def units(some: list[UnitRange] | tuple[UnitRange, ...]) -> Units:
    return {unit for r in some for unit in r.each()}


@given(ranges(), ranges())
def test_what_goes_elsewhere_is_gone_and_nothing_else(has: list[UnitRange], gone: list[UnitRange]) -> None:
    left = without(has, gone)
    assert units(left) == units(has) - units(gone)
    assert count(left) == len(units(left)), "no unit stands twice"
    assert left == joined(left), "neighbours are one range"
    assert holds(has, gone) == (units(gone) <= units(has))


@given(ranges("A"), st.data())
def test_the_first_and_the_last_units_are_those_with_the_lowest_and_the_highest_numbers(
    has: list[UnitRange], data: st.DataObject
) -> None:
    numbers = sorted(units(has))
    qty = data.draw(st.integers(0, len(numbers)))
    assert sorted(units(first_units(has, qty))) == numbers[:qty]
    assert sorted(units(last_units(has, {"A": qty}))) == numbers[len(numbers) - qty :]


def test_more_of_the_last_units_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="line A: 3 units are asked for, 2 are there"):
        last_units([UnitRange(line_id="A", first_unit=0, units=2)], {"A": 3})


def test_a_piece_keeps_what_its_range_says() -> None:
    whole = Marked(line_id="A", first_unit=0, units=5, mark="left on Monday")
    gone = [UnitRange(line_id="A", first_unit=2, units=1), UnitRange(line_id="B", first_unit=0, units=5)]
    assert pieces_without([whole], gone) == [
        Marked(line_id="A", first_unit=0, units=2, mark="left on Monday"),
        Marked(line_id="A", first_unit=3, units=2, mark="left on Monday"),
    ]
