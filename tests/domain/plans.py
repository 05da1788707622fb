"""Orders to plan: lines of one letter's worth of detail, stock, tariffs and rules."""

from typing import Any

from domain.fulfilment.planning import AvailableStock, PlanInputs
from domain.fulfilment.tariffs import Tariff
from domain.order import SkuTags
from domain.pricing import price
from domain.records import ChildPlan
from domain.rules.decision import LineDecision, RuleDecision, without_rules
from tests.domain.orders import line, order

PRIORITY = ("warehouse", "customs", "supplier", "logistics")


def tariff(carrier: str, fee: int, extra: int = 0, **more: Any) -> Tariff:
    """First kilogram `fee`, each further one `extra`."""
    return Tariff(carrier=carrier, first_g=1000, first_fee_minor=fee, extra_g=1000, extra_fee_minor=extra, **more)


def decision(*lines: LineDecision, line_ids: tuple[str, ...] = (), **more: Any) -> RuleDecision:
    """A rule set of version 7 that says something about some lines."""
    named = {one.line_id: one for one in lines}
    every = tuple(named.get(i, LineDecision(line_id=i)) for i in dict.fromkeys((*line_ids, *named)))
    fields: dict[str, Any] = {
        "version": 7, "split_priority": PRIORITY, "priority_rule": "dimension_order/1", "lines": every,
    }  # fmt: skip
    return RuleDecision(**(fields | more))


def inputs(
    lines: dict[str, tuple[int, str]],
    stock: dict[str, int],
    rules: RuleDecision | None = None,
    tags: dict[str, dict[str, str]] | None = None,
    weight_g: int = 500,
) -> PlanInputs:
    """`lines`: quantity and warehouses (a letter each, best first) by line; a unit costs 10.00 and 1.00 freight.

    `stock`: `{"L1A": 3}` are three units of line L1's SKU in warehouse A. `tags`: of single lines.
    """

    def tags_of(name: str, places: str) -> SkuTags:
        return SkuTags(**({"warehouse": places[0]} | (tags or {}).get(name, {})))

    start = order(
        *(
            line(name, qty, 1000, weight_g=weight_g, tags=tags_of(name, places))
            for name, (qty, places) in lines.items()
        ),
        freight=({"amount_minor": 100 * sum(qty for qty, _ in lines.values()), "basis": "qty"},),
    )
    priced = price(start, {given.line_id: given.tags for given in start.lines if given.tags})
    return PlanInputs(
        order_no="SO-TEST-1",
        priced=priced,
        decision=rules or without_rules(PRIORITY, lines),  # type: ignore[arg-type]
        candidates={name: tuple(places) for name, (_, places) in lines.items() if len(places) > 1},
        stock=tuple(
            AvailableStock(sku=f"SKU-{n[:-1]}", warehouse=n[-1], available=count) for n, count in stock.items()
        ),
        province="浙江省",
        city="杭州市",
    )


def shape(children: tuple[ChildPlan, ...]) -> list[tuple[str, dict[str, int], str]]:
    """Warehouse, units and status of each child."""
    return [(c.warehouse, dict(c.lines), c.status.value) for c in children]
