"""`risk`: how many points an order has when it is paid, and whether customer service is shown it before it leaves
(R59-R61)."""

from typing import Annotated, Any

from pydantic import Field

from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import Servers
from bench.scenarios.plain_yaml import Malformed
from domain.insight.risk import FeaturePoints, RiskFeature, RiskFeatures, RiskTable
from domain.strict import Strict

NOTHING = FeaturePoints(each=0, cap=0)


class RiskOrderIn(RiskFeatures):
    id: Annotated[str, Field(min_length=1, max_length=100)]

    @property
    def features(self) -> RiskFeatures:
        return RiskFeatures(**self.model_dump(exclude={"id"}))


class RiskIn(Strict):
    """A feature without points counts nothing."""

    threshold: Annotated[int, Field(ge=1, le=100_000)]
    points: dict[RiskFeature, FeaturePoints]
    orders: tuple[RiskOrderIn, ...]

    @property
    def table(self) -> RiskTable:
        given = {feature.value: self.points.get(feature, NOTHING) for feature in RiskFeature}
        return RiskTable(threshold=self.threshold, **given)


async def play(scenario: Scenario, servers: Servers) -> Any:
    given = read(RiskIn, block(scenario, "risk"), "input.risk")
    if len({order.id for order in given.orders}) < len(given.orders):
        raise Malformed("input.risk.orders: an id stands twice")
    scores = {order.id: given.table.score(order.features) for order in given.orders}
    told = [{"id": number, "score": risk.score, "popup": risk.is_high} for number, risk in scores.items()]
    return ByRule(told, "orders are not held for it yet")
