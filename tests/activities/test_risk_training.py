"""The trained return risk against a generator whose truth is known: 20,000 orders, planted drivers, noisy labels."""

import random
from functools import cache

import pytest

from activities.insight import training
from activities.insight.fitting import Fitted, NoTrainer, fit
from activities.insight.training import Given, Labelled, train
from domain.insight.evaluation import LEAST_LABELLED, auc
from domain.insight.risk import RiskFeatures, RiskTable
from domain.insight.risk_model import RiskModel, chance_of, feature_names, told

ORDERS = 20_000
HELD_OUT = 4_000
NOISE = 0.03
"""So many labels are the wrong way round."""
DRIVERS = ("returns_90d", "multi_size_same_spu", "discount_pct")


def an_order(chance: random.Random) -> RiskFeatures:
    return RiskFeatures(
        size_exchange_90d=chance.choice((0, 0, 0, 1)), returns_90d=chance.choice((0, 0, 0, 1, 2, 4)),
        orders_90d=chance.randrange(12), multi_size_same_spu=int(chance.random() < 0.15), units=1 + chance.randrange(6),
        lines=1 + chance.randrange(3), amount_100=chance.randrange(40), discount_pct=chance.randrange(60),
        flash=int(chance.random() < 0.1),
    )  # fmt: skip


def truth(order: RiskFeatures) -> float:
    odds = -3.6 + 0.55 * order.returns_90d + 1.4 * order.multi_size_same_spu + 0.035 * order.discount_pct
    return NOISE + (1 - 2 * NOISE) * chance_of(odds - 0.02 * order.orders_90d)


@cache
def labelled() -> tuple[tuple[RiskFeatures, ...], tuple[bool, ...]]:
    chance = random.Random(20)
    orders = tuple(an_order(chance) for _ in range(ORDERS))
    return orders, tuple(chance.random() < truth(order) for order in orders)


def given(came_back: tuple[bool, ...] | None = None, orders: int = ORDERS, held_out: int = HELD_OUT) -> Given:
    features, real = labelled()
    marks = real if came_back is None else came_back
    first = orders - held_out
    return Given(
        "2026-09", Labelled(features[:first], marks[:first]), Labelled(features[first:orders], marks[first:orders]), {},
        RiskTable(), None, 1,
    )  # fmt: skip


def test_it_comes_within_two_points_of_the_best_there_can_be_with_the_planted_drivers_on_top() -> None:
    pytest.importorskip("sklearn")
    found, model = train(given())
    features, real = labelled()
    held_out, marks = features[-HELD_OUT:], real[-HELD_OUT:]
    best = auc([truth(order) for order in held_out], marks)
    assert model is not None and found.model is not None and found.points is not None
    assert found.outcome == "in_force" and found.why == () and best - found.model.auc < 0.02
    assert {driver.feature for driver in found.drivers[:3]} == set(DRIVERS)
    assert found.model.lift > 2 and found.model.brier < found.points.brier
    for tenth in found.model.deciles:
        assert abs(tenth.expected - tenth.came_back) < 0.08, "chances are what they say"
    assert (found.learnt_from, found.held_out, found.returned) == (ORDERS - HELD_OUT, HELD_OUT, sum(marks))
    looked_at = sum(model.score(order).is_high for order in held_out)
    by_points = sum(RiskTable().score(order).is_high for order in held_out)
    assert 0 < looked_at < 1.3 * by_points, "whoever looks has about as much to do as with points"


def test_with_shuffled_labels_it_switches_itself_off() -> None:
    pytest.importorskip("sklearn")
    marks = list(labelled()[1])
    random.Random(3).shuffle(marks)
    found, _ = train(given(tuple(marks)))
    assert found.outcome == "not_better" and "no_better_than_chance" in found.why


def test_a_chance_in_plain_python_is_that_of_scikit_learn_to_the_ninth_digit() -> None:
    pytest.importorskip("sklearn")
    import numpy
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    case = given()
    rows = [[float(told(f, name)) for name in feature_names(())] for f in case.before.features]
    theirs = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))
    theirs.fit(numpy.asarray(rows), numpy.asarray(case.before.came_back))
    _, model = train(case)
    assert model is not None
    read_again = type(model).model_validate_json(model.model_dump_json())
    expected = theirs.predict_proba(numpy.asarray(rows))[:, 1]
    assert max(abs(read_again.chance(f) - e) for f, e in zip(case.before.features, expected, strict=True)) < 1e-9


def test_what_never_varies_weighs_nothing() -> None:
    pytest.importorskip("sklearn")
    fitted = fit([[1, n % 2] for n in range(100)], [n % 2 == 1 for n in range(100)])
    assert fitted.weights[0] == 0.0 and fitted.weights[1] > 1


def test_few_labels_are_nothing_to_learn_from_nor_are_labels_that_are_all_alike() -> None:
    assert train(given(orders=LEAST_LABELLED - 1, held_out=200))[0].outcome == "too_few"
    assert train(given(came_back=(False,) * ORDERS))[0].outcome == "too_few"


def test_where_nothing_can_train_one_points_stay_and_the_model_in_force_is_judged_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_trainer(*_: object) -> Fitted:
        raise NoTrainer

    monkeypatch.setattr(training, "fit", no_trainer)
    assert train(given())[0].outcome == "no_extra" and train(given())[1] is None
    in_force, case = given_model(1), given()
    again, model = train(Given(**(vars(case) | {"in_force": in_force, "version": 9})))
    assert (again.outcome, again.new, model) == ("in_force", False, in_force)
    turned, _ = train(Given(**(vars(case) | {"in_force": given_model(-1), "version": 9})))
    assert turned.outcome == "not_better"


def given_model(sign: int) -> RiskModel:
    known = {"returns_90d": 0.55, "multi_size_same_spu": 1.4, "discount_pct": 0.035}
    weights = tuple(sign * known.get(name, 0.0) for name in feature_names(()))
    return training._model(given(), Fitted(-3.6 * sign, weights, (0.0,) * len(weights), (1.0,) * len(weights)))
