"""Orders to return. Amounts in fen."""

from typing import Any

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from domain.facts import Kind


def cups(qty: int = 2, price: int = 3_000) -> OrderIn:
    """`qty` cups in one parcel, no freight."""
    return OrderIn(order_no="SO26112001", lines=(LineIn(id="L1", sku="CUP", qty=qty, unit_price=price),))


async def paid(house: ScenarioEnvironment, order: OrderIn | None = None, **more: Any) -> ScenarioOrder:
    life = await stocked(house, order or cups(), **more)
    await life.pay()
    return life


async def signed(house: ScenarioEnvironment, order: OrderIn | None = None, **more: Any) -> ScenarioOrder:
    """Paid, shipped and in the buyer's hands."""
    life = await paid(house, order, **more)
    await life.ships(1)
    await life.happens(Kind.SIGNED)
    return life
