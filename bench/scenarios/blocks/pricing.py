"""`pricing`: line discounts, coupons and freight, shared out line by line (R30, R46, R47), as the books keep it."""

from collections.abc import Mapping
from typing import Any

from bench.scenarios.document import Scenario
from bench.scenarios.environment import Servers
from bench.scenarios.ordered import settled


async def play(scenario: Scenario, servers: Servers) -> dict[str, Any]:
    detail = (await settled(scenario, servers)).detail
    lines = detail.lines

    def total(column: str) -> int:
        return sum(line[column] for line in lines)

    return {
        "goods_gross": total("gross_minor"),
        "line_discount": total("discount_minor"),
        "coupon": total("coupon_minor"),
        "goods_net": total("net_minor"),
        "freight": total("freight_minor"),
        "payable": detail.order.payable_minor,
        "lines": [_line(line, with_discount=_states_discount(scenario)) for line in lines],
    }


def _states_discount(scenario: Scenario) -> bool:
    """The format leaves a line's discount out of most scenarios."""
    expected = scenario.expected.get("pricing")
    lines = expected.get("lines") if isinstance(expected, dict) else None
    return isinstance(lines, list) and any(isinstance(line, dict) and "discount" in line for line in lines)


def _line(line: Mapping[str, Any], *, with_discount: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"id": line["line_id"], "gross": line["gross_minor"]}
    if with_discount:
        found["discount"] = line["discount_minor"]
    return found | {
        "coupon": line["coupon_minor"],
        "net": line["net_minor"],
        "freight": line["freight_minor"],
        "paid": line["paid_minor"],
    }
