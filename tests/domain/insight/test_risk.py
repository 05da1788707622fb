"""Points for what a buyer has sent back before: how they add up, what is told of them, who is looked at."""

import pytest
from pydantic import ValidationError

from domain.access.loosening import looser_policy
from domain.insight.risk import (
    BuyerHistory,
    FeaturePoints,
    RiskFeature,
    RiskFeatures,
    RiskTable,
    features_of,
    reason_of,
    traits_of,
)
from domain.order import Coupon, OrderLine
from domain.policy import Policy
from tests.store.examples import an_order

TABLE = RiskTable()


def score(exchanges: int = 0, returns: int = 0, several: int = 0, table: RiskTable = TABLE) -> int:
    features = RiskFeatures(size_exchange_90d=exchanges, returns_90d=returns, multi_size_same_spu=several)
    return table.score(features).score


def line(number: str, sku: str, spu: str | None) -> OrderLine:
    return OrderLine(line_id=number, sku=sku, spu=spu, qty=1, unit_price_minor=100)


def test_points_add_up_and_each_feature_gives_no_more_than_its_cap() -> None:
    assert (score(3, 2, 1), score(1, 1, 0), score(0, 9, 1), score(5, 0, 0), score()) == (85, 25, 60, 45, 0)


def test_an_order_is_looked_at_from_the_threshold_on_and_not_a_point_below() -> None:
    at, below = RiskFeatures(returns_90d=9, multi_size_same_spu=1), RiskFeatures(size_exchange_90d=3, returns_90d=1)
    assert TABLE.score(at).is_high and not TABLE.score(below).is_high
    assert not TABLE.model_copy(update={"threshold": 61}).score(at).is_high


def test_what_gave_points_is_told_the_most_first_and_what_gave_none_is_not() -> None:
    risk = TABLE.score(RiskFeatures(size_exchange_90d=1, returns_90d=9))
    assert [(f.feature, f.count, f.points) for f in risk.factors] == [
        (RiskFeature.RETURNS, 9, 40),
        (RiskFeature.SIZE_EXCHANGES, 1, 15),
    ]
    assert reason_of(risk) == (
        "return risk 55, looked at from 60: sent back in 90 days: 9 (+40); "
        "exchanged for another size in 90 days: 1 (+15)"
    )


def test_several_sizes_are_several_skus_of_one_named_article() -> None:
    lines = [
        line("L1", "SHOE-41", "SHOE"), line("L2", "SHOE-42", "SHOE"),  # two sizes
        line("L3", "CUP", "CUP"), line("L4", "CUP", "CUP"),  # one, twice
        line("L5", "HAT-S", None), line("L6", "HAT-M", None),  # nobody says that they are one article
    ]  # fmt: skip
    order = an_order().model_copy(update={"lines": tuple(lines), "coupons": (), "payable_minor": 60_000})
    assert features_of(BuyerHistory(returns_90d=2), traits_of(order)) == RiskFeatures(
        returns_90d=2, multi_size_same_spu=1, units=6, lines=6, amount_100=6
    )


def test_a_discount_is_what_lines_and_coupons_take_off_the_price() -> None:
    off = line("L1", "CUP", None).model_copy(update={"qty": 4, "discount_minor": 50})
    coupons = (Coupon(coupon_id="C", amount_minor=150),)
    order = an_order().model_copy(update={"lines": (off,), "coupons": coupons, "kind": "flash"})
    found = traits_of(order.model_copy(update={"other_facts": {"complaints_30d": 2}}))
    assert (found.discount_pct, found.flash, found.other) == (50, 1, {"complaints_30d": 2})


def test_nobody_is_held_longer_than_half_an_hour() -> None:
    assert TABLE.hold_s == 1800
    with pytest.raises(ValidationError):
        RiskTable(hold_s=1801)


def test_whoever_approves_a_policy_is_told_that_the_points_change() -> None:
    after = Policy(risk=RiskTable(returns_90d=FeaturePoints(each=0, cap=0)))
    (told,) = looser_policy(Policy(), after)
    assert "risk" in told
