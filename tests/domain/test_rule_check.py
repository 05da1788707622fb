"""What may be saved as a rule set, and what is warned of."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from domain.rules.check import InvalidRuleSet, accept, check
from domain.rules.findings import errors
from domain.rules.reading import read_table
from domain.rules.sets import Document
from domain.rules.tables import SHAPES
from domain.rules.writing import document_of
from store.rules.defaults import built_in
from tests.domain.rules import a_rule_set, a_table


def test_the_built_in_tables_are_fine() -> None:
    assert check(built_in()) == ()


def test_a_table_comes_back_from_its_document_as_it_was() -> None:
    for name, document in built_in().tables.items():
        table, faults = read_table(SHAPES[name], document)
        assert table is not None
        assert faults == ()
        assert read_table(SHAPES[name], document_of(table)) == (table, ())


@pytest.mark.parametrize(
    "cell",
    [
        "!= 'A'", "'A', 'B'", "not in ['A', 'B']", "startsWith($, 'WH-') and $ != 'WH-9'", "== supplier",
        "in ['A'] or contains($, 'x')", "'non-A / 非A仓'", "len($) > 3", "$ == 'now'",
    ],
)  # fmt: skip
def test_a_condition_about_a_text_column_is_fine(cell: str) -> None:
    assert check(a_rule_set(custom_split=a_table("custom_split", {"ship_from": cell, "group": '"x"'}))) == ()


@pytest.mark.parametrize(
    ("column", "cell", "word"),
    [
        ("amount_minor", ">> 5000", "cannot be read"),
        ("amount_minor", "> 'A'", "cannot be read"),
        ("amount_minor", "'5000'", "something else"),
        ("amount_minor", "> ５０", "holds"),
        ("ship_from", "!= A", "no column"),
        ("ship_from", "“A”", "holds"),
        ("ship_from", "5", "something else"),
        ("ship_from", "== 'A", "holds"),
        ("ship_from", "qty > 3", "says nothing of ship_from"),
        ("hazard", "'yes'", "something else"),
        ("customs", "'smuggled'", "no customs mode"),
        ("warehouses", "'A'", "one value"),
        ("condition", "ship_from = 'A'", "holds"),
        ("condition", "ship_from", "neither true nor false"),
        ("condition", "buyer == 'x'", "no column"),
        ("condition", "qty > 3 ? true : false", "holds"),
        ("condition", "`${qty}` == '1'", "holds"),
        ("condition", "$root.qty > 1", "uses"),
        ("condition", "ship_from.length > 1", "holds"),
        ("condition", "qty > 1\\n", "holds"),
        ("condition", "x" * 501, "characters"),
    ],
)
def test_a_condition_that_would_never_fit_or_runs_something_is_refused(column: str, cell: str, word: str) -> None:
    rules = a_rule_set(custom_split=a_table("custom_split", {column: cell, "group": '"x"'}))
    with pytest.raises(InvalidRuleSet) as refused:
        accept(rules)
    (finding,) = refused.value.findings
    assert (finding.table, finding.row, finding.column) == ("custom_split", "R1", column)
    assert word in finding.text


@pytest.mark.parametrize(
    "cell",
    [
        "> now()", "d('now') > d('2026-01-01')", "date('now') > 5", "now == 1", "d('2026-01-01').add('1d') == 1",
        "rand(100) > 5", "dayOfWeek(1) == 1", "date('2026-11-11') == 1", "time('10:00') < 5", "today() == 1",
        "uuid() == 'a'",
    ],
)  # fmt: skip
@pytest.mark.parametrize("column", ["amount_minor", "condition"])
def test_nothing_that_needs_the_clock_or_chance_can_be_saved(column: str, cell: str) -> None:
    rules = a_rule_set(custom_split=a_table("custom_split", {column: cell, "group": '"x"'}))
    assert errors(check(rules))


@pytest.mark.parametrize(
    ("table", "row", "word"),
    [
        ("custom_split", {"group": "now()"}, "no plain value"),
        ("custom_split", {"group": "5"}, "is not text"),
        ("custom_split", {"group": ""}, "is empty"),
        ("custom_split", {"group": "qty"}, "whole number"),
        ("custom_split", {"group": '["a"]'}, "is not text"),
        ("custom_split", {"group": '__import__("os")'}, "no plain value"),
        ("dimension_order", {"priority": '["warehouse"]'}, "each of"),
        ("dimension_order", {"priority": '["warehouse", "warehouse", "supplier", "logistics"]'}, "twice"),
        ("dimension_order", {"priority": '["warehouse", "colour", "supplier", "logistics"]'}, "each of"),
        ("preferred_warehouse", {"warehouses": '["A", "A"]'}, "twice"),
        ("preferred_warehouse", {"warehouses": '["A", 5]'}, "is not a list"),
        ("carriers", {"carriers": "[]"}, "is not a list"),
        ("carriers", {"carriers": '["A", ""]'}, "is not a list"),
    ],
)
def test_an_answer_of_another_kind_is_refused(table: Any, row: dict[str, str], word: str) -> None:
    tables: dict[str, Any] = {table: a_table(table, row)}
    found = errors(check(a_rule_set(**tables)))
    assert [word in finding.text for finding in found] == [True], found


TARIFF = {
    "carrier": '"SF"', "first_g": "1000", "first_fee_minor": "800", "extra_g": "500", "extra_fee_minor": "200",
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"first_g": "0"}, {"first_fee_minor": "-1"}, {"extra_g": "1.5"}, {"extra_fee_minor": '"5"'},
        {"carrier": '"S F"'}, {"region": "!= '浙江省'"}, {"region": "now()"}, {"first_g": "true"}, {"carrier": ""},
    ],
)  # fmt: skip
def test_a_tariff_that_is_no_price_is_refused(change: dict[str, str]) -> None:
    assert not check(a_rule_set(tariffs=a_table("tariffs", TARIFF)))
    assert errors(check(a_rule_set(tariffs=a_table("tariffs", TARIFF | change))))


def changed(change: Callable[[dict[str, Any]], Any]) -> Document:
    document = copy.deepcopy(a_table("custom_split", {"ship_from": "!= 'A'", "group": '"x"'}))
    change(document)
    return document


def content(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["nodes"][1]["content"]
    return found


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda d: d.pop("nodes"), "JDM"),
        (lambda d: d["nodes"].append({"id": "f", "type": "functionNode", "content": "() => 1"}), "function node"),
        (lambda d: d["nodes"].append({"id": "x", "type": "expressionNode"}), "one decision table"),
        (lambda d: d["nodes"].append({"id": "x", "type": "decisionNode"}), "one decision table"),
        (lambda d: d["nodes"].pop(1), "one decision table"),
        (lambda d: content(d)["outputs"].pop(), "lacks the output 'group'"),
        (lambda d: content(d)["outputs"].append({"id": "y", "field": "colour"}), "nobody asks"),
        (lambda d: content(d)["inputs"].append({"id": "y", "field": "phone"}), "no column"),
        (lambda d: content(d)["rules"][0].pop("ship_from"), "no cell"),
        (lambda d: content(d)["rules"][0].update(colour="1"), "unknown column"),
        (lambda d: content(d)["rules"][0].update(ship_from=5), "no text"),
        (lambda d: content(d)["rules"].append(dict(content(d)["rules"][0])), "taken"),
        (lambda d: content(d)["rules"][0].pop("_id"), "_id"),
        (lambda d: content(d).update(rules=[{"_id": f"R{n}"} for n in range(501)]), "more than 500"),
        (lambda d: content(d).update(hitPolicy="collect"), "hit policy"),
        (lambda d: content(d).update(executionMode="loop"), "execution mode"),
        (lambda d: content(d).update(inputField="x"), "inputField"),
        (lambda d: content(d)["inputs"][0].update(defaultValue="'A'"), "default value"),
    ],
)  # fmt: skip
def test_a_document_that_is_not_one_decision_table_is_refused(change: Any, word: str) -> None:
    found = errors(check(a_rule_set(custom_split=changed(change))))
    assert any(word in finding.text for finding in found), found


def test_no_table_may_be_missing() -> None:
    rules = a_rule_set()
    rules.tables.pop("separation")
    assert [f.text for f in errors(check(rules))] == ["is missing"]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    rows = [{"ship_from": "!= A", "amount_minor": ">> 1", "group": "5"}, {"ship_from": "now()", "group": '"x"'}]
    found = errors(check(a_rule_set(custom_split=a_table("custom_split", *rows))))
    assert {(f.row, f.column) for f in found} == {
        ("R1", "ship_from"), ("R1", "amount_minor"), ("R1", "group"), ("R2", "ship_from"),
    }  # fmt: skip


def test_giving_up_a_hard_separation_is_warned_of() -> None:
    rules = a_rule_set(separation=a_table("separation", {"kind": '"customs"', "value": "customs"}))
    assert [f.text for f in check(rules)] == [
        "keeps nothing apart by 'temperature'", "keeps nothing apart by 'hazard'",
    ]  # fmt: skip


def test_a_carrier_without_a_tariff_is_warned_of() -> None:
    rules = a_rule_set(carriers=a_table("carriers", {"carriers": '["SF", "ZTO"]'}), tariffs=a_table("tariffs", TARIFF))
    assert ["ZTO" in f.text for f in check(rules)] == [True]
