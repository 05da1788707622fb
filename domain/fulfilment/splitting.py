"""One paid order into child orders: a chain of small splitters, each naming the rule that divided."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.order import SkuTags
from domain.policy import Dimension
from domain.records import ChildPlan, Priced, PricedLine, SplitReason
from domain.rules.decision import LineDecision
from domain.shares import Share, take
from domain.states import ChildStatus

NO_VALUE = "none"
"""Reason of the children that no condition, or no value, sets apart."""


class UnableToSplit(ValueError):
    """The split lacks something it needs. The text names the order and the line."""


@dataclass(frozen=True)
class UnitsThere:
    """Some units of one line from one warehouse; `there` of them can be had now."""

    line: PricedLine
    warehouse: str
    count: int
    there: int


@dataclass(frozen=True)
class Group:
    """Units that stay together so far, and the reasons that cut them out of the order."""

    units: tuple[UnitsThere, ...]
    reasons: tuple[SplitReason, ...] = ()
    status: ChildStatus = ChildStatus.RELEASED


Splitter = Callable[[Group], Iterable[Group]]


def split(
    order_no: str, priced: Priced, stock: Mapping[str, int], priority: Sequence[Dimension]
) -> tuple[ChildPlan, ...]:
    """Child orders of an order whose lines come from the warehouse of their tags: `divide` by tags and stock only.

    `stock`: units that can be had now, by line_id, for every line. Raises `UnableToSplit` for a line without one.
    """
    for line in priced.lines:
        if line.line_id not in stock:
            raise UnableToSplit(f"order {order_no} line {line.line_id}: no stock figure; look it up and split again")
    units = tuple(
        UnitsThere(line, line.tags.warehouse, line.qty, min(line.qty, max(0, stock[line.line_id])))
        for line in priced.lines
    )
    return divide(order_no, units, chain(priority))


def chain(priority: Sequence[Dimension], lines: Sequence[LineDecision] = ()) -> tuple[Splitter, ...]:
    """Conditions first (R27), then the dimensions in their order, then what must never travel together, stock last."""
    by_line = {line.line_id: line for line in lines}
    kinds = sorted({s.kind for line in lines for s in line.separations})
    grouped = (by_condition(by_line),) if any(line.group for line in lines) else ()
    return (*grouped, *map(by_tag, priority), *(by_separation(kind, by_line) for kind in kinds), by_stock)


def divide(
    order_no: str,
    units: Sequence[UnitsThere],
    splitters: Sequence[Splitter],
    first_number: int = 1,
    taken: Mapping[str, int] | None = None,
) -> tuple[ChildPlan, ...]:
    """Child orders of `units`: divided by each splitter in turn. `taken`: by line, units that earlier children have.

    At each level groups follow the first line they contain; a reason is listed only where something really divided. The
    children take the unit shares of a line in the order of their numbers, so their money adds up to the order's.
    Linear in lines. Source: R22-R24, R27, R30, R34; conventions of scenarios.yaml.
    """
    groups = [Group(tuple(units))]
    for splitter in splitters:
        groups = [piece for group in groups for piece in splitter(group)]
    so_far = dict(taken or {})
    return tuple(_plan(child_no(order_no, n), group, so_far) for n, group in enumerate(groups, start=first_number))


def child_no(order_no: str, n: int) -> str:
    """Number of the `n`-th child, counted from 1."""
    return f"{order_no}-{n:02d}"


def by_tag(dimension: Dimension) -> Splitter:
    """Units whose SKUs share the tag stay together; of the warehouse, units that come from the same one."""
    return _by(dimension, lambda u: u.warehouse if dimension == "warehouse" else _tag(u.line.tags, dimension))


def by_condition(lines: Mapping[str, LineDecision]) -> Splitter:
    """Lines that a condition of the rule set groups (R27)."""
    return _by("custom", lambda u: lines[u.line.line_id].group or NO_VALUE)


def by_separation(kind: str, lines: Mapping[str, LineDecision]) -> Splitter:
    """Lines that differ in a kind which the rule set keeps apart never share a parcel."""

    def value(units: UnitsThere) -> str:
        found = (s.value for s in lines[units.line.line_id].separations if s.kind == kind)
        return next(found, "") or NO_VALUE

    return _by(kind, value)


def _by(dim: str, value_of: Callable[[UnitsThere], str]) -> Splitter:
    def splitter(group: Group) -> Iterable[Group]:
        found: dict[str, list[UnitsThere]] = {}
        for units in group.units:
            found.setdefault(value_of(units), []).append(units)
        if len(found) == 1:
            return (group,)
        return [
            Group(tuple(units), (*group.reasons, SplitReason(dim=dim, value=value))) for value, units in found.items()
        ]

    return splitter


def by_stock(group: Group) -> Iterable[Group]:
    """What is there goes now; the missing units wait in a child of their own (R22).

    A group that is missing altogether is not divided: it waits as a whole, and stock is no reason for it.
    """
    there = tuple(replace(u, count=u.there) for u in group.units if u.there)
    missing = tuple(replace(u, count=u.count - u.there, there=0) for u in group.units if u.there < u.count)
    if not missing:
        return (group,)
    if not there:
        return (Group(group.units, group.reasons, ChildStatus.BACKORDER),)
    return (
        Group(there, (*group.reasons, SplitReason(dim="stock", value="in_stock"))),
        Group(missing, (*group.reasons, SplitReason(dim="stock", value="backorder")), ChildStatus.BACKORDER),
    )


def _tag(tags: SkuTags, dimension: Dimension) -> str:
    match dimension:
        case "warehouse":
            return tags.warehouse
        case "customs":
            return tags.customs
        case "supplier":
            return tags.supplier
        case "logistics":
            return tags.logistics


def _plan(number: str, group: Group, taken: dict[str, int]) -> ChildPlan:
    """`taken`: by line, the units that earlier children have; grows."""
    shares: list[Share] = []
    lines: dict[str, int] = {}
    for u in group.units:
        first = taken.get(u.line.line_id, 0)
        shares.append(take(u.line, first, u.count))
        taken[u.line.line_id] = first + u.count
        lines[u.line.line_id] = lines.get(u.line.line_id, 0) + u.count
    total = Share(sum(s.net_minor for s in shares), sum(s.freight_minor for s in shares))
    return ChildPlan(
        child_no=number,
        reasons=group.reasons,
        lines=lines,
        warehouse=_warehouse(group.units),
        net_minor=total.net_minor,
        freight_minor=total.freight_minor,
        paid_minor=total.paid_minor,
        status=group.status,
    )


def _warehouse(units: tuple[UnitsThere, ...]) -> str:
    # Several warehouses in one child come only from a policy without the dimension `warehouse`. Their joined name
    # belongs to no warehouse, so the push stops at a person instead of shipping half of the child.
    return "+".join(dict.fromkeys(u.warehouse for u in units))
