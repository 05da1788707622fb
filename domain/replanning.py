"""Children made anew out of units of others: shipped together (R35), split by hand (R39), sourced again.

Old numbers are never used again. Which units go where is exact, so the money of the new children is the sum of the same
unit shares, and what the order was paid still adds up to the fen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from domain.merging import BEFORE_PICKING
from domain.order import Id, Qty, Tag
from domain.planning import at_the_border
from domain.policy import Policy
from domain.records import ChildPlan, OrderWrite, Priced, PricedLine, Reason, UnitRun
from domain.shares import take
from domain.splitting import child_no
from domain.states import ChildStatus
from domain.strict import Strict

Because = Literal["merged", "resplit", "resourced", "as before", "new address"]


class Handover(Strict):
    """Units that go from one child to others. `all_of_it`: nothing is left, it ends without a refund."""

    child_no: str
    runs: Annotated[tuple[UnitRun, ...], Field(min_length=1)]
    all_of_it: bool
    to: Annotated[tuple[str, ...], Field(min_length=1)]


class Replan(Strict):
    """A change of the plan, as the store takes it: with the order's write, in one transaction."""

    write: OrderWrite
    handovers: Annotated[tuple[Handover, ...], Field(min_length=1)]
    children: Annotated[tuple[ChildPlan, ...], Field(min_length=1)]
    """RELEASED ones are reserved in the same transaction, or all of it is refused; BACKORDER ones wait."""
    because: Because
    remark: str
    approval_id: str | None = None


class Place(Strict):
    sku: Id
    warehouse: str


class Resource(Strict):
    """Units that a child cannot ship, to be sourced from elsewhere. Rides with a write, as a `Replan` does."""

    write: OrderWrite
    child_no: str
    runs: Annotated[tuple[UnitRun, ...], Field(min_length=1)]
    failed: tuple[Place, ...]
    """Where they have just proven not to be, whatever the books say."""
    next_number: Annotated[int, Field(ge=1)]
    policy: Policy
    remark: str


class Elsewhere(Strict):
    """Children that ship the units instead, already reserved, and what nobody has (units by line_id)."""

    children: tuple[ChildPlan, ...]
    nowhere: dict[str, int]


class Part(Strict):
    """One child to be, as a person writes it down. `warehouse` absent: where its units lie now."""

    lines: Annotated[dict[Id, Qty], Field(min_length=1)]
    warehouse: Tag | None = None


class ReplanCode(StrEnum):
    REMARK_REQUIRED = "REMARK_REQUIRED"
    UNKNOWN_CHILD = "UNKNOWN_CHILD"
    CUSTOMS_MODE_CONFLICT = "CUSTOMS_MODE_CONFLICT"
    LOGISTICS_CONFLICT = "LOGISTICS_CONFLICT"
    ALREADY_IN_WAREHOUSE = "ALREADY_IN_WAREHOUSE"
    SUPPLIER_CONFLICT = "SUPPLIER_CONFLICT"
    WAREHOUSE_CONFLICT = "WAREHOUSE_CONFLICT"
    STOCK_MISSING = "STOCK_MISSING"
    UNITS_DIFFER = "UNITS_DIFFER"
    NOTHING_CHANGES = "NOTHING_CHANGES"


class UnableToReplan(ValueError):
    """The children cannot be made so. `code` is the type of the refusal; the text names numbers and lines."""

    def __init__(self, code: ReplanCode, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True)
class Held:
    """A child as it stands, with exactly its units."""

    plan: ChildPlan
    status: ChildStatus
    runs: tuple[UnitRun, ...]


