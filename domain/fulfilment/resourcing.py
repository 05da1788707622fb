"""Units that a warehouse or a supplier cannot deliver after all: where else they may come from, as new children.

For short picks and supplier rejections. Only the missing units are looked at; what other children do stays as it is.
Units that nobody else has come back as `nowhere`: they are refunded, or wait, as the caller decides.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from domain.fulfilment.carriers import Lanes, carried
from domain.fulfilment.planning import PlanInputs, at_the_border, warehouses
from domain.fulfilment.sourcing.choosing import DemandLine, Place, source
from domain.fulfilment.splitting import UnitsThere, chain, divide
from domain.order import Id, Qty
from domain.records import ChildPlan
from domain.strict import Strict


class Missing(Strict):
    """Units of one line that one child will not ship: `qty` of them from unit `first_unit` (from 0) on."""

    line_id: Id
    first_unit: Annotated[int, Field(ge=0)]
    qty: Qty


@dataclass(frozen=True)
class Replacement:
    """A new child, and by line the number of the first unit that it takes over."""

    plan: ChildPlan
    first_units: Mapping[str, int]


@dataclass(frozen=True)
class Resourced:
    """`nowhere`: units by line that no other warehouse has, the last ones of the run that was missing."""

    children: tuple[Replacement, ...]
    nowhere: Mapping[str, int]


def resource(
    inputs: PlanInputs,
    missing: Sequence[Missing],
    next_number: int,
    failed: Collection[Place] = (),
) -> Resourced:
    """Children that replace the missing units, numbered from `next_number` on.

    `inputs`: as the order was planned, with `stock` as it is now. `failed`: SKU and warehouse that have just proven
    empty, whatever the books say. One run of units a line. Each child has its units still to be reserved. Their
    money is the sum of exactly these units' shares, so what the order was paid still adds up.
    """
    lines = {line.line_id: line for line in inputs.priced.lines}
    decided = {line.line_id: line for line in inputs.decision.lines}
    lanes = Lanes(inputs.priced, inputs.decision, inputs.province, inputs.city)
    items: list[DemandLine] = []
    for run in missing:
        line = lines[run.line_id]
        places = warehouses(line, inputs, decided.get(run.line_id))
        left = tuple(w for w in places if (line.sku, w) not in failed)
        if left:
            items.append(DemandLine(run.line_id, line.sku, run.qty, left, line.weight_g, lanes.of(line)))
    stock = {(b.sku, b.warehouse): b.available for b in inputs.stock}
    pieces = source(items, stock, lanes.cost).units
    units = [UnitsThere(lines[i.line_id], w, n, n) for i in items for w, n in pieces[i.line_id]]
    first = {run.line_id: run.first_unit for run in missing}
    children: list[Replacement] = []
    splitters = chain(inputs.decision.split_priority, inputs.decision.lines)
    for child in divide(inputs.order_no, units, splitters, next_number, first) if units else ():
        children.append(Replacement(_with_carrier(child, inputs), {line_id: first[line_id] for line_id in child.lines}))
        for line_id, count in child.lines.items():
            first[line_id] += count
    found = {item.line_id: sum(n for _, n in pieces[item.line_id]) for item in items}
    lacking = {run.line_id: run.qty - found.get(run.line_id, 0) for run in missing}
    return Resourced(tuple(children), {line_id: count for line_id, count in lacking.items() if count})


def _with_carrier(child: ChildPlan, inputs: PlanInputs) -> ChildPlan:
    to = (inputs.province, inputs.city)
    return at_the_border(carried(child, inputs.priced, inputs.decision, to), inputs.priced)
