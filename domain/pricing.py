"""What an order costs, line by line: line discounts, then coupons, then freight, all shared out to the fen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from domain.money import allocate
from domain.order import FreightCharge, FreightTemplate, OrderLine, SkuTags, StartOrder
from domain.records import Priced, PricedLine

MAX_MINOR = 10**12
"""Bound of `domain.order.Minor`."""


class UnableToPrice(ValueError):
    """The order has no price. The text names the order and what to mend."""


class LineWithoutTags(UnableToPrice):
    """A line's SKU has no tags: never guessed (R25)."""

    def __init__(self, order_no: str, line_id: str, sku: str) -> None:
        super().__init__(f"order {order_no} line {line_id}: SKU {sku} has no tags; add it to the catalogue and retry")
        self.line_id = line_id
        self.sku = sku


class PayableMismatch(UnableToPrice):
    """The shop showed the buyer another amount than our own pricing gives."""

    def __init__(self, order_no: str, shown_minor: int, priced_minor: int) -> None:
        super().__init__(
            f"order {order_no}: the shop showed {shown_minor} but its lines, coupons and freight come to "
            f"{priced_minor} (minor units); correct the order and place it again"
        )
        self.shown_minor = shown_minor
        self.priced_minor = priced_minor


@dataclass
class _Line:
    """A line while it is being priced. `net` falls with each coupon, `freight` grows with each charge."""

    given: OrderLine
    gross: int
    net: int
    coupon: int = 0
    freight: int = 0

    @property
    def weight_g(self) -> int:
        return self.given.weight_g * self.given.qty


def price(order: StartOrder, tags: Mapping[str, SkuTags]) -> Priced:
    """Price of `order` with every coupon and freight charge shared out over its lines. `tags`: by line_id.

    Coupons apply in the listed order, by the current net of their lines and never above it. Freight looks at nets
    after all coupons. Raises `UnableToPrice`: `LineWithoutTags`, a freight charge over no lines, amounts out of range.
    Linear in lines (times coupons and charges), apart from the allocator's sort. Source: conventions of scenarios.yaml.
    """
    for line in order.lines:
        if line.line_id not in tags:
            raise LineWithoutTags(order.order_no, line.line_id, line.sku)
    lines = [_opened(line) for line in order.lines]
    for coupon in order.coupons:
        _take_coupon(_eligible(lines, coupon.lines), coupon.amount_minor)
    for charge in order.freight:
        _add_freight(order.order_no, _eligible(lines, charge.lines), charge)
    return _priced(order.order_no, lines, tags)


def check_payable(order: StartOrder, priced: Priced) -> None:
    """Raises `PayableMismatch`, with both amounts, unless the shop showed the buyer our own price."""
    if order.payable_minor != priced.payable_minor:
        raise PayableMismatch(order.order_no, order.payable_minor, priced.payable_minor)


def freight_fee(template: FreightTemplate, quantity: int, net_minor: int) -> int:
    """Fee of one charge for `quantity` (of the template's mode) of goods worth `net_minor`."""
    if template.free_over_minor is not None and net_minor >= template.free_over_minor:
        return 0
    extra_steps = max(0, -((template.first - quantity) // template.extra))
    return template.first_fee_minor + extra_steps * template.extra_fee_minor


def _opened(line: OrderLine) -> _Line:
    gross = line.qty * line.unit_price_minor
    return _Line(given=line, gross=gross, net=gross - line.discount_minor)


def _eligible(lines: list[_Line], named: Literal["all"] | tuple[str, ...]) -> list[_Line]:
    """In the order of the order, whatever order the coupon names them in: ties go to the earlier line."""
    if named == "all":
        return lines
    wanted = set(named)
    return [line for line in lines if line.given.line_id in wanted]


def _take_coupon(lines: list[_Line], amount: int) -> None:
    nets = [line.net for line in lines]
    for line, part in zip(lines, allocate(min(amount, sum(nets)), nets), strict=True):
        line.net -= part
        line.coupon += part


def _add_freight(order_no: str, lines: list[_Line], charge: FreightCharge) -> None:
    if not lines:
        raise UnableToPrice(f"order {order_no}: a freight charge names no line to spread it over")
    for line, part in zip(lines, allocate(_fee(lines, charge), _weights(lines, charge.basis)), strict=True):
        line.freight += part


def _fee(lines: list[_Line], charge: FreightCharge) -> int:
    if charge.template is None:
        return charge.amount_minor or 0
    quantity = sum(_weights(lines, charge.template.mode))
    return freight_fee(charge.template, quantity, sum(line.net for line in lines))


def _weights(lines: list[_Line], basis: Literal["net_amount", "qty", "weight_g"]) -> Sequence[int]:
    match basis:
        case "net_amount":
            return [line.net for line in lines]
        case "qty":
            return [line.given.qty for line in lines]
        case "weight_g":
            return [line.weight_g for line in lines]


def _priced(order_no: str, lines: list[_Line], tags: Mapping[str, SkuTags]) -> Priced:
    gross = sum(line.gross for line in lines)
    net = sum(line.net for line in lines)
    freight = sum(line.freight for line in lines)
    if gross + freight > MAX_MINOR:
        raise UnableToPrice(f"order {order_no}: goods and freight exceed {MAX_MINOR} minor units")
    return Priced(
        goods_gross_minor=gross,
        line_discount_minor=sum(line.given.discount_minor for line in lines),
        coupon_minor=sum(line.coupon for line in lines),
        goods_net_minor=net,
        freight_minor=freight,
        payable_minor=net + freight,
        lines=tuple(_priced_line(line, tags[line.given.line_id]) for line in lines),
    )


def _priced_line(line: _Line, tags: SkuTags) -> PricedLine:
    return PricedLine(
        line_id=line.given.line_id,
        sku=line.given.sku,
        qty=line.given.qty,
        unit_price_minor=line.given.unit_price_minor,
        gross_minor=line.gross,
        discount_minor=line.given.discount_minor,
        coupon_minor=line.coupon,
        net_minor=line.net,
        freight_minor=line.freight,
        paid_minor=line.net + line.freight,
        weight_g=line.given.weight_g,
        tags=tags,
    )