def check_resplit(priced: Priced, held: Sequence[Held], parts: Sequence[Part], remark: str) -> None:
    """What a person asks for before anybody approves it. Raises `UnableToReplan`."""
    names = ", ".join(h.plan.child_no for h in held)
    if not remark.strip():
        raise UnableToReplan(ReplanCode.REMARK_REQUIRED, f"splitting {names} by hand needs a remark that says why")
    lines = {line.line_id: line for line in priced.lines}
    for n, part in enumerate(parts, 1):
        tags = [lines[line_id].tags for line_id in part.lines if line_id in lines]
        for code, values in (
            (ReplanCode.CUSTOMS_MODE_CONFLICT, {t.customs for t in tags}),
            (ReplanCode.LOGISTICS_CONFLICT, {t.logistics for t in tags}),
            (ReplanCode.SUPPLIER_CONFLICT, {t.supplier for t in tags}),
        ):
            if len(values) > 1:
                raise UnableToReplan(code, f"part {n} would hold {' and '.join(sorted(values))}, which travel apart")
    touched = [f"{h.plan.child_no} is {h.status}" for h in held if h.status not in BEFORE_PICKING]
    if touched:
        why = f"{', '.join(touched)}: only what nobody has picked yet can be changed"
        raise UnableToReplan(ReplanCode.ALREADY_IN_WAREHOUSE, why)
    if len({h.status is ChildStatus.BACKORDER for h in held}) > 1:
        waiting = ", ".join(h.plan.child_no for h in held if h.status is ChildStatus.BACKORDER)
        raise UnableToReplan(ReplanCode.STOCK_MISSING, f"{waiting} waits for goods: split the others without it")
    _check_units(held, parts)
    if sorted(_key(p.lines, p.warehouse) for p in parts) == sorted(
        _key(h.plan.lines, h.plan.warehouse if parts[0].warehouse else None) for h in held
    ):
        raise UnableToReplan(ReplanCode.NOTHING_CHANGES, f"{names} are split exactly so already")


def replanned(
    order_no: str,
    priced: Priced,
    held: Sequence[Held],
    parts: Sequence[Part],
    next_number: int,
    because: Because,
) -> tuple[ChildPlan, ...]:
    """The new children, numbered from `next_number` on, in the order of `parts`. Raises `UnableToReplan`.

    The units of a line go to the parts in their order. Every unit of `held` is in exactly one part.
    """
    _check_units(held, parts)
    lines = {line.line_id: line for line in priced.lines}
    free = {line_id: _in_order(held, line_id) for line_id in lines}
    waits = any(h.status is ChildStatus.BACKORDER for h in held)
    names = " ".join(h.plan.child_no for h in held)
    carriers = {h.plan.carrier for h in held}
    children: list[ChildPlan] = []
    for n, part in enumerate(parts):
        runs = tuple(run for line_id in lines for run in _take(free[line_id], line_id, part.lines.get(line_id, 0)))
        money = [take(lines[run.line_id], run.first_unit, run.units) for run in runs]
        children.append(
            ChildPlan(
                child_no=child_no(order_no, next_number + n),
                reasons=(Reason(dim=because, value=names),),
                lines={line_id: part.lines[line_id] for line_id in lines if line_id in part.lines},
                warehouse=part.warehouse or _where(held, part, n),
                net_minor=sum(share.net_minor for share in money),
                freight_minor=sum(share.freight_minor for share in money),
                paid_minor=sum(share.paid_minor for share in money),
                status=ChildStatus.BACKORDER if waits else ChildStatus.RELEASED,
                carrier=next(iter(carriers)) if len(carriers) == 1 else None,
                runs=runs,
            )
        )
    # Each child is declared by itself: what customs said of the old ones is not said of the new ones.
    return tuple(at_the_border(child, priced) for child in children)


def together(held: Sequence[Held], warehouse: str | None = None) -> Part:
    """All of them as one part."""
    total: dict[str, int] = {}
    for h in held:
        for run in h.runs:
            total[run.line_id] = total.get(run.line_id, 0) + run.units
    return Part(lines=total, warehouse=warehouse)


def money_of(priced: Priced, runs: Iterable[UnitRun]) -> tuple[int, int]:
    """Net and freight of exactly these units, minor units."""
    lines: Mapping[str, PricedLine] = {line.line_id: line for line in priced.lines}
    shares = [take(lines[run.line_id], run.first_unit, run.units) for run in runs]
    return sum(s.net_minor for s in shares), sum(s.freight_minor for s in shares)


