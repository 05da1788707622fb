"""The nearest change that would have avoided a split: found by comparing children, believed only when planned again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from domain.fulfilment.planning import AvailableStock, PlanInputs, plan, warehouses
from domain.fulfilment.splitting import NO_VALUE
from domain.order import SkuTags
from domain.records import ChildPlan, PricedLine
from domain.rules.decision import LineDecision
from domain.states import ChildStatus
from domain.strict import Strict

TRIES = 24
"""Plans made again for one order."""
STEPS = 2_000
"""Search steps of each."""
TAGS: tuple[Literal["customs", "supplier", "logistics"], ...] = ("customs", "supplier", "logistics")


class Change(Strict):
    """One thing that would have had to be otherwise.

    `stock`: `units` more of `sku` in warehouse `value`. `warehouse`: line `line_id` may leave from `value`. A tag: the
    line's is `value`. `condition`, `separation`: the rule `rule_id` gives the line `value` ("none": does not apply).
    """

    kind: Literal["stock", "warehouse", "customs", "supplier", "logistics", "condition", "separation"]
    value: str
    line_id: str | None = None
    sku: str | None = None
    units: int = 0
    name: str | None = None
    """The kind of a separation."""
    rule_id: str | None = None


@dataclass(frozen=True)
class Nearest:
    joins: str
    changes: tuple[Change, ...]


def nearest(
    inputs: PlanInputs, children: Sequence[ChildPlan], *, planned_earlier: bool = False
) -> Mapping[str, Nearest]:
    """By child number, where a change was found that really makes one child less. `planned_earlier`: by other inputs,
    so that nothing at all may have to change any more."""
    if len(children) < 2:
        return {}
    found = _ways(inputs, children)
    ways = sorted((way for way in found if way[3] or planned_earlier), key=lambda way: way[0])
    answer: dict[str, Nearest] = {}
    tries = 0
    for _, mover, target, changes in ways:
        one, other = children[mover].child_no, children[target].child_no
        if (one in answer and other in answer) or tries >= TRIES:
            continue
        tries += 1
        anew = plan(changed(inputs, changes), STEPS).children
        if len(anew) < len(children) and (changes or _together(children[mover], children[target], anew)):
            answer.setdefault(one, Nearest(other, changes))
            answer.setdefault(other, Nearest(one, changes))
    return answer


def _together(one: ChildPlan, other: ChildPlan, anew: Sequence[ChildPlan]) -> bool:
    return any(one.lines.keys() | other.lines.keys() <= child.lines.keys() for child in anew)


def changed(inputs: PlanInputs, changes: Sequence[Change]) -> PlanInputs:
    """The inputs as they would be after the changes."""
    lines = {line.line_id: line for line in inputs.priced.lines}
    decided = {line.line_id: line for line in inputs.decision.lines}
    candidates = dict(inputs.candidates)
    stock = {(b.sku, b.warehouse): b.available for b in inputs.stock}
    for change in changes:
        if change.kind == "stock":
            place = (change.sku or "", change.value)
            stock[place] = stock.get(place, 0) + change.units
            continue
        line_id = change.line_id or ""
        if change.kind == "warehouse":
            candidates[line_id] = (change.value,)
        elif change.kind == "condition":
            group = None if change.value == NO_VALUE else change.value
            decided[line_id] = decided[line_id].model_copy(update={"group": group})
        elif change.kind == "separation":
            decided[line_id] = _separated(decided[line_id], change)
        else:
            tags = lines[line_id].tags.model_copy(update={change.kind: change.value})
            lines[line_id] = lines[line_id].model_copy(update={"tags": tags})
    return inputs.model_copy(
        update={
            "priced": inputs.priced.model_copy(update={"lines": tuple(lines.values())}),
            "decision": inputs.decision.model_copy(update={"lines": tuple(decided.values())}),
            "candidates": candidates,
            "stock": tuple(AvailableStock(sku=s, warehouse=w, available=n) for (s, w), n in sorted(stock.items())),
        }
    )


Weight = tuple[int, int, int, int]
"""Changes, units of stock, and the children's places."""


