"""What an application is judged by: the order as the books have it, unit by unit."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import combinations

from pydantic import AwareDatetime

from domain.order import Id, Sku
from domain.shares import UnitShare
from domain.strict import Strict
from domain.units import UnitRange, count, first_units, pieces_without


class ParcelUnits(UnitRange):
    """Units of a line in one parcel. Short-picked ones are not in it: a short pick takes a parcel's last units."""

    child_no: str
    signed_at: AwareDatetime | None = None
    """None: not signed for, so no window has begun."""


class ReturnLineFacts(Strict):
    line_id: Id
    sku: Sku
    warehouse: str
    qty: int
    shares: tuple[UnitShare, ...]
    """Frozen at payment; none before."""
    shipped: tuple[ParcelUnits, ...] = ()
    waiting: tuple[ParcelUnits, ...] = ()
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
    shelf_life_until: date | None = None
    """Counted from the day after signing."""


class ReturnOrderFacts(Strict):
    order_no: str
    buyer_id: str
    currency: str
    paid: bool
    ended: bool
    lines: tuple[ReturnLineFacts, ...]
    prior_minor: int = 0
    """Refunds and held money of all other cases of the order: what the cumulative switch adds up."""
    completed_at: AwareDatetime | None = None
    """Receipt confirmed: stands in for a signature that no courier told."""


def free_shipped(line: ReturnLineFacts) -> list[ParcelUnits]:
    """Units that left and that nobody holds, from the first one on."""
    return pieces_without(line.shipped, line.taken)


def free_waiting(line: ReturnLineFacts) -> list[ParcelUnits]:
    """Units that may still leave and that nobody holds, from the first one on."""
    return pieces_without(line.waiting, line.taken)


MOST_COMBINED = 10


def whole_parcels(lines: Sequence[ReturnLineFacts], wanted: dict[str, int]) -> dict[str, list[UnitRange]]:
    """Waiting units by line for a cancellation: parcels first that it takes off whole, since only those can be
    stopped at the warehouse, and as many units in such parcels as possible; then the first units on. Never more than
    `wanted` of a line; fewer if there are not."""
    picked = {line_id: list[UnitRange]() for line_id in wanted}
    for child_no in _best_parcels(lines, wanted):
        for line in lines:
            if inside := _free_of(line, child_no):
                picked[line.line_id] += inside
    for line in lines:
        rest = wanted.get(line.line_id, 0) - count(picked.get(line.line_id, ()))
        if rest > 0:
            mine = picked[line.line_id]
            mine += first_units(pieces_without(line.waiting, [*line.taken, *mine]), rest)
    return picked


def _best_parcels(lines: Sequence[ReturnLineFacts], wanted: dict[str, int]) -> tuple[str, ...]:
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


def _free_of(line: ReturnLineFacts, child_no: str) -> list[ParcelUnits]:
    return pieces_without((r for r in line.waiting if r.child_no == child_no), line.taken)