def last_units(runs: Sequence[UnitRun], units: Mapping[str, int]) -> tuple[UnitRun, ...]:
    """The last `units` (by line_id) of a child that holds `runs`. Raises `ValueError` when it holds fewer."""
    found: list[UnitRun] = []
    for line_id, wanted in units.items():
        left = wanted
        for run in sorted((r for r in runs if r.line_id == line_id), key=lambda r: -r.first_unit):
            count = min(left, run.units)
            if count:
                first = run.first_unit + run.units - count
                found.append(UnitRun(line_id=line_id, first_unit=first, units=count))
                left -= count
        if left:
            raise ValueError(f"line {line_id}: {wanted} units are asked for, {wanted - left} are there")
    return tuple(found)


def without(runs: Sequence[UnitRun], gone: Sequence[UnitRun]) -> tuple[UnitRun, ...]:
    """What is left of `runs` when the units of `gone` went elsewhere."""
    going = {(r.line_id, u) for r in gone for u in range(r.first_unit, r.first_unit + r.units)}
    left: list[UnitRun] = []
    for run in sorted(runs, key=lambda r: (r.line_id, r.first_unit)):
        for unit in range(run.first_unit, run.first_unit + run.units):
            if (run.line_id, unit) in going:
                continue
            last = left[-1] if left else None
            if last is not None and last.line_id == run.line_id and last.first_unit + last.units == unit:
                left[-1] = last.model_copy(update={"units": last.units + 1})
            else:
                left.append(UnitRun(line_id=run.line_id, first_unit=unit, units=1))
    return tuple(left)


def holds(runs: Sequence[UnitRun], some: Sequence[UnitRun]) -> bool:
    """Whether every unit of `some` is among `runs`."""
    return sum(r.units for r in without(runs, some)) == sum(r.units for r in runs) - sum(r.units for r in some)


def less(plan: ChildPlan, gone: Iterable[ChildPlan]) -> ChildPlan:
    """What is left of a child when others have taken these parts of it over."""
    gone = tuple(gone)
    lines = {i: n - sum(g.lines.get(i, 0) for g in gone) for i, n in plan.lines.items()}
    money = {
        name: getattr(plan, name) - sum(getattr(g, name) for g in gone)
        for name in ("net_minor", "freight_minor", "paid_minor")
    }
    return plan.model_copy(update={"lines": {i: n for i, n in lines.items() if n}, **money})


def _check_units(held: Sequence[Held], parts: Sequence[Part]) -> None:
    has, wants = together(held).lines, _sum(part.lines for part in parts)
    for line_id in {**has, **wants}:
        if has.get(line_id, 0) != wants.get(line_id, 0):
            raise UnableToReplan(
                ReplanCode.UNITS_DIFFER,
                f"of line {line_id} the children hold {has.get(line_id, 0)} units, the parts {wants.get(line_id, 0)}: "
                "every unit has to go into exactly one part",
            )


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for lines in counts:
        for line_id, qty in lines.items():
            total[line_id] = total.get(line_id, 0) + qty
    return total


def _key(lines: Mapping[str, int], warehouse: str | None) -> str:
    return f"{sorted(lines.items())} {warehouse or ''}"


def _in_order(held: Sequence[Held], line_id: str) -> list[list[int]]:
    """Runs of a line as [first, count], by unit; they are eaten up by `_take`."""
    return sorted([run.first_unit, run.units] for h in held for run in h.runs if run.line_id == line_id)


def _take(free: list[list[int]], line_id: str, wanted: int) -> list[UnitRun]:
    taken: list[UnitRun] = []
    while wanted:
        run = free[0]
        count = min(wanted, run[1])
        if taken and taken[-1].first_unit + taken[-1].units == run[0]:
            last = taken.pop()
            taken.append(UnitRun(line_id=line_id, first_unit=last.first_unit, units=last.units + count))
        else:
            taken.append(UnitRun(line_id=line_id, first_unit=run[0], units=count))
        run[0], run[1], wanted = run[0] + count, run[1] - count, wanted - count
        if not run[1]:
            free.pop(0)
    return taken


def _where(held: Sequence[Held], part: Part, n: int) -> str:
    places = {h.plan.warehouse for h in held if any(run.line_id in part.lines for run in h.runs)}
    if len(places) != 1:
        why = f"the units of part {n + 1} lie in {', '.join(sorted(places))}: name the warehouse it ships from"
        raise UnableToReplan(ReplanCode.WAREHOUSE_CONFLICT, why)
    return places.pop()
