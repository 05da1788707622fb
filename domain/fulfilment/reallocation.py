"""Children made anew out of units of others: shipped together (R35), split by hand (R39), sourced again.

Old numbers are never used again. Which units go where is exact, so the money of the new children is the sum of the same
unit shares, and what the order was paid still adds up to the fen.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from domain.fulfilment.merging import BEFORE_PICKING
from domain.fulfilment.planning import at_the_border
from domain.fulfilment.splitting import child_no
from domain.order import Id, Qty, Sku, Tag
from domain.policy import Policy
from domain.records import ChildPlan, OrderWrite, Priced, PricedLine, SplitReason
from domain.shares import take
from domain.states import ChildStatus
from domain.strict import Strict
from domain.units import UnitRange, first_units, without

Because = Literal["merged", "resplit", "resourced", "as before", "new address", "return"]


class Handover(Strict):
    """Units that go from one child to others. `all_of_it`: nothing is left, it ends without a refund."""

    child_no: str
    runs: Annotated[tuple[UnitRange, ...], Field(min_length=1)]
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
    sku: Sku
    warehouse: str


class Resource(Strict):
    """Units that a child cannot ship, to be sourced from elsewhere. Rides with a write, as a `Replan` does."""

    write: OrderWrite
    child_no: str
    runs: Annotated[tuple[UnitRange, ...], Field(min_length=1)]
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
    runs: tuple[UnitRange, ...]


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
    free = {line_id: tuple(r for h in held for r in h.runs if r.line_id == line_id) for line_id in lines}
    waits = any(h.status is ChildStatus.BACKORDER for h in held)
    names = " ".join(h.plan.child_no for h in held)
    carriers = {h.plan.carrier for h in held}
    children: list[ChildPlan] = []
    for n, part in enumerate(parts):
        runs: list[UnitRange] = []
        for line_id in lines:
            taken = first_units(free[line_id], part.lines.get(line_id, 0))
            free[line_id] = without(free[line_id], taken)
            runs += taken
        money = [take(lines[run.line_id], run.first_unit, run.units) for run in runs]
        children.append(
            ChildPlan(
                child_no=child_no(order_no, next_number + n),
                reasons=(SplitReason(dim=because, value=names),),
                lines={line_id: part.lines[line_id] for line_id in lines if line_id in part.lines},
                warehouse=part.warehouse or _where(held, part, n),
                net_minor=sum(share.net_minor for share in money),
                freight_minor=sum(share.freight_minor for share in money),
                paid_minor=sum(share.paid_minor for share in money),
                status=ChildStatus.BACKORDER if waits else ChildStatus.RELEASED,
                carrier=next(iter(carriers)) if len(carriers) == 1 else None,
                runs=tuple(runs),
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


def divided(runs: Sequence[UnitRange], mine: Collection[tuple[str, int]]) -> tuple[tuple[Part, bool], ...]:
    """Two parts of what `runs` hold, the units `mine` in the one that says True. Parts take a line's units from the
    first one on: empty where `mine` are neither the first nor the last ones of their lines."""
    units = sorted(unit for run in runs for unit in run.each())
    cut = [unit for unit in units if unit in mine]
    rest = [unit for unit in units if unit not in mine]
    for first, second, mine_first in ((cut, rest, True), (rest, cut, False)):
        ends, begins = dict(first), dict(reversed(second))  # of each line the highest unit, and the lowest
        if all(end < begins[line_id] for line_id, end in ends.items() if line_id in begins):
            parts = tuple(Part(lines=dict(Counter(line_id for line_id, _ in some))) for some in (first, second))
            return tuple(zip(parts, (mine_first, not mine_first), strict=True))
    return ()


def money_of(priced: Priced, runs: Iterable[UnitRange]) -> tuple[int, int]:
    """Net and freight of exactly these units, minor units."""
    lines: Mapping[str, PricedLine] = {line.line_id: line for line in priced.lines}
    shares = [take(lines[run.line_id], run.first_unit, run.units) for run in runs]
    return sum(s.net_minor for s in shares), sum(s.freight_minor for s in shares)


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


def _where(held: Sequence[Held], part: Part, n: int) -> str:
    places = {h.plan.warehouse for h in held if any(run.line_id in part.lines for run in h.runs)}
    if len(places) != 1:
        why = f"the units of part {n + 1} lie in {', '.join(sorted(places))}: name the warehouse it ships from"
        raise UnableToReplan(ReplanCode.WAREHOUSE_CONFLICT, why)
    return places.pop()
