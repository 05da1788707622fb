"""The plan of an order: where each unit comes from, which children that makes, who carries them. A pure function of its
inputs, which are stored with the explanation, so that every plan can be made again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from domain.fulfilment.carriers import Lanes, carried
from domain.fulfilment.sourcing.choosing import MOST_STEPS, DemandLine, Sourced, source
from domain.fulfilment.splitting import UnitsThere, chain, divide
from domain.order import Sku
from domain.records import ChildPlan, Priced, PricedLine
from domain.rules.decision import LineDecision, RuleDecision
from domain.states import ChildStatus
from domain.strict import Strict

Warehouses = tuple[str, ...]
DOMESTIC = "domestic"


class AvailableStock(Strict):
    """What could be had of a SKU in a warehouse when the order was planned."""

    sku: Sku
    warehouse: str
    available: Annotated[int, Field(ge=0)]


class PlanInputs(Strict):
    """Everything a plan depends on; nothing personal."""

    order_no: str
    priced: Priced
    decision: RuleDecision
    candidates: dict[str, Warehouses] = Field(default_factory=dict)
    """By line: the catalogue's warehouses, best first. A line that is not named comes from its tag's warehouse."""
    stock: tuple[AvailableStock, ...]
    province: str
    city: str
    policy_version: int = 0


@dataclass(frozen=True)
class Planned:
    """`sourced` None: every line has one warehouse, so there was nothing to choose."""

    children: tuple[ChildPlan, ...]
    sourced: Sourced | None


def plan(inputs: PlanInputs, most_steps: int = MOST_STEPS) -> Planned:
    """The children of an order. An order whose lines have one warehouse each is planned without sourcing."""
    lines = inputs.priced.lines
    decided = {line.line_id: line for line in inputs.decision.lines}
    left = {(b.sku, b.warehouse): b.available for b in inputs.stock}
    places = [warehouses(line, inputs, decided.get(line.line_id)) for line in lines]
    sourced = None
    if all(len(names) == 1 for names in places):
        units = [u for line, names in zip(lines, places, strict=True) for u in _from_one(line, names[0], left)]
    else:
        lanes = Lanes(inputs.priced, inputs.decision, inputs.province, inputs.city)
        items = items_of(lines, places, lanes)
        sourced = source(items, left, lanes.cost, most_steps)
        units = [
            u
            for line, names in zip(lines, places, strict=True)
            for u in _from_several(line, names, sourced.units[line.line_id])
        ]
    splitters = chain(inputs.decision.split_priority, inputs.decision.lines)
    children = divide(inputs.order_no, units, splitters)
    to = (inputs.province, inputs.city)
    ready = (carried(child, inputs.priced, inputs.decision, to) for child in children)
    return Planned(tuple(at_the_border(child, inputs.priced) for child in ready), sourced)


def at_the_border(child: ChildPlan, priced: Priced) -> ChildPlan:
    """A child that crosses the border waits for customs before it goes to its warehouse (R38)."""
    mode = next(line.tags.customs for line in priced.lines if line.line_id in child.lines)
    if mode == DOMESTIC:
        return child
    status = ChildStatus.CUSTOMS_HOLD if child.status is ChildStatus.RELEASED else child.status
    return child.model_copy(update={"customs": mode, "status": status})


def warehouses(line: PricedLine, inputs: PlanInputs, decided: LineDecision | None) -> Warehouses:
    """Where the line may come from, best first: the rule set's preference, as far as the catalogue allows it."""
    allowed = inputs.candidates.get(line.line_id) or (line.tags.warehouse,)
    preferred = tuple(w for w in (decided.warehouses if decided else ()) if w in allowed)
    return (*preferred, *(w for w in allowed if w not in preferred))


def items_of(lines: Sequence[PricedLine], places: Sequence[Warehouses], lanes: Lanes) -> list[DemandLine]:
    """The lines as sourcing sees them."""
    return [
        DemandLine(line.line_id, line.sku, line.qty, names, line.weight_g, lanes.of(line))
        for line, names in zip(lines, places, strict=True)
    ]


def _from_one(line: PricedLine, warehouse: str, left: dict[tuple[str, str], int]) -> Sequence[UnitsThere]:
    """Earlier lines are served first."""
    place = (line.sku, warehouse)
    there = min(line.qty, max(0, left.get(place, 0)))
    left[place] = left.get(place, 0) - there
    return (UnitsThere(line, warehouse, line.qty, there),)


def _from_several(line: PricedLine, names: Warehouses, pieces: Sequence[tuple[str, int]]) -> Sequence[UnitsThere]:
    """What is missing waits for goods in the line's best warehouse."""
    missing = line.qty - sum(count for _, count in pieces)
    waits = [UnitsThere(line, names[0], missing, 0)] if missing and names[0] not in dict(pieces) else []
    return [
        *(UnitsThere(line, w, count + (missing if w == names[0] else 0), count) for w, count in pieces),
        *waits,
    ]
