"""Whatever somebody writes is refused with findings or can decide; it never crashes, and it decides the same twice."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rules.check import check
from domain.rules.engine import RuleEngine
from domain.rules.findings import errors
from tests.domain.rules import a_line, a_question, a_rule_set, a_table

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    [
        "'A'", '"A"', "5", "0", "-1", "$", "qty", "stock", "ship_from", "sku", "hazard", "warehouses", "amount_minor",
        "==", "!=", "<", ">", ">=", "in", "not", "and", "or", "(", ")", "[", "]", ",", "..", "+", "-", "*", "/", "%",
        "true", "null", "len(", "contains(", "startsWith(", "matches(", "upper(", "sum(", "max(", "abs(", "^", "!",
        "now()", "d('2026-01-01')", "rand(", "?", ":", ".", "#", "`", "{", "}", ";", "'", '"', "\\", "名", " ", "\n",
    ]
)  # fmt: skip
CELL = st.lists(WORDS, max_size=7).map(" ".join)
QUESTION = a_question(a_line(), a_line("L2", ship_from="B", qty=0 + 1, stock=0, hazard=True, sku="' or true"))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["ship_from", "qty", "hazard", "warehouses", "condition"]), CELL), CELL)
def test_a_row_of_any_text_is_refused_or_decides(cells: dict[str, str], answer: str) -> None:
    rules = a_rule_set(custom_split=a_table("custom_split", cells | {"group": answer or '"g"'}))
    if not errors(check(rules)):
        first, again = (RuleEngine(rules).decide(QUESTION) for _ in range(2))
        assert first == again
        assert all(line.group is None or line.group_rule == "R1" for line in first.lines)


@settings(max_examples=200, deadline=None)
@given(path=st.lists(st.integers(0, 5), max_size=6), value=JSON)
def test_a_document_of_any_shape_is_refused_or_read(path: list[int], value: Any) -> None:
    document: Any = a_table("custom_split", {"ship_from": "!= 'A'", "qty": "> 3", "group": '"g"'})
    place, key = {"root": document}, "root"
    for step in path:
        here = place[key]
        if isinstance(here, dict) and here:
            place, key = here, sorted(here)[step % len(here)]
        elif isinstance(here, list) and here:
            place, key = here, step % len(here)  # type: ignore[assignment]
    if key != "root" or isinstance(value, dict):
        place[key] = value
    rules = a_rule_set()
    rules.tables["custom_split"] = document if key != "root" else value if isinstance(value, dict) else document
    if not errors(check(rules)):
        RuleEngine(rules).decide(QUESTION)


@settings(max_examples=100, deadline=None)
@given(st.lists(CELL | st.integers(-5, 5000).map(str), min_size=8, max_size=8))
def test_a_tariff_of_any_text_is_refused_or_quoted(cells: list[str]) -> None:
    names = ("warehouse", "region", "logistics", "carrier", "first_g", "first_fee_minor", "extra_g", "extra_fee_minor")
    rules = a_rule_set(tariffs=a_table("tariffs", dict(zip(names, cells, strict=True))))
    if not errors(check(rules)):
        RuleEngine(rules).decide(QUESTION)
