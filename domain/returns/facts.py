"""What an application is judged by: the order as the books have it, unit by unit."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import combinations
from typing import NamedTuple

from pydantic import AwareDatetime

from domain.order import Id
from domain.returns.models import UnitRange
from domain.shares import UnitShare
from domain.strict import Strict


class Run(NamedTuple):
    """Neighbouring units `first` to `end - 1` of a line."""

    first: int
    end: int
    signed_at: datetime | None = None

    @property
    def units(self) -> int:
        return self.end - self.first


class ParcelRun(Strict):
    """Units of a line in one parcel. Short-picked ones are not in it: a short pick takes a parcel's last units."""

    child_no: str
    first_unit: int
    units: int
    signed_at: AwareDatetime | None = None
    """None: not signed for, so no window has begun."""


class LineFacts(Strict):
    line_id: Id
    sku: Id
    warehouse: str
    qty: int
    shares: tuple[UnitShare, ...]
    """Frozen at payment; none before."""
    shipped: tuple[ParcelRun, ...] = ()
    waiting: tuple[ParcelRun, ...] = ()
    """In parcels that may still leave. Cancelled parcels are in neither."""
    taken: tuple[UnitRange, ...] = ()
    """Units that refunds or open cases hold."""
    left: int
    """Units that no refund and no open case has counted: `qty` less those."""
    applications: int = 0
    """Cases that ever named this line."""
    no_reason: bool = True
    """False: excluded from returns without a reason (fresh, made to measure, unsealed …), as agreed at purchase."""
    warranty_until: date | None = None
    warranty_days: int | None = None
    """Counted from the day after signing."""


class OrderFacts(Strict):
    order_no: str
    buyer_id: str
    currency: str
    paid: bool
    ended: bool
    lines: tuple[LineFacts, ...]
    prior_minor: int = 0
    """Refunds and held money of all other cases of the order: what the cumulative switch adds up."""
    completed_at: AwareDatetime | None = None
    """Receipt confirmed: stands in for a signature that no courier told."""


def free_shipped(line: LineFacts) -> list[Run]:
    """Units that left and that nobody holds, from the first one on."""
    return without((_run(r) for r in line.shipped), line.taken)


def free_waiting(line: LineFacts) -> list[Run]:
    """Units that may still leave and that nobody holds, from the first one on."""
    return without((_run(r) for r in line.waiting), line.taken)


def without(runs: Iterable[Run], taken: Sequence[UnitRange]) -> list[Run]:
    """What is left of `runs`, in unit order."""
    gone = sorted((r.first_unit, r.end) for r in taken)
    left: list[Run] = []
    for run in sorted(runs, key=lambda r: r.first):
        first = run.first
        for gone_first, gone_end in gone:
            if gone_end <= first or gone_first >= run.end:
                continue
            if gone_first > first:
                left.append(Run(first, gone_first, run.signed_at))
            first = gone_end
        if first < run.end:
            left.append(Run(first, run.end, run.signed_at))
    return left


def count(runs: Iterable[Run]) -> int:
    return sum(run.units for run in runs)


def first_units(line_id: str, runs: Iterable[Run], qty: int) -> tuple[UnitRange, ...]:
    """The first `qty` units of `runs`, neighbours joined. The runs hold at least as many."""
    found: list[UnitRange] = []
    for run in sorted(runs, key=lambda r: r.first):
        units = min(run.units, qty)
        if units <= 0:
            break
        qty -= units
        if found and found[-1].end == run.first:
            last = found.pop()
            found.append(UnitRange(line_id=line_id, first_unit=last.first_unit, units=last.units + units))
        else:
            found.append(UnitRange(line_id=line_id, first_unit=run.first, units=units))
    return tuple(found)


MOST_COMBINED = 10


def whole_parcels(lines: Sequence[LineFacts], wanted: dict[str, int]) -> dict[str, list[Run]]:
    """Waiting units by line for a cancellation: parcels first that it takes off whole, since only those can be
    stopped at the warehouse, and as many units in such parcels as possible; then the first units on. Never more than
    `wanted` of a line; fewer if there are not."""
    picked = {line_id: list[Run]() for line_id in wanted}
    for child_no in _best_parcels(lines, wanted):
        for line in lines:
            if inside := _free_of(line, child_no):
                picked[line.line_id] += inside
    for line in lines:
        rest = wanted.get(line.line_id, 0) - count(picked.get(line.line_id, ()))
        if rest > 0:
            mine = picked[line.line_id]
            whole = [UnitRange(line_id=line.line_id, first_unit=run.first, units=run.units) for run in mine]
            more = without((_run(r) for r in line.waiting), [*line.taken, *whole])
            mine += [Run(r.first_unit, r.end) for r in first_units(line.line_id, more, rest)]
    return picked


def _best_parcels(lines: Sequence[LineFacts], wanted: dict[str, int]) -> tuple[str, ...]:
    """The parcels to be stopped: most units, then the earliest. Of very many parcels the largest ones first."""
    sizes: dict[str, dict[str, int]] = {}
    for line in lines:
        for child_no in dict.fromkeys(r.child_no for r in line.waiting):
            sizes.setdefault(child_no, {})[line.line_id] = sum(r.units for r in line.waiting if r.child_no == child_no)
    whole = [
        child_no
        for child_no, size in sorted(sizes.items(), key=lambda item: (len(item[0]), item[0]))
        if all(count(_free_of(line, child_no)) == size.get(line.line_id, 0) for line in lines) and _fits([size], wanted)
    ]
    if len(whole) > MOST_COMBINED:
        chosen: tuple[str, ...] = ()
        for child_no in sorted(whole, key=lambda no: -sum(sizes[no].values())):
            if _fits([sizes[no] for no in (*chosen, child_no)], wanted):
                chosen = (*chosen, child_no)
        return chosen
    ways = [way for n in range(len(whole) + 1) for way in combinations(whole, n)]
    possible = [way for way in ways if _fits([sizes[no] for no in way], wanted)]
    # max() keeps the first of equals, and combinations come in the order of the parcels.
    return max(possible, key=lambda way: sum(sum(sizes[no].values()) for no in way))


def _fits(parcels: Sequence[dict[str, int]], wanted: dict[str, int]) -> bool:
    needed: Counter[str] = Counter()
    for size in parcels:
        needed.update(size)
    return all(n <= wanted.get(line_id, 0) for line_id, n in needed.items())


def _free_of(line: LineFacts, child_no: str) -> list[Run]:
    return without((_run(r) for r in line.waiting if r.child_no == child_no), line.taken)


def _run(r: ParcelRun) -> Run:
    return Run(r.first_unit, r.first_unit + r.units, r.signed_at)
