"""A scenario's order through the real path: goods in, placed, paid, settled; read back out of the books."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from bench.scenarios.document import Scenario, read_as
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.order import OrderIn, number_of, order_in, priced, start_order
from bench.scenarios.plain_yaml import Malformed
from domain.policy import Dimension, Policy
from store.orders.detail import OrderDetail

STOCK: TypeAdapter[dict[str, int]] = TypeAdapter(dict[str, Annotated[int, Field(strict=True, ge=0)]])


@dataclass(frozen=True)
class Settled:
    """A paid order as the books show it."""

    order: OrderIn
    detail: OrderDetail

    def child_no(self, in_house: str) -> str:
        """A child's number under the number that the file gives the order."""
        return self.order.order_no + in_house.removeprefix(number_of(self.order))


async def settled(scenario: Scenario, servers: Servers, priority: tuple[Dimension, ...] | None = None) -> Settled:
    """Paid and split by `priority` (None: the default). Played once for all blocks that want the same."""
    order, stock = order_in(scenario), stock_in(scenario)
    priced(order)  # what production would refuse is a fault of the file, not of the play
    policy = Policy() if priority is None else Policy(split_priority=priority)

    async def play() -> Settled:
        async with servers.house(policy) as house:
            life = await stocked(house, order, stock)
            await life.pay()
            return Settled(order, await life.detail())

    return await servers.share(scenario, f"settled by {policy.split_priority}", play)  # type: ignore[no-any-return]


async def stocked(
    house: ScenarioEnvironment, order: OrderIn, stock: Mapping[str, int] | None = None, **more: Any
) -> ScenarioOrder:
    """The order placed at the time of the environment, its goods in stock. `stock`: units by line; absent: enough.

    `more`: fields of the start message that the format does not know.
    """
    message = start_order(order, house.now(), **more)
    for line in message.lines:
        assert line.tags is not None
        qty = (stock or {}).get(line.line_id, line.qty)
        await house.receive(line.sku, line.tags.warehouse, qty)
    return await ScenarioOrder.place(house, message)


def stock_in(scenario: Scenario) -> dict[str, int]:
    """Units that are there, by line; of lines that the scenario does not name, all."""
    order = order_in(scenario)
    given = read_as(STOCK, scenario.given.get("stock", {}), "input.stock")
    if unknown := sorted(set(given) - {line.id for line in order.lines}):
        raise Malformed(f"input.stock: the order has no lines {', '.join(unknown)}")
    return {line.id: given.get(line.id, line.qty) for line in order.lines}
