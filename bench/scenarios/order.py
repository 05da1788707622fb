"""A scenario's order, in the format's own words, as the `StartOrder` that production prices and splits."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from bench.scenarios.document import Scenario, block, read
from bench.scenarios.plain_yaml import Malformed
from domain.order import Address, Buyer, Coupon, FreightCharge, FreightTemplate, OrderLine, SkuTags, StartOrder
from domain.pricing import UnableToPrice, price
from domain.records import Priced
from domain.strict import Strict, faults

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


def order_in(scenario: Scenario) -> OrderIn:
    return read(OrderIn, block(scenario, "order"), "input.order")


def priced(order: OrderIn) -> Priced:
    """The order's price by production's own rules. Raises `Malformed` for an order that production would refuse."""
    tags = {line.id: line.tags or UNTAGGED for line in order.lines}
    try:
        return price(_start_order(order), tags)
    except ValidationError as e:
        raise Malformed("\n".join(f"input.order.{line}" for line in faults(e).splitlines())) from None
    except UnableToPrice as e:
        raise Malformed(f"input.order: {e}") from None


def _start_order(order: OrderIn) -> StartOrder:
    # The format gives neither buyer nor address, and its order numbers keep no rule: none of them touches the price.
    return StartOrder(
        order_no="SCENARIO",
        channel="scenario",
        channel_order_no="SCENARIO",
        placed_at=datetime(2026, 1, 1, tzinfo=UTC),
        buyer=Buyer(buyer_id="buyer"),
        address=Address(recipient="buyer", phone="10000000", province="-", city="-", street="-"),
        lines=tuple(_line(line) for line in order.lines),
        coupons=tuple(Coupon(coupon_id=c.id, amount_minor=c.amount, lines=c.lines) for c in order.coupons),
        freight=tuple(_charge(charge) for charge in order.freight),
        payable_minor=0,
    )


def _line(line: LineIn) -> OrderLine:
    return OrderLine(
        line_id=line.id,
        sku=line.sku,
        qty=line.qty,
        unit_price_minor=line.unit_price,
        discount_minor=line.discount + line.line_discount,
        weight_g=line.weight_g,
    )


def _charge(charge: FreightIn) -> FreightCharge:
    template: dict[str, Any] | None = charge.template and charge.template.model_dump()
    return FreightCharge(
        amount_minor=charge.amount,
        template=None
        if template is None
        else FreightTemplate(
            mode=template["mode"],
            first=template["first"],
            first_fee_minor=template["first_fee"],
            extra=template["extra"],
            extra_fee_minor=template["extra_fee"],
            free_over_minor=template["free_over"],
        ),
        basis=charge.basis,
        lines=charge.lines,
    )
