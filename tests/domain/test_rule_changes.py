"""What an approver sees of a new rule set: the rows that came, went, changed or moved."""

from domain.rules.changes import changes
from domain.rules.sets import Document
from tests.domain.rules import a_rule_set, a_table


def told(before: Document, after: Document) -> list[str]:
    return [str(c) for c in changes(a_rule_set(custom_split=before), a_rule_set(custom_split=after))]


def rows(*given: tuple[str, str, str]) -> Document:
    return a_table("custom_split", *({"id": i, "ship_from": when, "group": then} for i, when, then in given))


def test_rows_that_came_went_and_changed_are_told_in_words() -> None:
    before = rows(("a", "'A'", '"x"'), ("b", "'B'", '"y"'), ("c", "", '"z"'))
    after = rows(("a", "'A'", '"x"'), ("b", "'B', 'C'", '"y"'), ("d", "!= 'A'", '"z"'))
    assert told(before, after) == [
        'custom_split removed c: always → group "z"',
        'custom_split changed b: ship_from "B" → group "y" → ship_from "B", "C" → group "y"',
        'custom_split added d: ship_from != "A" → group "z"',
    ]


def test_another_order_is_told_where_the_first_row_counts() -> None:
    before = rows(("a", "'A'", '"x"'), ("b", "", '"y"'))
    assert told(before, rows(("b", "", '"y"'), ("a", "'A'", '"x"'))) == [
        "custom_split moved b", "custom_split moved a",
    ]  # fmt: skip
    assert told(before, rows(("n", "'N'", '"n"'), ("a", "'A'", '"x"'), ("b", "", '"y"'))) == [
        'custom_split added n: ship_from "N" → group "n"'
    ]


def test_the_same_rows_in_other_columns_or_quotes_are_the_same() -> None:
    wide = a_table("custom_split", {"id": "a", "ship_from": '"A"', "group": '"x"'}, inputs=("qty", "channel"))
    assert told(rows(("a", "'A'", '"x"')), wide) == []
