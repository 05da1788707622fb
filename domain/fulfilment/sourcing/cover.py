"""A good allocation at once, whatever the size of the order: for each kind of parcel the fewest warehouses that do."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from domain.fulfilment.sourcing.parcels import score
from domain.fulfilment.sourcing.problem import DemandLine, Pieces, Place, Problem

MOST_TRIED = 10
"""So many warehouses are tried in every combination; of more, the one that serves most is taken again and again."""

Allocation = dict[str, Pieces]


def cover(problem: Problem) -> Allocation:
    """The better of the plain allocation and one that opens few warehouses for each key. Linear in lines."""
    plain = dict(problem.plain)
    fewer = _few_warehouses(problem)
    return fewer if score(problem, fewer) <= score(problem, plain) else plain


def _few_warehouses(problem: Problem) -> Allocation:
    """Lines that one warehouse can serve whole go to few of them; divided lines then draw on what is open already.

    A line only moves away from its plain place if that is in nobody's way.
    """
    answer: Allocation = dict(problem.plain)
    by_key: dict[str, list[DemandLine]] = {}
    for item in problem.items:
        by_key.setdefault(item.key, []).append(item)
    enough = _enough(problem)
    for lines in by_key.values():
        whole = [(line, enough[line.line_id]) for line in lines if line.line_id not in problem.divisible]
        chosen = _fewest([places for _, places in whole])
        for line, places in whole:
            home = next(w for w in places if w in chosen)
            answer[line.line_id] = ((home, line.qty),)
    _draw_on_open_ones(problem, answer)
    return answer


def _enough(problem: Problem) -> Mapping[str, tuple[str, ...]]:
    """By line that is not divided: warehouses with enough of its SKU for the whole order, best first."""
    needed: dict[str, int] = {}
    for item in problem.items:
        needed[item.sku] = needed.get(item.sku, 0) + item.qty
    return {
        item.line_id: tuple(w for w in item.warehouses if problem.stock.get((item.sku, w), 0) >= needed[item.sku])
        for item in problem.items
    }


def _fewest(lines: Sequence[tuple[str, ...]]) -> frozenset[str]:
    """The fewest warehouses such that each line has one of them; of equals those that the lines like best."""
    wishes: dict[tuple[str, ...], int] = {}
    for places in lines:
        wishes[places] = wishes.get(places, 0) + 1
    names = list(dict.fromkeys(w for places in wishes for w in places))
    if len(names) > MOST_TRIED:
        return _most_first(wishes)
    for size in range(len(names) + 1):
        fits = [c for c in map(frozenset, combinations(names, size)) if all(c.intersection(p) for p in wishes)]
        if fits:
            return min(fits, key=lambda c: (_dislike(c, wishes), sorted(c)))
    return frozenset(names)


def _dislike(chosen: frozenset[str], wishes: Mapping[tuple[str, ...], int]) -> int:
    return sum(count * next(n for n, w in enumerate(p) if w in chosen) for p, count in wishes.items())


def _most_first(wishes: Mapping[tuple[str, ...], int]) -> frozenset[str]:
    chosen: set[str] = set()
    open_wishes = dict(wishes)
    while open_wishes:
        serves: dict[str, int] = {}
        for places, count in open_wishes.items():
            for warehouse in places:
                serves[warehouse] = serves.get(warehouse, 0) + count
        best = min(serves, key=lambda w: (-serves[w], w))
        chosen.add(best)
        open_wishes = {p: n for p, n in open_wishes.items() if best not in p}
    return frozenset(chosen)


def _draw_on_open_ones(problem: Problem, answer: Allocation) -> None:
    """Divided lines take from warehouses that ship for their key anyway, then from the fullest; never from units that
    another line counts on."""
    left = dict(problem.stock)
    open_for: dict[str, set[str]] = {}
    for item in problem.items:
        for warehouse, units in answer[item.line_id]:
            left[item.sku, warehouse] -= units
            if item.line_id not in problem.divisible:
                open_for.setdefault(item.key, set()).add(warehouse)
    for item in problem.items:
        if item.line_id in problem.divisible:
            opened = open_for.setdefault(item.key, set())
            for warehouse, units in answer[item.line_id]:
                left[item.sku, warehouse] += units
            answer[item.line_id] = _drawn(item, problem.gets(item), left, opened)
            for warehouse, units in answer[item.line_id]:
                left[item.sku, warehouse] -= units
                opened.add(warehouse)


def _drawn(item: DemandLine, units: int, left: Mapping[Place, int], opened: set[str]) -> Pieces:
    def first(warehouse: str) -> tuple[bool, int, int]:
        return (warehouse not in opened, -left.get((item.sku, warehouse), 0), item.warehouses.index(warehouse))

    taken: dict[str, int] = {}
    for warehouse in sorted(item.warehouses, key=first):
        here = min(units, max(0, left.get((item.sku, warehouse), 0)))
        if here:
            taken[warehouse] = here
            units -= here
    return tuple((w, taken[w]) for w in item.warehouses if w in taken)
