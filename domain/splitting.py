"""One paid order into child orders: a chain of small splitters, each naming the rule that divided."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain.order import SkuTags
from domain.policy import Dimension
from domain.records import ChildPlan, Priced, PricedLine, Reason
from domain.shares import Share, take
from domain.states import ChildStatus


class UnableToSplit(ValueError):
    """The split lacks something it needs. The text names the order and the line."""


@dataclass(frozen=True)
class Units:
    """Some units of one line: `count` of them, from unit `first` (from 0) on."""

    line: PricedLine
    first: int
    count: int


@dataclass(frozen=True)
class Group:
    """Units that stay together so far, and the reasons that cut them out of the order."""

    units: tuple[Units, ...]
    reasons: tuple[Reason, ...] = ()
    status: ChildStatus = ChildStatus.RELEASED


Splitter = Callable[[Group], Iterable[Group]]


def split(
    order_no: str, priced: Priced, stock: Mapping[str, int], priority: Sequence[Dimension]
) -> tuple[ChildPlan, ...]:
    """Child orders of an order: divided by the dimensions of `priority` in turn, by stock last.

    `stock`: units that can be had now, by line_id, for every line. At each level groups follow the first line they
    contain; a reason is listed only where a dimension really divided. The children's money is the sum of the unit
    shares of their units, so it adds up to the order's. Raises `UnableToSplit` for a line without a stock figure.
    Linear in lines. Source: R22-R24, R30, R34; conventions of scenarios.yaml.
    """
    groups = [Group(tuple(Units(line, 0, line.qty) for line in priced.lines))]
    for splitter in (*(by_tag(dimension) for dimension in priority), by_stock(order_no, stock)):
        groups = [piece for group in groups for piece in splitter(group)]
    return tuple(_plan(child_no(order_no, n), group) for n, group in enumerate(groups, start=1))


def child_no(order_no: str, n: int) -> str:
    """Number of the `n`-th child, counted from 1."""
    return f"{order_no}-{n:02d}"


def by_tag(dimension: Dimension) -> Splitter:
    """Units whose SKUs share the tag stay together."""

    def splitter(group: Group) -> Iterable[Group]:
        found: dict[str, list[Units]] = {}
        for units in group.units:
            found.setdefault(_tag(units.line.tags, dimension), []).append(units)
        if len(found) == 1:
            return (group,)
        return [
            Group(tuple(units), (*group.reasons, Reason(dim=dimension, value=value))) for value, units in found.items()
        ]

    return splitter


def by_stock(order_no: str, stock: Mapping[str, int]) -> Splitter:
    """What is there goes now; the missing units wait in a child of their own (R22).

    A group that is missing altogether is not divided: it waits as a whole, and stock is no reason for it.
    """

    def splitter(group: Group) -> Iterable[Group]:
        there, missing = _by_availability(order_no, group.units, stock)
        if not missing:
            return (group,)
        if not there:
            return (Group(group.units, group.reasons, ChildStatus.BACKORDER),)
        return (
            Group(there, (*group.reasons, Reason(dim="stock", value="in_stock"))),
            Group(missing, (*group.reasons, Reason(dim="stock", value="backorder")), ChildStatus.BACKORDER),
        )

    return splitter


def _by_availability(
    order_no: str, units: tuple[Units, ...], stock: Mapping[str, int]
) -> tuple[tuple[Units, ...], tuple[Units, ...]]:
    there: list[Units] = []
    missing: list[Units] = []
    for u in units:
        if u.line.line_id not in stock:
            raise UnableToSplit(f"order {order_no} line {u.line.line_id}: no stock figure; look it up and split again")
        now = min(u.count, max(0, stock[u.line.line_id]))
        if now:
            there.append(Units(u.line, u.first, now))
        if now < u.count:
            missing.append(Units(u.line, u.first + now, u.count - now))
    return tuple(there), tuple(missing)


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


def _plan(number: str, group: Group) -> ChildPlan:
    shares = [take(u.line, u.first, u.count) for u in group.units]
    total = Share(sum(s.net_minor for s in shares), sum(s.freight_minor for s in shares))
    return ChildPlan(
        child_no=number,
        reasons=group.reasons,
        lines={u.line.line_id: u.count for u in group.units},
        warehouse=_warehouse(group.units),
        net_minor=total.net_minor,
        freight_minor=total.freight_minor,
        paid_minor=total.paid_minor,
        status=group.status,
    )


def _warehouse(units: tuple[Units, ...]) -> str:
    # Several warehouses in one child come only from a policy without the dimension `warehouse`. Their joined name
    # belongs to no warehouse, so the push stops at a person instead of shipping half of the child.
    return "+".join(dict.fromkeys(u.line.tags.warehouse for u in units))
