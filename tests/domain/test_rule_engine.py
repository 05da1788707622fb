"""What a rule set answers: the same question gets the same decision, with the rule that gave it."""

import time

import pytest

from domain.rules.decision import RuleDecision
from domain.rules.engine import decide
from domain.rules.sets import UnableToDecide
from store.rules.defaults import built_in
from tests.domain.rules import a_line, a_question, a_rule_set, a_table


def test_the_built_in_rule_set_splits_as_the_policy_says_and_keeps_hard_kinds_apart() -> None:
    order = ("customs", "warehouse", "logistics", "supplier")
    found = decide(built_in(), a_question(a_line(), a_line("L2", hazard=True), policy_priority=order))
    assert (found.version, found.split_priority, found.tariffs) == (0, order, ())
    plain, hazard = found.lines
    assert (plain.group, plain.warehouses, plain.carriers) == (None, (), None)
    assert plain.lane() == (("customs", "domestic"), ("temperature", "ambient"))
    assert hazard.lane() == (("customs", "domestic"), ("hazard", "hazard"), ("temperature", "ambient"))


def test_lines_that_do_not_ship_from_a_form_a_group() -> None:
    """R27: ship_from != 'A' makes children of their own."""
    rules = a_rule_set(custom_split=a_table("custom_split", {"ship_from": "!= 'A'", "group": '"not-A"'}))
    found = decide(rules, a_question(*(a_line(f"L{n}", ship_from=w) for n, w in enumerate("ABC"))))
    assert [(line.group, line.group_rule) for line in found.lines] == [(None, None), ("not-A", "R1"), ("not-A", "R1")]


def test_the_first_row_that_fits_counts() -> None:
    rows = [
        {"qty": ">= 10", "condition": "amount_minor > 10000 and stock < qty", "group": '"bulk"'},
        {"channel": "'shop'", "province": "in ['浙江省', '上海市']", "group": "sku"},
        {"group": '"rest"'},
    ]
    rules = a_rule_set(custom_split=a_table("custom_split", *rows))
    lines = (a_line("L1", qty=10), a_line("L2", qty=9))
    assert [line.group for line in decide(rules, a_question(*lines)).lines] == ["bulk", "MUG"]
    assert [line.group for line in decide(rules, a_question(*lines, channel="app")).lines] == ["bulk", "rest"]
    cheap = decide(rules, a_question(*lines, amount_minor=1, city="北京市", province="北京市"))
    assert [line.group_rule for line in cheap.lines] == ["R3", "R3"]


def test_every_row_of_the_separation_table_that_fits_counts() -> None:
    rows = [
        {"kind": '"temperature"', "value": "logistics"},
        {"battery": "true", "kind": '"hazard"', "value": '"battery"'},
        {"supplier": "'SUP-PAINT'", "kind": '"smell"', "value": '"paint"'},
    ]
    rules = a_rule_set(separation=a_table("separation", *rows, inputs=("battery", "supplier")))
    (line,) = decide(rules, a_question(a_line(battery=True, supplier="SUP-PAINT"))).lines
    assert [(s.kind, s.value, s.rule_id) for s in line.separations] == [
        ("temperature", "ambient", "R1"), ("hazard", "battery", "R2"), ("smell", "paint", "R3"),
    ]  # fmt: skip


def test_warehouses_carriers_and_dimension_order_come_from_their_tables() -> None:
    rules = a_rule_set(
        dimension_order=a_table(
            "dimension_order", {"channel": "'app'", "priority": '["supplier", "warehouse", "customs", "logistics"]'}
        ),
        preferred_warehouse=a_table("preferred_warehouse", {"city": "'杭州市'", "warehouses": '["B", "A"]'}),
        carriers=a_table("carriers", {"battery": "true", "carriers": '"ZTO"'}, inputs=("battery",)),
    )
    found = decide(rules, a_question(a_line(battery=True), a_line("L2"), channel="app"))
    assert (found.split_priority[0], found.priority_rule) == ("supplier", "R1")
    assert [(line.warehouses, line.carriers) for line in found.lines] == [(("B", "A"), ("ZTO",)), (("B", "A"), None)]
    assert decide(rules, a_question(a_line())).priority_rule == "policy"


def test_only_tariffs_that_serve_the_address_are_told() -> None:
    row = {"carrier": '"SF"', "first_g": "1", "first_fee_minor": "2", "extra_g": "3", "extra_fee_minor": "4"}
    rows = [row | {"region": "'广东省'"}, row | {"region": "'杭州市', '北京市'", "logistics": "'cold'"}, row]
    rules = a_rule_set(tariffs=a_table("tariffs", *rows))
    assert [(t.region, t.logistics, t.rule_id) for t in decide(rules, a_question()).tariffs] == [
        ("杭州市", "cold", "R2"), ("*", "*", "R3"),
    ]  # fmt: skip


def test_a_decision_can_be_stored_and_made_again() -> None:
    rules = a_rule_set(custom_split=a_table("custom_split", {"ship_from": "!= 'A'", "group": '"not-A"'}))
    question = a_question(a_line(), a_line("L2", ship_from="B"))
    decided = decide(rules, question)
    kept = RuleDecision.model_validate_json(decided.model_dump_json())
    again = decide(type(rules).model_validate_json(rules.model_dump_json()), question)
    assert kept == decided == again


def test_a_set_that_was_never_checked_cannot_decide() -> None:
    rules = a_rule_set()
    rules.tables["separation"]["nodes"].pop()
    rules.tables["separation"]["nodes"].pop()
    with pytest.raises(UnableToDecide, match="separation"):
        decide(rules, a_question())


def test_text_of_the_data_is_never_read_as_a_condition() -> None:
    rules = a_rule_set(custom_split=a_table("custom_split", {"ship_from": "!= 'A'", "group": "sku"}))
    evil = "' or true or '"
    (line,) = decide(rules, a_question(a_line(ship_from="B", sku=evil))).lines
    assert line.group == evil


def test_ten_thousand_lines_are_decided_in_a_second() -> None:
    rows = [{"sku": f"'S{n}'", "qty": f"> {n}", "group": '"g"'} for n in range(50)]
    rules = a_rule_set(custom_split=a_table("custom_split", *rows))
    question = a_question(*(a_line(f"L{n}", sku=f"S{n % 3000}", qty=1 + n % 60) for n in range(10_000)))
    started = time.process_time()  # of our own: other tests use the cores, too
    assert len(decide(rules, question).lines) == 10_000
    assert time.process_time() - started < 2
