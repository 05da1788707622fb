"""How likely an order comes back, in points, and whether customer service looks at it before it leaves (R59-R61).

What is scored is known when the order is paid: what became of the order itself is never a feature, and nothing is asked
about who the buyer is. A trained model can stand in the place of the table: whoever asks sees a `RiskScore` only.
"""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.order import OrderLine
from domain.strict import Strict

HISTORY = timedelta(days=90)
"""So long before payment a buyer's cases count."""
LONGEST_HOLD_S = 30 * 60
"""A reminder, no block: the order goes by itself."""
Count = Annotated[int, Field(ge=0, le=10**9)]
Points = Annotated[int, Field(ge=0, le=10_000)]


class RiskFeature(StrEnum):
    """What is counted: fields of `RiskFeatures` and of `RiskTable`."""

    SIZE_EXCHANGES = "size_exchange_90d"
    RETURNS = "returns_90d"
    SEVERAL_SIZES = "multi_size_same_spu"


class BuyerHistory(Strict):
    """Cases about a buyer's other orders within `HISTORY` before this one was paid. Those in which the seller was at
    fault, that were refused, withdrawn or never sent back are not counted."""

    size_exchange_90d: Count = 0
    """Exchanged for another size."""
    returns_90d: Count = 0
    """Sent back for money."""


class RiskFeatures(BuyerHistory):
    multi_size_same_spu: Count = 0
    """Articles of which this order has more than one size."""


class FeaturePoints(Strict):
    """`each` for one, together at most `cap`."""

    each: Points
    cap: Points

    def of(self, count: int) -> int:
        return min(count * self.each, self.cap)


class RiskFactor(Strict):
    feature: RiskFeature
    count: Count
    points: Points


class RiskScore(Strict):
    """`factors`: what gave points, the most first."""

    score: Annotated[int, Field(ge=0)]
    threshold: Annotated[int, Field(ge=1)]
    factors: tuple[RiskFactor, ...]

    @property
    def is_high(self) -> bool:
        """Somebody is to look at it before it leaves."""
        return self.score >= self.threshold


class RiskTable(Strict):
    """Points by feature. A part of the policy, so each order is judged by the version that it started with."""

    threshold: Annotated[int, Field(ge=1, le=100_000)] = 60
    """From here on. Above what the table can give: nothing is held."""
    hold_s: Annotated[int, Field(ge=60, le=LONGEST_HOLD_S)] = LONGEST_HOLD_S
    size_exchange_90d: FeaturePoints = FeaturePoints(each=15, cap=45)
    returns_90d: FeaturePoints = FeaturePoints(each=10, cap=40)
    multi_size_same_spu: FeaturePoints = FeaturePoints(each=20, cap=20)

    def score(self, features: RiskFeatures) -> RiskScore:
        counts = {feature: getattr(features, feature) for feature in RiskFeature}
        factors = [RiskFactor(feature=f, count=n, points=getattr(self, f).of(n)) for f, n in counts.items()]
        told = sorted((f for f in factors if f.points), key=lambda f: -f.points)
        return RiskScore(score=sum(f.points for f in factors), threshold=self.threshold, factors=tuple(told))


FACTORS: dict[RiskFeature, tuple[str, str]] = {
    RiskFeature.SIZE_EXCHANGES: ("近90天换尺码", "exchanged for another size in 90 days"),
    RiskFeature.RETURNS: ("近90天退货", "sent back in 90 days"),
    RiskFeature.SEVERAL_SIZES: ("同款多尺码", "articles in several sizes in this order"),
}
"""Chinese, English: said with the count behind."""


def features_of(history: BuyerHistory, lines: Iterable[OrderLine]) -> RiskFeatures:
    """Of an order with these lines. A line whose article is not named is nobody's other size."""
    sizes: dict[str, set[str]] = {}
    for line in lines:
        if line.spu is not None:
            sizes.setdefault(line.spu, set()).add(line.sku)
    several = sum(len(skus) > 1 for skus in sizes.values())
    return RiskFeatures(**history.model_dump(), multi_size_same_spu=several)


def reason_of(risk: RiskScore) -> str:
    """In English, as reasons of holds are kept; pages say it in their own language."""
    because = "; ".join(f"{FACTORS[f.feature][1]}: {f.count} (+{f.points})" for f in risk.factors)
    return f"return risk {risk.score}, looked at from {risk.threshold}: {because}"
