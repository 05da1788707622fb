"""`risk`: how many points an order has when it is paid, and whether customer service is shown it before it leaves
(R59-R61).

Each order of the file is one of a buyer of its own who had those cases before; they are rows that nobody has lived. The
order itself is placed and paid, and shows by its hold what was found.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from bench.insight.planting import PlantedOrder, PlantedReturn, plant_orders, plant_returns
from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import ScenarioEnvironment, Servers
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from bench.scenarios.plain_yaml import Malformed
from domain.insight.risk import FeaturePoints, RiskFeature, RiskFeatures, RiskScore, RiskTable, features_of, traits_of
from domain.order import StartOrder
from domain.policy import Policy
from domain.returns.enums import Reason, ReturnType
from domain.strict import Strict
from store.dispatch.buyer_history import buyer_history
from store.dispatch.holds import HoldRow

NOTHING = FeaturePoints(each=0, cap=0)
MOST_CASES = 500
"""Of one buyer: all of them of one earlier order."""
MOST_ORDERS = 50
MOST_LINES = 50


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
        points: dict[str, Any] = {feature.value: self.points.get(feature, NOTHING) for feature in RiskFeature}
        return RiskTable(threshold=self.threshold, **points)


async def play(scenario: Scenario, servers: Servers) -> Any:
    given = read(RiskIn, block(scenario, "risk"), "input.risk")
    if len({order.id for order in given.orders}) < len(given.orders):
        raise Malformed("input.risk.orders: an id stands twice")
    if why := _why_not(given):
        return ByRule([_told(order, given.table.score(order.features)) for order in given.orders], why)
    async with servers.house(Policy(risk=given.table)) as house:
        house.has_a_known_fault("orders that nobody has lived have no stock and no shares")
        return [await _played(house, order, n, given.table) for n, order in enumerate(given.orders)]


def _why_not(given: RiskIn) -> str:
    """Why nobody plays it; empty: it is played."""
    cases = max((o.size_exchange_90d + o.returns_90d for o in given.orders), default=0)
    articles = max((o.multi_size_same_spu for o in given.orders), default=0)
    impossible = {
        f"more than {MOST_CASES} cases of one buyer": cases > MOST_CASES,
        f"more than {MOST_LINES} lines": articles * 2 + 1 > MOST_LINES,
        f"more than {MOST_ORDERS} orders": len(given.orders) > MOST_ORDERS,
    }
    return next((why for why, so in impossible.items() if so), "")


async def _played(house: ScenarioEnvironment, given: RiskOrderIn, n: int, table: RiskTable) -> dict[str, Any]:
    buyer = f"buyer-{n}"
    await _plant(house, given, buyer, n)
    lines = tuple(LineIn(id=f"L{i}", sku=f"RISKY-{n}-{i}", qty=1, unit_price=100) for i in range(_lines(given)))
    order = OrderIn(order_no=f"RISKY-{n:04d}", lines=lines)
    life = await stocked(house, order, buyer={"buyer_id": buyer}, lines=_articles(order, given))
    await life.pay()
    held = [hold for hold in (await life.detail()).holds if hold.risk is not None]
    risk = await _score(house, life.order, table)
    _soft(held, risk, table)
    went = life.child_no(1) in house.systems.pushed
    assert went is not risk.is_high, f"{given.id}: {risk}, and the warehouse {'has it' if went else 'does not know it'}"
    return _told(given, held[0].risk or risk if held else risk)


def _soft(held: list[HoldRow], risk: RiskScore, table: RiskTable) -> None:
    """It is held once and for the time that the table gives, if at all."""
    assert [h.risk for h in held] == ([risk] if risk.is_high else []), f"{risk} is held as {held}"
    for hold in held:
        assert hold.ends_at == hold.placed_at + timedelta(seconds=table.hold_s), f"{hold} has another end"


async def _score(house: ScenarioEnvironment, order: StartOrder, table: RiskTable) -> RiskScore:
    """By what the books count of its buyer: an order below the threshold shows it nowhere."""
    async with house.pool.acquire() as connection:
        history = await buyer_history(connection, order.order_no, house.now())
    return table.score(features_of(history, traits_of(order)))


async def _plant(house: ScenarioEnvironment, given: RiskOrderIn, buyer: str, n: int) -> None:
    before = house.now() - timedelta(days=30)
    number = f"BEFORE-{n:04d}"
    await plant_orders(house.pool, [PlantedOrder(number, "杭州", before, before, before, before, buyer=buyer)])
    await plant_returns(house.pool, _cases(given, number, before))


def _cases(given: RiskOrderIn, number: str, at: datetime) -> Iterator[PlantedReturn]:
    for _ in range(given.size_exchange_90d):
        yield PlantedReturn(number, at, type=ReturnType.EXCHANGE, reason=Reason.SIZE_DOES_NOT_FIT)
    for _ in range(given.returns_90d):
        yield PlantedReturn(number, at)


def _lines(given: RiskOrderIn) -> int:
    return 2 * given.multi_size_same_spu + 1


def _articles(order: OrderIn, given: RiskOrderIn) -> list[dict[str, Any]]:
    """Two sizes of each article that has several, and one more of an article of its own."""
    return [
        {
            "line_id": line.id, "sku": line.sku, "spu": f"SPU-{n // 2}", "qty": line.qty, "unit_price_minor": 100,
            "tags": {"warehouse": "WH"},
        }
        for n, line in enumerate(order.lines)
    ]  # fmt: skip


def _told(order: RiskOrderIn, risk: RiskScore) -> dict[str, Any]:
    return {"id": order.id, "score": risk.score, "popup": risk.is_high}
