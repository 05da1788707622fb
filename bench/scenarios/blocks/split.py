"""`split`, `split_alt`: a paid order into child orders, numbered, with reasons and money (R22-R24, R30, R34)."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import TypeAdapter

from bench.scenarios.document import ByRule, Scenario, block, read_as
from bench.scenarios.environment import Servers
from bench.scenarios.order import OrderIn, order_in, priced
from bench.scenarios.ordered import Settled, settled, stock_in
from bench.scenarios.plain_yaml import Malformed
from domain.fulfilment.splitting import split
from domain.policy import Dimension, Policy
from domain.records import ChildPlan
from domain.states import ChildStatus

PRIORITY = TypeAdapter(tuple[Dimension, ...])
NOT_A_POLICY = "a policy names every dimension, this priority leaves some out"


async def play(scenario: Scenario, servers: Servers) -> Any:
    if "split_priority" not in scenario.given:
        return await _split(scenario, servers, Policy().split_priority)
    return await _split(scenario, servers, _priority(scenario, "split_priority"))


async def play_alt(scenario: Scenario, servers: Servers) -> Any:
    return await _split(scenario, servers, _priority(scenario, "split_priority_alt"))


def _priority(scenario: Scenario, name: str) -> tuple[Dimension, ...]:
    priority = read_as(PRIORITY, block(scenario, name), f"input.{name}")
    if len(set(priority)) != len(priority):
        raise Malformed(f"input.{name}: a dimension stands twice")
    return priority


async def _split(scenario: Scenario, servers: Servers, priority: tuple[Dimension, ...]) -> Any:
    order = order_in(scenario)
    if untagged := [line.id for line in order.lines if line.tags is None]:
        raise Malformed(f"input.order: lines {', '.join(untagged)} have no tags to split by")
    if set(priority) != set(get_args(Dimension)):
        return ByRule(_by_rule(scenario, order, priority), NOT_A_POLICY)
    found = await settled(scenario, servers, priority)
    return [_child(found, child, order) for child in found.detail.children]


def _child(found: Settled, child: Mapping[str, Any], order: OrderIn) -> dict[str, Any]:
    return {
        "child_no": found.child_no(child["child_no"]),
        "reasons": [{"dim": reason["dim"], "value": reason["value"]} for reason in child["reasons"]],
        "lines": {line.id: child["lines"][line.id] for line in order.lines if line.id in child["lines"]},
        "net": child["net_minor"],
        "freight": child["freight_minor"],
        "paid": child["paid_minor"],
        "status": _planned_status(child["status"]),
    }


def _planned_status(status: str) -> str:
    """The format's split knows what is there and what is not; a hold at customs begins after it."""
    return ChildStatus.RELEASED.value if status == ChildStatus.CUSTOMS_HOLD else status


def _by_rule(scenario: Scenario, order: OrderIn, priority: tuple[Dimension, ...]) -> list[dict[str, Any]]:
    return [_planned(plan) for plan in split(order.order_no, priced(order), stock_in(scenario), priority)]


def _planned(plan: ChildPlan) -> dict[str, Any]:
    return {
        "child_no": plan.child_no,
        "reasons": [reason.model_dump() for reason in plan.reasons],
        "lines": dict(plan.lines),
        "net": plan.net_minor,
        "freight": plan.freight_minor,
        "paid": plan.paid_minor,
        "status": plan.status.value,
    }
