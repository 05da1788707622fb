"""The orders of the scenario file as start messages."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from domain.order import StartOrder
from domain.strict import of

SCENARIOS = Path(__file__).resolve().parents[2] / "tests" / "scenarios" / "scenarios.yaml"
ADDRESS = {
    "recipient": "Han Meimei",
    "phone": "13900000000",
    "province": "上海市",
    "city": "上海市",
    "street": "1 Sample Road",
}


def scenario_orders(now: datetime, path: Path = SCENARIOS) -> Iterator[tuple[str, StartOrder]]:
    """Scenario id and order, for every scenario that has a priced order. Lines without tags go to one warehouse."""
    for scenario in yaml.safe_load(path.read_text(encoding="utf-8"))["scenarios"]:
        order = scenario.get("input", {}).get("order")
        if order and "pricing" in scenario["expected"]:
            yield scenario["id"], _start(order, scenario["expected"]["pricing"]["payable"], now)


def _start(order: dict[str, Any], payable: int, now: datetime) -> StartOrder:
    return of(
        StartOrder,
        {
            "order_no": order["order_no"],
            "channel": "scenarios",
            "channel_order_no": order["order_no"],
            "placed_at": now.isoformat(),
            "buyer": {"buyer_id": f"buyer-of-{order['order_no']}"},
            "address": ADDRESS,
            "lines": [_line(line) for line in order["lines"]],
            "coupons": [
                {"coupon_id": c["id"], "amount_minor": c["amount"], "lines": c["lines"]} for c in order["coupons"]
            ],
            "freight": [_freight(charge) for charge in order["freight"]],
            "payable_minor": payable,
        },
    )


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "line_id": line["id"],
        "sku": line["sku"],
        "qty": line["qty"],
        "unit_price_minor": line["unit_price"],
        "discount_minor": line.get("discount", 0),
        "weight_g": line.get("weight_g", 0),
        "tags": line.get("tags", {"warehouse": "WH-SH"}),
    }


def _freight(charge: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"basis": charge["basis"], "lines": charge["lines"]}
    if "template" in charge:
        t = charge["template"]
        made["template"] = {
            "mode": t["mode"], "first": t["first"], "first_fee_minor": t["first_fee"], "extra": t["extra"],
            "extra_fee_minor": t["extra_fee"], "free_over_minor": t.get("free_over"),
        }  # fmt: skip
    else:
        made["amount_minor"] = charge["amount"]
    return made
