"""Every plan explains itself, can be made again from what was stored, and names a change that avoids the split."""

import random

import pytest

from domain.fulfilment.alternatives import Rejected
from domain.fulfilment.explanation import Because, Explanation, as_of_now, explain, replay
from domain.fulfilment.explanation_text import matched, reason
from domain.fulfilment.planning import PlanInputs, plan
from domain.fulfilment.what_if import Change, changed
from domain.rules.decision import LineDecision, Separation
from domain.strict import parse
from tests.domain.plans import decision, inputs, tariff


def explained(given: PlanInputs) -> Explanation:
    return explain(given, plan(given))


def an_order(seed: int) -> PlanInputs:
    """Some lines over three warehouses, some of them ruled, with or without tariffs."""
    dice = random.Random(seed)
    names = [f"L{n}" for n in range(dice.randint(1, 5))]
    lines = {n: (dice.randint(1, 4), "".join(dice.sample("ABC", dice.randint(1, 3)))) for n in names}
    stock = {f"{n}{w}": dice.randint(0, 5) for n in names for w in lines[n][1]}
    modes, kinds = ("domestic", "cbec"), ("ambient", "cold")
    tags = {n: {"customs": dice.choice(modes), "logistics": dice.choice(kinds)} for n in names}
    apart = (Separation(kind="hazard", value="battery", rule_id="separation/1"),)
    ruled = [
        LineDecision(
            line_id=n,
            group="gift" if dice.random() < 0.3 else None,
            group_rule="custom_split/1",
            separations=apart if dice.random() < 0.3 else (),
        )
        for n in names
    ]
    tariffs = (tariff("SF", 900, 300), tariff("YTO", 700, 400, warehouse="A")) if dice.random() < 0.5 else ()
    rules = decision(*ruled, tariffs=tariffs) if dice.random() < 0.7 else None
    return inputs(lines, stock, rules, tags)


@pytest.mark.parametrize("block", range(5))
def test_in_a_world_where_everything_lies_everywhere_no_unit_more_is_asked_for(block: int) -> None:
    nothing = 0
    for seed in range(block * 20, block * 20 + 20):
        stored = explained(an_order(seed))
        plenty = [balance.model_copy(update={"available": 1000}) for balance in stored.inputs.stock]
        now = as_of_now(stored, plenty)
        assert (now.plan, now.inputs) == (stored.plan, stored.inputs), "what was planned stays as it was"
        inputs_now = stored.inputs.model_copy(update={"stock": tuple(plenty)})
        for child in now.children:
            assert not [c for c in child.nearest if c.kind == "stock" and (c.sku, c.value) in places(stored)], seed
            if child.joins:
                nothing += not child.nearest
                assert len(plan(changed(inputs_now, child.nearest)).children) < len(stored.plan), (seed, child)
    assert nothing, "some would travel together without any change"


def places(explanation: Explanation) -> set[tuple[str | None, str]]:
    return {(balance.sku, balance.warehouse) for balance in explanation.inputs.stock}


@pytest.mark.parametrize("block", range(10))
def test_every_explanation_replays_to_its_plan_and_every_nearest_change_makes_a_child_less(block: int) -> None:
    """200 random orders, 20 a block, each through the JSON that is stored."""
    found = 0
    for seed in range(block * 20, block * 20 + 20):
        stored = parse(Explanation, explained(an_order(seed)).model_dump_json())
        assert replay(stored) == stored.plan, seed
        assert explained(stored.inputs) == stored, seed
        for child in stored.children:
            if child.nearest:
                found += 1
                again = plan(changed(stored.inputs, child.nearest)).children
                assert len(again) < len(stored.plan), (seed, child)
            else:
                assert len(stored.plan) == 1 or child.joins is None
    assert found > 5


def test_an_order_in_one_piece_has_nothing_to_explain() -> None:
    (child,) = explained(inputs({"L1": (1, "A")}, {"L1A": 1})).children
    assert (child.reasons, child.rejected, child.nearest) == ((), (), ())


def test_a_backorder_would_have_been_avoided_by_the_missing_units() -> None:
    found = explained(inputs({"L1": (5, "A")}, {"L1A": 3}))
    assert found.children[0].reasons == (
        Because(dim="stock", value="in_stock", rule_id="stock/in_stock_first", version=0, version_of="policy"),
    )
    assert found.children[1].nearest == (Change(kind="stock", sku="SKU-L1", value="A", units=2),)
    assert found.children[1].joins == "SO-TEST-1-01"


