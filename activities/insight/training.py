"""From labelled orders to a model and the verdict whether it may judge: the month that is held out decides (R59)."""

from collections.abc import Sequence
from dataclasses import dataclass

from activities.insight.fitting import Fitted, NoTrainer, fit
from domain.insight.evaluation import (
    LEAST_LABELLED,
    LEAST_OF_EACH,
    Judged,
    Outcome,
    Training,
    chances_of_points,
    judged,
    not_better,
    threshold_for,
)
from domain.insight.risk import MappedField, RiskFeatures, RiskTable
from domain.insight.risk_model import RiskModel, Weight, feature_names, told


@dataclass(frozen=True)
class Labelled:
    """Orders whose end is known, each with what was counted when it was paid, and whether it came back."""

    features: Sequence[RiskFeatures]
    came_back: Sequence[bool]

    @property
    def tells(self) -> bool:
        """Enough of them came back, and enough did not."""
        returned = sum(self.came_back)
        return min(returned, len(self.came_back) - returned) >= LEAST_OF_EACH


@dataclass(frozen=True)
class Given:
    """`before`, `held_out`: of the months before `month`, and of it. `in_force`: the model that judges now."""

    month: str
    before: Labelled
    held_out: Labelled
    left_out: dict[str, int]
    table: RiskTable
    in_force: RiskModel | None
    version: int


def train(given: Given) -> tuple[Training, RiskModel | None]:
    """Takes a core for seconds. The model judges where the training's outcome is `in_force`."""
    before, held_out = given.before, given.held_out
    labelled = len(before.came_back) + len(held_out.came_back)
    if labelled < LEAST_LABELLED or not before.tells or not held_out.tells:
        return _found(given, "too_few"), None
    try:
        model, new = _model(given, _fitted(given)), True
    except NoTrainer:
        if given.in_force is None:
            return _found(given, "no_extra"), None
        model, new = given.in_force, False  # it is judged again: of what has changed since, only this tells
    by_model = judged([model.chance(f) for f in held_out.features], held_out.came_back)
    by_points = _points(given)
    why = not_better(by_model, by_points, len(held_out.came_back), sum(held_out.came_back))
    found = _found(given, "not_better" if why else "in_force")
    more = {"model": by_model, "points": by_points, "drivers": model.drivers(), "why": why, "new": new}
    return found.model_copy(update=more), model


def _fitted(given: Given) -> Fitted:
    names = feature_names(given.table.fields)
    rows = [[told(features, name) for name in names] for features in given.before.features]
    return fit(rows, given.before.came_back)


def _model(given: Given, fitted: Fitted) -> RiskModel:
    words: dict[str, MappedField] = {one.field: one for one in given.table.fields}
    weights = tuple(
        Weight(
            feature=name, weight=fitted.weights[n], usual=fitted.usual[n], spread=fitted.spread[n],
            zh=words[name].zh if name in words else "", en=words[name].en if name in words else "",
        )
        for n, name in enumerate(feature_names(given.table.fields))
    )  # fmt: skip
    model = RiskModel(version=given.version, bias=fitted.bias, weights=weights, threshold=100)
    looked_at = sum(given.table.points(features) >= given.table.threshold for features in given.before.features)
    percents = [round(100 * model.chance(features)) for features in given.before.features]
    return model.model_copy(update={"threshold": threshold_for(percents, looked_at)})


def _points(given: Given) -> Judged:
    scores = [given.table.points(features) for features in given.before.features]
    chance = chances_of_points(scores, given.before.came_back)
    held_out = given.held_out
    return judged([chance(given.table.points(f)) for f in held_out.features], held_out.came_back)


def _found(given: Given, outcome: Outcome) -> Training:
    held_out = given.held_out.came_back
    return Training(
        month=given.month, outcome=outcome, learnt_from=len(given.before.came_back), held_out=len(held_out),
        returned=sum(held_out), left_out=given.left_out,
    )  # fmt: skip
