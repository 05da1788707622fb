"""A trained return risk: how its chances are made, told and judged. What it takes to train one is tried beside."""

import random

import pytest
from pydantic import ValidationError

from domain.insight.evaluation import auc, chances_of_points, judged, not_better, threshold_for
from domain.insight.risk import FeaturePoints, MappedField, RiskFeatures, RiskTable, reason_of
from domain.insight.risk_model import RiskModel, Weight, chance_of, score

MODEL = RiskModel(
    version=3, bias=-2.0, threshold=30,
    weights=(
        Weight(feature="returns_90d", weight=0.8, usual=0.5, spread=1.0),
        Weight(feature="orders_90d", weight=-0.1, usual=2.0, spread=3.0),
        Weight(feature="complaints_30d", weight=0.2, usual=0.0, spread=0.1, zh="投诉", en="complaints"),
    ),
)  # fmt: skip


def test_a_score_is_percent_and_its_factors_say_how_far_the_chance_would_fall_if_they_were_as_usual() -> None:
    risk = MODEL.score(RiskFeatures(returns_90d=3, orders_90d=1, other={"complaints_30d": 1}))
    assert risk.score == round(100 * chance_of(-2.0 + 2.4 - 0.1 + 0.2)) == 62 and risk.is_high and risk.model == 3
    assert [(f.feature, f.count, f.points) for f in risk.factors] == [
        ("returns_90d", 3, 44), ("complaints_30d", 1, 5), ("orders_90d", 1, 2),
    ]  # fmt: skip
    assert reason_of(risk).startswith("return risk 62 % (model 3), looked at from 30: sent back in 90 days: 3 (+44)")
    assert risk.factors[1].words == ("投诉", "complaints")


def test_the_table_judges_without_a_model_and_where_the_policy_wants_no_trained_one() -> None:
    many = RiskFeatures(returns_90d=3)
    assert score(many, RiskTable(), MODEL).model == 3
    assert score(many, RiskTable(), None).model is None and score(many, RiskTable(trained=False), MODEL).model is None


def test_what_drives_a_model_is_what_moves_a_usual_order_most_either_way() -> None:
    assert [w.feature for w in MODEL.drivers()] == ["returns_90d", "orders_90d", "complaints_30d"]


def test_no_chance_is_too_large_to_be_computed_and_a_count_beyond_all_others_says_no_more() -> None:
    assert (chance_of(-10_000.0), chance_of(10_000.0)) == (0.0, 1.0)
    assert MODEL.chance(RiskFeatures(returns_90d=50)) == MODEL.chance(RiskFeatures(returns_90d=10**9))


def test_a_mapped_field_gives_points_and_one_about_a_protected_trait_is_refused() -> None:
    complaints = MappedField(field="complaints_30d", zh="投诉", en="complaints", points=FeaturePoints(each=25, cap=50))
    risk = RiskTable(fields=(complaints,)).score(RiskFeatures(other={"complaints_30d": 3, "unmapped": 9}))
    assert risk.score == 50 and risk.factors[0].words == ("投诉", "complaints")
    for field, zh, en in (
        ("buyer_age", "年", "x"),
        ("f1", "性别", "x"),
        ("f1", "x", "Nationality"),
        ("units", "x", "x"),
    ):
        with pytest.raises(ValidationError):
            MappedField(field=field, zh=zh, en=en)
    MappedField(field="messages", zh="留言", en="pages seen")  # "age" as a part of a word is none
    with pytest.raises(ValidationError):
        RiskTable(fields=(complaints, complaints))


def test_the_area_under_the_curve_counts_ties_half() -> None:
    assert auc([0.1, 0.4, 0.4, 0.9], [False, False, True, True]) == 0.875
    assert auc([0.5] * 4, [False, True, False, True]) == 0.5


def test_a_judgement_names_error_lift_and_each_tenth() -> None:
    back = [n >= 90 for n in range(100)]
    found = judged([n / 100 for n in range(100)], back)
    assert found.auc == 1.0 and found.lift == 10.0 and len(found.deciles) == 10
    assert [d.came_back for d in found.deciles] == [0.0] * 9 + [1.0] and found.deciles[9].expected == 0.945
    assert judged([1.0 * b for b in back], back).brier == 0.0


def test_a_model_beats_points_only_with_less_error_a_better_order_and_surely_more_than_chance() -> None:
    chance = random.Random(5)
    back = [chance.random() < 0.2 for _ in range(400)]
    noise = judged([chance.random() / 2 for _ in back], back)
    good = judged([0.6 * b + 0.4 * chance.random() for b in back], back)
    assert not_better(good, noise, 400, sum(back)) == ()
    assert not_better(noise, good, 400, sum(back)) == ("no_better_than_chance", "auc", "brier")
    assert not_better(good, good, 400, sum(back)) == ("auc", "brier"), "as good is not better"


def test_a_score_of_the_table_means_what_it_has_meant_and_the_usual_share_where_it_was_never_seen() -> None:
    chance = chances_of_points([0] * 80 + [60] * 20, [False] * 80 + [True] * 20)
    assert chance(60) == (20 + 20 * 0.2) / 40 and chance(0) == (20 * 0.2) / 100 and chance(45) == 0.2


def test_whoever_looks_has_as_much_to_do_with_a_model_as_with_points() -> None:
    percents = list(range(1, 101))
    assert threshold_for(percents, 10) == 91 and threshold_for(percents, 0) == 100
    assert threshold_for([5] * 100, 10) == 6, "of all alike none is picked out"
