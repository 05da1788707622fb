"""What else could have been done with a child, and why it was not: other warehouses, other carriers."""

from collections.abc import Mapping, Sequence
from typing import Literal

from domain.fulfilment.carriers import Lanes, allowed, parcel
from domain.fulfilment.planning import PlanInputs, Planned, items_of, warehouses
from domain.fulfilment.sourcing.choosing import DemandLine, Pieces, Place, Sourced
from domain.fulfilment.sourcing.parcels import score
from domain.fulfilment.sourcing.problem import problem
from domain.fulfilment.tariffs import quotes
from domain.records import ChildPlan
from domain.states import ChildStatus
from domain.strict import Strict

Why = Literal["LACKS", "MORE_PARCELS", "DEARER", "LESS_PREFERRED", "NOT_ALLOWED", "NOT_SEARCHED"]


class Rejected(Strict):
    """`amount`: units that were lacking (LACKS), parcels more (MORE_PARCELS), minor units more (DEARER)."""

    what: Literal["warehouse", "carrier"]
    name: str
    why: Why
    amount: int = 0
    sku: str | None = None
    """What was lacking."""
    lines: tuple[str, ...] = ()
    """Lines that could have come from there."""
    rule_id: str | None = None


def rejected(inputs: PlanInputs, planned: Planned) -> Mapping[str, tuple[Rejected, ...]]:
    """By child number. Warehouses in the order of the lines' lists, then carriers as cheap as they come."""
    sources = _Sources(inputs, planned.sourced, planned.children) if planned.sourced else None
    return {
        child.child_no: (
            *(sources.other_warehouses(child) if sources else ()),
            *_other_carriers(child, inputs),
        )
        for child in planned.children
    }


def _other_carriers(child: ChildPlan, inputs: PlanInputs) -> Sequence[Rejected]:
    lines = [line for line in inputs.decision.lines if line.line_id in child.lines]
    may = allowed(lines)
    rule = next((line.carriers_rule for line in lines if line.carriers_rule), None)
    place = parcel(child, inputs.priced, (inputs.province, inputs.city))
    best = child.shipping_cost_minor or 0
    found: list[Rejected] = []
    for quote in quotes(inputs.decision.tariffs, place):
        if quote.carrier == child.carrier:
            continue
        if may is not None and quote.carrier not in may:
            found.append(Rejected(what="carrier", name=quote.carrier, why="NOT_ALLOWED", rule_id=rule))
            continue
        dearer = quote.fee_minor - best
        why: Why = "DEARER" if dearer else "LESS_PREFERRED"
        found.append(
            Rejected(what="carrier", name=quote.carrier, why=why, amount=dearer, rule_id=quote.rule_id or None)
        )
    return found


class _Sources:
    """The sourcing of one order, ready to be varied."""

    def __init__(self, inputs: PlanInputs, sourced: Sourced, children: Sequence[ChildPlan]) -> None:
        lines = inputs.priced.lines
        decided = {line.line_id: line for line in inputs.decision.lines}
        lanes = Lanes(inputs.priced, inputs.decision, inputs.province, inputs.city)
        places = [warehouses(line, inputs, decided.get(line.line_id)) for line in lines]
        stock = {(b.sku, b.warehouse): b.available for b in inputs.stock}
        self._items = {item.line_id: item for item in items_of(lines, places, lanes)}
        self._problem = problem(list(self._items.values()), stock, lanes.cost)
        self._units = sourced.units
        self._score = score(self._problem, sourced.units)
        self._left: dict[Place, int] = dict(stock)
        for line_id, pieces in sourced.units.items():
            for warehouse, count in pieces:
                self._left[self._items[line_id].sku, warehouse] -= count

    def other_warehouses(self, child: ChildPlan) -> Sequence[Rejected]:
        if child.status is ChildStatus.BACKORDER:
            return ()
        items = [self._items[line_id] for line_id in child.lines]
        names = dict.fromkeys(w for item in items for w in item.warehouses if w != child.warehouse)
        return [found for name in names for found in self._other(child, items, name)]

    def _other(self, child: ChildPlan, items: Sequence[DemandLine], name: str) -> Sequence[Rejected]:
        """Every line of the child that could have come from there, moved there together."""
        needed: dict[str, int] = {}
        for item in items:
            if name in item.warehouses:
                needed[item.sku] = needed.get(item.sku, 0) + child.lines[item.line_id]
        short = {sku: n - max(0, self._left.get((sku, name), 0)) for sku, n in needed.items()}
        lacking = [
            Rejected(what="warehouse", name=name, why="LACKS", amount=n, sku=sku) for sku, n in short.items() if n > 0
        ]
        movable = [i for i in items if name in i.warehouses and short[i.sku] <= 0]
        if lacking or not movable:
            return lacking
        moved = dict(self._units)
        for item in movable:
            moved[item.line_id] = _moved(item, self._units[item.line_id], child.warehouse, name)
        more = [b - a for a, b in zip(self._score, score(self._problem, moved), strict=True)]
        why: Why = "MORE_PARCELS" if more[0] > 0 else "DEARER" if more[0] == 0 and more[1] > 0 else "LESS_PREFERRED"
        if more < [0, 0, 0]:
            why = "NOT_SEARCHED"  # only where the search was bounded, or a line would have had to be divided
        lines = tuple(item.line_id for item in movable)
        amount = {"MORE_PARCELS": more[0], "DEARER": more[1]}.get(why, 0)
        return [Rejected(what="warehouse", name=name, why=why, amount=amount, lines=lines)]


def _moved(item: DemandLine, pieces: Pieces, here: str, there: str) -> Pieces:
    count = dict(pieces)
    count[there] = count.get(there, 0) + count.pop(here, 0)
    return tuple((w, count[w]) for w in item.warehouses if count.get(w))
