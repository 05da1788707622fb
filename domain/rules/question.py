"""An order as rules see it: what a rule set is asked, out of the order's own books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.catalog.records import SkuRecord
from domain.policy import Dimension
from domain.records import Priced, PricedLine
from domain.rules.decision import LineFacts, OrderFacts, RuleQuestion

Place = tuple[str, str]
"""SKU and warehouse."""


@dataclass(frozen=True)
class Head:
    """What rules look at of an order besides its lines. Name, phone and street stay out: rules look at regions, not at
    people."""

    channel: str
    kind: str
    currency: str
    country: str
    province: str
    city: str
    district: str


def question_of(
    head: Head,
    priced: Priced,
    catalogue: Mapping[str, SkuRecord],
    candidates: Mapping[str, Sequence[str]],
    stock: Mapping[Place, int],
    priority: tuple[Dimension, ...],
) -> RuleQuestion:
    """`catalogue` and `candidates` (warehouses it may come from) by line, `stock` available units by place, `priority`
    the policy's split order."""
    order = OrderFacts(
        channel=head.channel,
        kind=head.kind,
        currency=head.currency,
        amount_minor=priced.payable_minor,
        order_lines=len(priced.lines),
        order_qty=sum(line.qty for line in priced.lines),
        order_weight_g=sum(_weight(line, catalogue) * line.qty for line in priced.lines),
        country=head.country,
        province=head.province,
        city=head.city,
        district=head.district,
        policy_priority=priority,
    )
    return RuleQuestion(order=order, lines=tuple(_line(line, catalogue, candidates, stock) for line in priced.lines))


def weighed(priced: Priced, catalogue: Mapping[str, SkuRecord]) -> Priced:
    """With the catalogue's weight where the order brings none: what parcels weigh, whatever freight was reckoned by."""
    lines = tuple(line.model_copy(update={"weight_g": _weight(line, catalogue)}) for line in priced.lines)
    return priced.model_copy(update={"lines": lines})


def _line(
    line: PricedLine,
    catalogue: Mapping[str, SkuRecord],
    candidates: Mapping[str, Sequence[str]],
    stock: Mapping[Place, int],
) -> LineFacts:
    record, tags = catalogue.get(line.line_id), line.tags
    return LineFacts(
        line_id=line.line_id,
        sku=line.sku,
        qty=line.qty,
        stock=max(0, stock.get((line.sku, tags.warehouse), 0)),
        line_amount_minor=line.net_minor,
        ship_from=tags.warehouse,
        warehouses=tuple(candidates.get(line.line_id) or (tags.warehouse,)),
        supplier=tags.supplier,
        logistics=tags.logistics,
        customs=tags.customs,
        cross_border=tags.customs != "domestic",
        battery=record.battery if record else False,
        hazard=record.hazard if record else False,
        weight_g=_weight(line, catalogue),
    )


def _weight(line: PricedLine, catalogue: Mapping[str, SkuRecord]) -> int:
    """Of one unit: what the order says, else the catalogue."""
    record = catalogue.get(line.line_id)
    return line.weight_g or (record.weight_g if record and record.weight_g else 0)
