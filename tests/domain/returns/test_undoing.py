"""Every physical step of a case has something that undoes it, and somebody who does."""

import pytest

from domain.fulfilment.reallocation import divided
from domain.returns.enums import Grade
from domain.returns.inspection import Expected, ScanResult, UnitScan, judge_scan
from domain.returns.undoing import UNDOINGS, By, PhysicalStep, UnitHere, described, steps_to_undo
from domain.units import UnitRange

HERE = UnitHere(line_id="L1", unit=0, sku="CUP")
GRADED = UnitHere(line_id="L1", unit=1, sku="CUP", grade=Grade.SCRAP)


def test_every_step_is_in_the_table() -> None:
    assert set(UNDOINGS) == set(PhysicalStep)


def test_the_last_step_is_undone_first() -> None:
    assert steps_to_undo((HERE, GRADED)) == (PhysicalStep.GRADE, PhysicalStep.RECEIVE)
    assert (steps_to_undo((HERE,)), steps_to_undo(())) == ((PhysicalStep.RECEIVE,), ())


def test_a_person_is_told_units_places_and_money() -> None:
    text = described((HERE, GRADED), 6_000, "CNY")
    assert "L1#0 (CUP), L1#1 (CUP, written off)" in text and "6000 CNY" in text
    assert all(u.does in text for step, u in UNDOINGS.items() if u.by is By.PERSON)


def test_after_the_inspection_a_unit_that_was_missing_counts_for_nothing() -> None:
    one_left = [Expected(line_id="L1", sku="CUP", units=2, done=1)]
    scan = UnitScan(scanned="RC", grade=Grade.GOOD)
    assert judge_scan("RC", one_left, scan).counts
    late = judge_scan("RC", one_left, scan, over=True)
    assert (late.result, late.counts) == (ScanResult.INSPECTION_OVER, False)


RUNS = (UnitRange(line_id="L1", first_unit=0, units=3), UnitRange(line_id="L2", first_unit=0, units=1))


@pytest.mark.parametrize(
    ("mine", "parts"),
    [
        ({("L1", 0)}, [({"L1": 1}, True), ({"L1": 2, "L2": 1}, False)]),
        ({("L1", 1), ("L1", 2)}, [({"L1": 1, "L2": 1}, False), ({"L1": 2}, True)]),
        ({("L2", 0)}, [({"L2": 1}, True), ({"L1": 3}, False)]),
        ({("L1", 1)}, []),
    ],
)
def test_units_are_cut_off_only_where_the_parts_get_exactly_them(
    mine: set[tuple[str, int]], parts: list[tuple[dict[str, int], bool]]
) -> None:
    assert [(dict(part.lines), is_mine) for part, is_mine in divided(RUNS, mine)] == parts