def test_a_warehouse_that_lacks_units_says_how_many_and_that_many_more_would_have_done() -> None:
    found = explained(inputs({"L1": (2, "AB"), "L2": (3, "B")}, {"L1A": 2, "L2B": 3}))
    assert found.children[0].rejected == (Rejected(what="warehouse", name="B", why="LACKS", amount=2, sku="SKU-L1"),)
    assert found.children[0].nearest == (Change(kind="stock", sku="SKU-L1", value="B", units=2),)


def test_a_warehouse_that_lacks_one_of_the_goods_is_out_whatever_else_it_has() -> None:
    given = inputs({"L1": (1, "AB"), "L2": (3, "AB")}, {"L1A": 1, "L1B": 1, "L2A": 3, "L2B": 1})
    (child,) = explained(given).children
    assert child.rejected == (Rejected(what="warehouse", name="B", why="LACKS", amount=2, sku="SKU-L2"),)


def test_a_line_with_one_warehouse_would_have_had_to_ship_from_the_other_one() -> None:
    found = explained(inputs({"L1": (1, "A"), "L2": (1, "B")}, {"L1A": 1, "L2B": 1}))
    assert found.children[0].nearest == (
        Change(kind="warehouse", line_id="L1", value="B"),
        Change(kind="stock", sku="SKU-L1", value="B", units=1),
    )


def test_a_customs_mode_that_divides_is_named_with_the_mode_that_would_not_have() -> None:
    tags = {"L2": {"customs": "cbec"}}
    found = explained(inputs({"L1": (1, "A"), "L2": (1, "A")}, {"L1A": 1, "L2A": 1}, None, tags))
    assert found.children[1].reasons[0].rule_id == "policy"
    zh, en = reason(found.children[1].reasons[0])
    assert "没有规则匹配" in zh and "no rule matched" in en
    assert found.children[0].nearest == (Change(kind="customs", line_id="L1", value="cbec"),)


def test_a_rule_that_divides_is_named_with_its_version() -> None:
    rules = decision(LineDecision(line_id="L2", group="gift", group_rule="custom_split/3"), line_ids=("L1", "L2"))
    found = explained(inputs({"L1": (1, "A"), "L2": (1, "A")}, {"L1A": 1, "L2A": 1}, rules))
    because = Because(dim="custom", value="gift", rule_id="custom_split/3", version=7, version_of="rules")
    assert found.children[1].reasons == (because,)
    assert found.children[1].nearest[0].rule_id == "custom_split/3"
    zh, en = reason(found.children[0].reasons[0])
    assert matched(found, found.children[1].child_no)[0][1] == "condition: rule custom_split/3"
    assert "no row of conditions" in matched(found, found.children[0].child_no)[0][1]
    assert "没有匹配任何自定义条件" in zh and "no condition matched: apart from the goods of rule custom_split/3" in en


def test_a_dearer_warehouse_and_a_dearer_carrier_say_by_how_much() -> None:
    rates = (tariff("SF", 900, warehouse="A"), tariff("SF", 700, warehouse="B"), tariff("YTO", 750, warehouse="B"))
    (child,) = explained(inputs({"L1": (1, "AB")}, {"L1A": 1, "L1B": 1}, decision(tariffs=rates))).children
    assert child.rejected == (
        Rejected(what="warehouse", name="A", why="DEARER", amount=200, lines=("L1",)),
        Rejected(what="carrier", name="YTO", why="DEARER", amount=50),
    )


def test_a_liked_warehouse_that_would_have_made_a_parcel_more_says_so() -> None:
    (child,) = explained(inputs({"L1": (1, "AB"), "L2": (1, "B")}, {"L1A": 1, "L1B": 1, "L2B": 1})).children
    assert child.rejected == (Rejected(what="warehouse", name="A", why="MORE_PARCELS", amount=1, lines=("L1",)),)


def test_a_carrier_that_a_rule_forbids_names_the_rule() -> None:
    rules = decision(
        LineDecision(line_id="L1", carriers=("SF",), carriers_rule="carriers/2"),
        tariffs=(tariff("SF", 900), tariff("YTO", 700)),
    )
    (child,) = explained(inputs({"L1": (1, "A")}, {"L1A": 1}, rules)).children
    assert child.rejected == (Rejected(what="carrier", name="YTO", why="NOT_ALLOWED", rule_id="carriers/2"),)


def test_a_large_order_is_explained_by_its_reasons_and_still_replays() -> None:
    lines = {f"L{n}": (1, "AB") for n in range(200)}
    found = explained(inputs(lines, {f"{n}{'AB'[i % 2]}": 1 for i, n in enumerate(lines)}))
    assert not found.complete and [c.reasons[0].value for c in found.children] == ["A", "B"]
    assert replay(found) == found.plan
