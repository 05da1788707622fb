"""A trained return risk (R59): a logistic regression whose coefficients stand in the books, scored in plain Python.

It stands in the place of the table of points while it is in force: whoever asks sees the same `RiskScore`.
"""

from collections.abc import Iterable
from math import exp
from typing import Annotated

from pydantic import Field

from domain.insight.risk import FACTORS, MappedField, RiskFactor, RiskFeatures, RiskScore, RiskTable
from domain.order import Id
from domain.strict import Strict

HIGHEST = {"units": 50, "lines": 50, "amount_100": 100, "orders_90d": 100, "size_exchange_90d": 50, "returns_90d": 50}
"""More of it says no more: one order of ten thousand units must not outweigh everything that was learnt."""
MOST_OF_A_FIELD = 1_000


class Weight(Strict):
    """`weight`: what one of it adds to the log odds; `usual`, `spread`: mean and standard deviation of the orders that
    it was learnt from. `zh`, `en`: of a field of another system."""

    feature: Id
    weight: float
    usual: float
    spread: Annotated[float, Field(ge=0)]
    zh: str = ""
    en: str = ""

    @property
    def pull(self) -> float:
        """How far it moves a usual order: what drives the model is what has the largest."""
        return self.weight * self.spread

    @property
    def words(self) -> tuple[str, str]:
        return FACTORS.get(self.feature, (self.zh, self.en))


class RiskModel(Strict):
    """`threshold`: percent from which on an order is looked at."""

    version: Annotated[int, Field(ge=1)]
    bias: float
    weights: Annotated[tuple[Weight, ...], Field(max_length=60)]
    threshold: Annotated[int, Field(ge=1, le=100)]

    def chance(self, features: RiskFeatures) -> float:
        """That it comes back, 0 to 1."""
        return chance_of(self._log_odds(features))

    def score(self, features: RiskFeatures) -> RiskScore:
        """In percent. A factor gives as many as the chance would fall if it were as usual."""
        odds = self._log_odds(features)
        chance = chance_of(odds)
        factors = []
        for one in self.weights:
            count = told(features, one.feature)
            without = chance_of(odds - one.weight * (count - one.usual))
            if (points := round(100 * (chance - without))) > 0:
                factors.append(RiskFactor(feature=one.feature, count=count, points=points, zh=one.zh, en=one.en))
        ranked = tuple(sorted(factors, key=lambda f: -f.points))
        return RiskScore(score=round(100 * chance), threshold=self.threshold, factors=ranked, model=self.version)

    def drivers(self) -> tuple[Weight, ...]:
        """What moves its score most first, either way."""
        return tuple(sorted((w for w in self.weights if w.pull), key=lambda w: -abs(w.pull)))

    def _log_odds(self, features: RiskFeatures) -> float:
        return self.bias + sum(one.weight * told(features, one.feature) for one in self.weights)


def score(features: RiskFeatures, table: RiskTable, model: RiskModel | None) -> RiskScore:
    """By the model where one is in force and the policy lets it; else by points."""
    return table.score(features) if model is None or not table.trained else model.score(features)


def told(features: RiskFeatures, feature: str) -> int:
    """As the model sees it."""
    return min(features.value(feature), HIGHEST.get(feature, MOST_OF_A_FIELD))


def feature_names(fields: Iterable[MappedField]) -> tuple[str, ...]:
    """What a model may look at: all that is counted, and what the policy maps."""
    return (*FACTORS, *(one.field for one in fields))


def chance_of(log_odds: float) -> float:
    """Without overflow, whichever way it is extreme."""
    if log_odds >= 0:
        return 1 / (1 + exp(-log_odds))
    grown = exp(log_odds)
    return grown / (1 + grown)
