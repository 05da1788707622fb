"""`pricing`: line discounts, coupons and freight, shared out line by line (R30, R46, R47)."""

from typing import Any

from bench.scenarios.document import Scenario
from bench.scenarios.order import order_in, priced
from domain.records import PricedLine


def run(scenario: Scenario) -> dict[str, Any]:
    price = priced(order_in(scenario))
    return {
        "goods_gross": price.goods_gross_minor,
        "line_discount": price.line_discount_minor,
        "coupon": price.coupon_minor,
        "goods_net": price.goods_net_minor,
        "freight": price.freight_minor,
        "payable": price.payable_minor,
        "lines": [_line(line, with_discount=_states_discount(scenario)) for line in price.lines],
    }


def _states_discount(scenario: Scenario) -> bool:
    """The format leaves a line's discount out of most scenarios."""
    expected = scenario.expected.get("pricing")
    lines = expected.get("lines") if isinstance(expected, dict) else None
    return isinstance(lines, list) and any(isinstance(line, dict) and "discount" in line for line in lines)


def _line(line: PricedLine, *, with_discount: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"id": line.line_id, "gross": line.gross_minor}
    if with_discount:
        found["discount"] = line.discount_minor
    return found | {
        "coupon": line.coupon_minor,
        "net": line.net_minor,
        "freight": line.freight_minor,
        "paid": line.paid_minor,
    }
