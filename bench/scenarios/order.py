"""A scenario's order, in the format's own words, as the `StartOrder` that production prices and splits."""

import re
from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from bench.scenarios.document import Scenario, block, read
from bench.scenarios.plain_yaml import Malformed
from domain.order import SkuTags, StartOrder
from domain.pricing import UnableToPrice, price
from domain.records import Priced
from domain.strict import Strict

Fen = Annotated[int, Field(ge=0)]
Lines = Literal["all"] | tuple[str, ...]


class LineIn(Strict):
    id: str
    sku: str
    qty: int
    unit_price: Fen
    discount: Fen = 0
    line_discount: Fen = 0
    """Another word for `discount`, as `pricing.line_discount` calls it."""
    weight_g: int = 0
    tags: SkuTags | None = None


class CouponIn(Strict):
    id: str
    amount: Fen
    lines: Lines = "all"


class TemplateIn(Strict):
    mode: Literal["qty", "weight_g"]
    first: int
    first_fee: Fen
    extra: int
    extra_fee: Fen
    free_over: Fen | None = None


class FreightIn(Strict):
    amount: Fen | None = None
    template: TemplateIn | None = None
    basis: Literal["net_amount", "qty", "weight_g"] = "net_amount"
    lines: Lines = "all"


class OrderIn(Strict):
    order_no: Annotated[str, Field(min_length=1)]
    lines: tuple[LineIn, ...]
    coupons: tuple[CouponIn, ...] = ()
    freight: tuple[FreightIn, ...] = ()


UNTAGGED = SkuTags(warehouse="NONE")
"""Prices do not look at tags; a split refuses lines without them before it starts."""
ORDER_NO = r"[A-Za-z0-9][A-Za-z0-9_-]{5,25}"
STAND_IN = "SCENARIO"


def order_in(scenario: Scenario) -> OrderIn:
    return read(OrderIn, block(scenario, "order"), "input.order")


def priced(order: OrderIn) -> Priced:
    """The order's price by production's own rules. Raises `Malformed` for an order that production would refuse."""
    try:
        return price(_message(order, {}), {line.id: line.tags or UNTAGGED for line in order.lines})
    except UnableToPrice as e:
        raise Malformed(f"input.order: {e}") from None


def start_order(order: OrderIn, at: datetime, **more: Any) -> StartOrder:
    """The message with which the shop starts it. `at`: placing; `more`: fields that the format does not know, as JSON.

    Lines that share an SKU get SKUs of their own, as the format gives stock line by line.
    """
    number = number_of(order)
    fields = {"order_no": number, "channel_order_no": number, "placed_at": at.isoformat()}
    return _message(order, fields | {"payable_minor": priced(order).payable_minor} | more)


def number_of(order: OrderIn) -> str:
    """The order's number in the environment: its own, unless production's numbers do not look like that."""
    return order.order_no if re.fullmatch(ORDER_NO, order.order_no) else STAND_IN


def _message(order: OrderIn, fields: dict[str, Any]) -> StartOrder:
    # The format gives neither buyer nor address.
    message = {
        "order_no": STAND_IN,
        "channel": "scenario",
        "channel_order_no": STAND_IN,
        "placed_at": "2026-01-01T00:00:00+08:00",
        "buyer": {"buyer_id": "buyer"},
        "address": {
            "recipient": "Li Lei", "phone": "13800000000", "province": "浙江省", "city": "杭州市", "street": "1 Road",
        },
        "lines": [_line(line) for line in _apart(order)],
        "coupons": [{"coupon_id": c.id, "amount_minor": c.amount, "lines": c.lines} for c in order.coupons],
        "freight": [_charge(charge) for charge in order.freight],
        "payable_minor": 0,
    }  # fmt: skip
    return read(StartOrder, message | fields, "input.order")


def _apart(order: OrderIn) -> list[LineIn]:
    times = Counter(line.sku for line in order.lines)
    return [
        line if times[line.sku] == 1 else line.model_copy(update={"sku": f"{line.sku}.{line.id}"})
        for line in order.lines
    ]


def _line(line: LineIn) -> dict[str, Any]:
    return {
        "line_id": line.id,
        "sku": line.sku,
        "qty": line.qty,
        "unit_price_minor": line.unit_price,
        "discount_minor": line.discount + line.line_discount,
        "weight_g": line.weight_g,
        "tags": (line.tags or UNTAGGED).model_dump(),
    }


def _charge(charge: FreightIn) -> dict[str, Any]:
    return {
        "amount_minor": charge.amount,
        "template": charge.template and _template(charge.template),
        "basis": charge.basis,
        "lines": charge.lines,
    }


def _template(template: TemplateIn) -> dict[str, Any]:
    return {
        "mode": template.mode,
        "first": template.first,
        "first_fee_minor": template.first_fee,
        "extra": template.extra,
        "extra_fee_minor": template.extra_fee,
        "free_over_minor": template.free_over,
    }
