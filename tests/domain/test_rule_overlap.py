"""Rows that can never count and rows that compete are warned of, and only where it is certain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zen import evaluate_unary_expression

from domain.rules.check import check
from domain.rules.overlap import apart, condition, covers
from tests.domain.rules import a_rule_set, a_table


def warned(*rows: dict[str, str]) -> list[tuple[str | None, str]]:
    given_rows = [{"group": f'"g{n}"'} | row for n, row in enumerate(rows)]
    found = check(a_rule_set(custom_split=a_table("custom_split", *given_rows)))
    return [(f.row, f.text.split(":")[0].split(" row ")[0]) for f in found]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"ship_from": ""}, {"ship_from": "'A'"}], [("R2", "never counts")]),
        ([{"ship_from": "!= 'A'"}, {"ship_from": "'B', 'C'"}], [("R2", "never counts")]),
        ([{"qty": "> 3"}, {"qty": "[5..9]"}], [("R2", "never counts")]),
        ([{"qty": "> 3", "ship_from": "'A'"}, {"qty": "7", "ship_from": "'A'"}], [("R2", "never counts")]),
        ([{"ship_from": "startsWith($, 'A')"}, {"ship_from": "startsWith($, 'A')"}], [("R2", "never counts")]),
        ([{"ship_from": "'A', 'B'"}, {"ship_from": "'B', 'C'"}], [("R2", "overlaps with")]),
        ([{"ship_from": "'A'"}, {"qty": "> 3"}], [("R2", "overlaps with")]),
        ([{"qty": "> 3"}, {"qty": "< 9"}], [("R2", "overlaps with")]),
        ([{"ship_from": "'A'"}, {"ship_from": "'B'"}], []),
        ([{"ship_from": "'A'"}, {"ship_from": "!= 'A'"}], []),
        ([{"qty": "> 3"}, {"qty": "<= 3"}], []),
        ([{"qty": "[1..3]"}, {"qty": "(3..5]"}], []),
        ([{"ship_from": "'A'", "qty": "> 3"}, {"ship_from": "'A'"}], []),
        ([{"ship_from": "'A', 'B'", "group": '"g"'}, {"ship_from": "'B', 'C'", "group": '"g"'}], []),
        ([{"ship_from": "startsWith($, 'A')"}, {"ship_from": "'B'"}], []),
    ],
)
def test_rows_are_compared(rows: list[dict[str, str]], told: list[tuple[str, str]]) -> None:
    assert warned(*rows) == told


CELLS = st.sampled_from(
    ["", "3", "== 3", "!= 3", "> 3", ">= 3", "< 3", "<= 3", "[1..3]", "(1..3)", "2, 3", "in [1, 4]", "not in [1, 4]"]
)


@given(CELLS, CELLS)
def test_what_is_certain_agrees_with_the_engine(one: str, other: str) -> None:
    fits = [{v for v in range(-1, 8) if not cell or evaluate_unary_expression(cell, {"$": v})} for cell in (one, other)]
    if covers(condition(one), condition(other)):
        assert fits[1] <= fits[0]
    if apart(condition(one), condition(other)):
        assert not fits[0] & fits[1]