def _ways(inputs: PlanInputs, children: Sequence[ChildPlan]) -> Iterator[tuple[Weight, int, int, tuple[Change, ...]]]:
    """Each child moved into each other one that ships no later than it."""
    lines = {line.line_id: line for line in inputs.priced.lines}
    decided = {line.line_id: line for line in inputs.decision.lines}
    left = {(b.sku, b.warehouse): b.available for b in inputs.stock}
    for child in children:
        if child.status is not ChildStatus.BACKORDER:
            for line_id, qty in child.lines.items():
                place = (lines[line_id].sku, child.warehouse)
                left[place] = left.get(place, 0) - qty
    for m, mover in enumerate(children):
        for t, target in enumerate(children):
            waits = target.status is ChildStatus.BACKORDER
            if m == t or (waits and mover.status is not ChildStatus.BACKORDER):
                continue
            first = next(iter(target.lines))
            changes = [
                change
                for line_id in mover.lines
                for change in _unlike(lines[line_id], lines[first].tags, decided.get(line_id), decided.get(first))
            ]
            if mover.warehouse != target.warehouse:
                changes += [
                    Change(kind="warehouse", line_id=line_id, value=target.warehouse)
                    for line_id in mover.lines
                    if target.warehouse not in warehouses(lines[line_id], inputs, decided.get(line_id))
                ]
            if not waits:
                changes += _short(mover, target, lines, left)
            units = sum(change.units for change in changes)
            yield (len(changes), units, min(m, t), max(m, t)), m, t, tuple(changes)


def _unlike(
    line: PricedLine, tags: SkuTags, mine: LineDecision | None, theirs: LineDecision | None
) -> Iterator[Change]:
    for tag in TAGS:
        if getattr(line.tags, tag) != getattr(tags, tag):
            yield Change(kind=tag, line_id=line.line_id, value=getattr(tags, tag))
    if mine is None or theirs is None:
        return
    if mine.group != theirs.group:
        rule = mine.group_rule or theirs.group_rule
        yield Change(kind="condition", line_id=line.line_id, value=theirs.group or NO_VALUE, rule_id=rule)
    here, there = ({s.kind: s for s in one.separations} for one in (mine, theirs))
    for kind in sorted(here.keys() | there.keys()):
        was, wanted = (one[kind].value if kind in one else "" for one in (here, there))
        if was != wanted:
            rule = (here.get(kind) or there[kind]).rule_id
            value = wanted or NO_VALUE
            yield Change(kind="separation", line_id=line.line_id, name=kind, value=value, rule_id=rule)


def _short(
    mover: ChildPlan, target: ChildPlan, lines: Mapping[str, PricedLine], left: Mapping[tuple[str, str], int]
) -> Sequence[Change]:
    """Units that would have to lie where the other child ships from."""
    if mover.warehouse == target.warehouse and mover.status is not ChildStatus.BACKORDER:
        return ()
    needed: dict[str, int] = {}
    for line_id, qty in mover.lines.items():
        needed[lines[line_id].sku] = needed.get(lines[line_id].sku, 0) + qty
    short = {sku: qty - max(0, left.get((sku, target.warehouse), 0)) for sku, qty in needed.items()}
    return [
        Change(kind="stock", sku=sku, value=target.warehouse, units=units) for sku, units in short.items() if units > 0
    ]


def _separated(line: LineDecision, change: Change) -> LineDecision:
    kept = tuple(s for s in line.separations if s.kind != change.name)
    if change.value == NO_VALUE:
        return line.model_copy(update={"separations": kept})
    found = {"kind": change.name or "", "value": change.value, "rule_id": change.rule_id or ""}
    added = type(line).model_validate({"line_id": line.line_id, "separations": (found,)}).separations
    return line.model_copy(update={"separations": (*kept, *added)})
