"""`split`, `split_alt`: one order into child orders, numbered, with reasons and money (R22-R24, R30, R34)."""

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from bench.scenarios.document import Scenario, block, read_as
from bench.scenarios.order import OrderIn, order_in, priced
from bench.scenarios.plain_yaml import Malformed
from domain.policy import Dimension, Policy
from domain.records import ChildPlan
from domain.splitting import split

PRIORITY = TypeAdapter(tuple[Dimension, ...])
STOCK: TypeAdapter[dict[str, int]] = TypeAdapter(dict[str, Annotated[int, Field(strict=True, ge=0)]])


def run(scenario: Scenario) -> list[dict[str, Any]]:
    if "split_priority" not in scenario.given:
        return _split(scenario, Policy().split_priority)
    return _split(scenario, _priority(scenario, "split_priority"))


def run_alt(scenario: Scenario) -> list[dict[str, Any]]:
    return _split(scenario, _priority(scenario, "split_priority_alt"))


def _priority(scenario: Scenario, name: str) -> tuple[Dimension, ...]:
    priority = read_as(PRIORITY, block(scenario, name), f"input.{name}")
    if len(set(priority)) != len(priority):
        raise Malformed(f"input.{name}: a dimension stands twice")
    return priority


def _split(scenario: Scenario, priority: tuple[Dimension, ...]) -> list[dict[str, Any]]:
    order = order_in(scenario)
    if untagged := [line.id for line in order.lines if line.tags is None]:
        raise Malformed(f"input.order: lines {', '.join(untagged)} have no tags to split by")
    plans = split(order.order_no, priced(order), _stock(scenario, order), priority)
    return [_child(plan) for plan in plans]


def _stock(scenario: Scenario, order: OrderIn) -> dict[str, int]:
    """Lines that the scenario gives no stock for are all there."""
    given = read_as(STOCK, scenario.given.get("stock", {}), "input.stock")
    if unknown := sorted(set(given) - {line.id for line in order.lines}):
        raise Malformed(f"input.stock: the order has no lines {', '.join(unknown)}")
    return {line.id: given.get(line.id, line.qty) for line in order.lines}


def _child(plan: ChildPlan) -> dict[str, Any]:
    return {
        "child_no": plan.child_no,
        "reasons": [{"dim": reason.dim, "value": reason.value} for reason in plan.reasons],
        "lines": dict(plan.lines),
        "net": plan.net_minor,
        "freight": plan.freight_minor,
        "paid": plan.paid_minor,
        "status": plan.status.value,
    }
