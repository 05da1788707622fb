"""Cells that nobody could have meant, and cells that somebody meant too well: each told at its own cell, in words."""

import time

import pytest

from domain.rules.check import check
from domain.rules.engine import RuleEngine
from domain.rules.findings import errors
from domain.rules.sets import UnableToDecide
from tests.domain.rules import a_line, a_question, a_rule_set, a_table

MALFORMED = [
    ("qty", ">> 5", "cannot be read as a condition"),
    ("qty", "> ", "cannot be read as a condition"),
    ("qty", "'five'", "compares qty, which is a whole number, with something else"),
    ("ship_from", "WH-EAST", "names 'WH', which is no column"),
    ("ship_from", "“WH-EAST”", "holds '“', which conditions do not know"),
    ("ship_from", "== 'A", 'holds "\'", which conditions do not know'),
    ("ship_from", "qty > 3", "says nothing of ship_from"),
    ("warehouses", "'A'", "compares a list with one value"),
    ("condition", "ship_from", "is neither true nor false"),
    ("condition", "matches(sku, 'A[')", "has a pattern that cannot be read"),
]
HOSTILE = [
    ("condition", "sum([1..999999999]) > 1", "gives a range to a function"),
    ("qty", "> max((1..999999999))", "gives a range to a function"),
    ("condition", "matches(sku, '(((a{1,90}){1,90}){1,90})b')", "which repeats by count"),
    ("condition", r"matches(sku, '(\w+)+(\w+)+$')", "stands for thousands of characters"),
    ("condition", f"matches(sku, '{'(.+)+' * 20}')", "a pattern of more than 40 characters"),
    ("condition", "matches(sku, ship_from)", "with a pattern that is no plain text"),
    ("condition", "now() > 5", "depends on the clock"),
    ("condition", "buyer == 'x'", "names 'buyer', which is no column"),
    ("condition", "some([1], # > 0)", "calls 'some', which is not allowed"),
    ("condition", "(" * 60 + "qty > 1" + ")" * 60, "brackets within brackets"),
]


@pytest.mark.parametrize(("column", "cell", "said"), MALFORMED + HOSTILE)
def test_a_cell_that_may_not_be_saved_gets_its_sentence_at_its_place(column: str, cell: str, said: str) -> None:
    rows = [{"qty": "> 3", "group": '"fine"'}, {column: cell, "group": '"x"', "id": "bad"}]
    (found,) = errors(check(a_rule_set(custom_split=a_table("custom_split", *rows, inputs=(column,)))))
    assert (found.table, found.row, found.column) == ("custom_split", "bad", column)
    assert said in found.text


@pytest.mark.parametrize(
    ("column", "cell"),
    [("qty", "in [1..5]"), ("qty", "[1..5]"), ("condition", "qty in (1..9] and len(sku) > 2"),
     ("condition", "matches(sku, '^A[0-9]+$') or contains(sku, 'x')"), ("sku", "matches($, 'A.*')")],
)  # fmt: skip
def test_what_people_write_all_day_is_none_of_these(column: str, cell: str) -> None:
    assert check(a_rule_set(custom_split=a_table("custom_split", {column: cell, "group": '"x"'}))) == ()


def test_a_table_of_ten_thousand_rows_with_a_slow_pattern_is_refused_before_it_runs() -> None:
    rows = [{"condition": "matches(sku, '(.+)+(.+)+(.+)+x')", "group": '"x"'}] * 10_000
    started = time.process_time()
    found = errors(check(a_rule_set(custom_split=a_table("custom_split", *rows))))
    assert any("more than 500" in f.text for f in found) and time.process_time() - started < 5


def test_more_slow_rows_than_an_order_can_wait_for_are_told_at_the_first_one_too_many() -> None:
    rows = [{"condition": f"matches(sku, '(.+)+(.+)+x{n}')", "group": '"x"'} for n in range(30)]
    (found,) = errors(check(a_rule_set(custom_split=a_table("custom_split", *rows))))
    assert (found.row, "too slow" in found.text, "startsWith" in found.advice) == ("R20", True, True)


def test_an_order_with_too_many_different_lines_for_a_slow_table_is_not_begun() -> None:
    """Of what was published before there was a limit, too."""
    rows = [{"condition": f"matches(sku, 'x{n}')", "group": '"x"'} for n in range(40)]
    engine = RuleEngine(a_rule_set(custom_split=a_table("custom_split", *rows)))
    question = a_question(*(a_line(f"L{n}", sku=f"S{n}") for n in range(600)))
    assert engine.is_slow(question)
    started = time.process_time()
    with pytest.raises(UnableToDecide, match="custom_split needs 20040 steps"):
        engine.decide(question)
    assert time.process_time() - started < 1
