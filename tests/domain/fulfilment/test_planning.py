"""Sourcing, rules and tariffs become children: who ships what, in which order, carried by whom."""

import pytest

from domain.fulfilment.planning import plan
from domain.fulfilment.resourcing import Missing, resource
from domain.fulfilment.splitting import split
from domain.rules.decision import LineDecision, Separation
from tests.domain.plans import PRIORITY, decision, inputs, shape, tariff


def test_lines_with_one_warehouse_are_split_as_ever() -> None:
    given = inputs({"L1": (3, "A"), "L2": (1, "B"), "L3": (2, "A")}, {"L1A": 2, "L2B": 9, "L3A": 2})
    stock = {"L1": 2, "L2": 1, "L3": 2}
    assert plan(given).children == split("SO-TEST-1", given.priced, stock, PRIORITY)  # type: ignore[arg-type]
    assert plan(given).sourced is None


def test_one_warehouse_that_has_everything_makes_one_child() -> None:
    planned = plan(inputs({"L1": (2, "AB"), "L2": (1, "B")}, {"L1A": 2, "L1B": 2, "L2B": 1}))
    assert shape(planned.children) == [("B", {"L1": 2, "L2": 1}, "RELEASED")]
    assert planned.children[0].reasons == ()


def test_a_divided_line_keeps_its_money_to_the_fen_and_its_units_in_the_order_of_the_children() -> None:
    planned = plan(inputs({"L0": (1, "B"), "L1": (5, "AB")}, {"L0B": 1, "L1A": 3, "L1B": 2}))
    assert shape(planned.children) == [("B", {"L0": 1, "L1": 2}, "RELEASED"), ("A", {"L1": 3}, "RELEASED")]
    assert sum(c.paid_minor for c in planned.children) == 6 * 1100


def test_what_is_missing_everywhere_waits_where_the_line_would_rather_come_from() -> None:
    planned = plan(inputs({"L1": (5, "AB")}, {"L1B": 3}))
    assert shape(planned.children) == [("B", {"L1": 3}, "RELEASED"), ("A", {"L1": 2}, "BACKORDER")]
    waits_there = plan(inputs({"L1": (5, "AB")}, {"L1A": 1, "L1B": 3}))
    assert shape(waits_there.children) == [
        ("A", {"L1": 1}, "RELEASED"), ("A", {"L1": 1}, "BACKORDER"), ("B", {"L1": 3}, "RELEASED"),
    ]  # fmt: skip


def test_a_preference_of_the_rule_set_goes_before_the_catalogues_as_far_as_that_allows_it() -> None:
    rules = decision(LineDecision(line_id="L1", warehouses=("Z", "B")))
    given = inputs({"L1": (1, "AB")}, {"L1A": 1, "L1B": 1}, rules)
    assert shape(plan(given).children) == [("B", {"L1": 1}, "RELEASED")]


def test_a_condition_groups_before_any_dimension_and_names_itself() -> None:
    rules = decision(LineDecision(line_id="L2", group="gift", group_rule="custom_split/3"), line_ids=("L1", "L2"))
    children = plan(inputs({"L1": (1, "A"), "L2": (1, "A")}, {"L1A": 1, "L2A": 1}, rules)).children
    assert [[(r.dim, r.value) for r in c.reasons] for c in children] == [[("custom", "none")], [("custom", "gift")]]


def test_what_a_rule_keeps_apart_never_shares_a_parcel_even_from_one_warehouse() -> None:
    battery = (Separation(kind="hazard", value="battery", rule_id="separation/1"),)
    rules = decision(LineDecision(line_id="L2", separations=battery), line_ids=("L1", "L2"))
    children = plan(inputs({"L1": (1, "AB"), "L2": (1, "AB")}, {"L1A": 1, "L2A": 1, "L2B": 1}, rules)).children
    assert [[(r.dim, r.value) for r in c.reasons] for c in children] == [[("hazard", "none")], [("hazard", "battery")]]


# --- carriers -----------------------------------------------------------------------------------------------------


def test_the_cheapest_tariff_carries_and_ties_go_to_the_carrier_first_in_the_alphabet() -> None:
    rules = decision(tariffs=(tariff("YTO", 800), tariff("SF", 900), tariff("STO", 800)))
    (child,) = plan(inputs({"L1": (1, "A")}, {"L1A": 1}, rules)).children
    assert (child.carrier, child.shipping_cost_minor) == ("STO", 800)


def test_a_carrier_must_be_allowed_for_every_line_of_the_parcel() -> None:
    lines = (LineDecision(line_id="L1", carriers=("YTO", "SF")), LineDecision(line_id="L2", carriers=("SF",)))
    rules = decision(*lines, tariffs=(tariff("YTO", 800), tariff("SF", 900)))
    (child,) = plan(inputs({"L1": (1, "A"), "L2": (1, "A")}, {"L1A": 1, "L2A": 1}, rules)).children
    assert child.carrier == "SF"


def test_without_a_tariff_that_fits_the_carrier_system_chooses() -> None:
    rules = decision(tariffs=(tariff("SF", 900, logistics="cold"),))
    (child,) = plan(inputs({"L1": (1, "A")}, {"L1A": 1}, rules)).children
    assert (child.carrier, child.shipping_cost_minor) == (None, None)


def test_of_two_warehouses_with_everything_the_one_that_ships_cheaper_is_taken() -> None:
    rules = decision(tariffs=(tariff("SF", 900, warehouse="A"), tariff("SF", 700, warehouse="B")))
    (child,) = plan(inputs({"L1": (1, "AB")}, {"L1A": 1, "L1B": 1}, rules)).children
    assert (child.warehouse, child.shipping_cost_minor) == ("B", 700)


# --- missing units are sourced again --------------------------------------------------------------------------------


def test_missing_units_come_from_elsewhere_as_new_children_with_exactly_their_money() -> None:
    given = inputs({"L1": (3, "AB"), "L2": (1, "A")}, {"L1A": 9, "L1B": 9, "L2A": 1})
    found = resource(given, [Missing(line_id="L1", first_unit=1, qty=2)], 4, {("SKU-L1", "A")})
    (child,) = found.children
    assert (child.plan.child_no, child.plan.warehouse, dict(child.plan.lines)) == ("SO-TEST-1-04", "B", {"L1": 2})
    assert (dict(child.first_units), child.plan.paid_minor, dict(found.nowhere)) == ({"L1": 1}, 2200, {})


def test_a_replacement_is_worth_its_own_units_not_the_first_ones() -> None:
    given = inputs({"L1": (3, "AB")}, {"L1A": 9, "L1B": 9})
    (line,) = given.priced.lines
    uneven = given.priced.model_copy(update={"lines": (line.model_copy(update={"net_minor": 2999}),)})
    missing = [Missing(line_id="L1", first_unit=1, qty=2)]
    (child,) = resource(given.model_copy(update={"priced": uneven}), missing, 2, {("SKU-L1", "A")}).children
    assert child.plan.net_minor == 1000 + 999


@pytest.mark.parametrize("places", ["A", "AB"])
def test_units_that_nobody_else_has_are_named(places: str) -> None:
    given = inputs({"L1": (3, places)}, {"L1A": 9})
    found = resource(given, [Missing(line_id="L1", first_unit=0, qty=3)], 2, {("SKU-L1", "A")})
    assert (found.children, dict(found.nowhere)) == ((), {"L1": 3})
