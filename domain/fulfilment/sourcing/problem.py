"""What sourcing is asked: the lines, where they may come from, and what each gets before anything is weighed."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

Place = tuple[str, str]
"""SKU and warehouse."""
Cost = Callable[[str, str, int], int]
"""What one parcel costs to ship, in minor units: by warehouse, `DemandLine.key` and weight. Never falls with the
weight."""
Pieces = tuple[tuple[str, int], ...]
"""Units by warehouse, in the order of the line's preference; no zeros."""
Move = tuple[int, str, str | None]
"""Of one line: to a warehouse, away from another one (None: new units)."""


@dataclass(frozen=True)
class DemandLine:
    """One line. `warehouses`: where it may come from, best first. Units of different `key` never share a parcel."""

    line_id: str
    sku: str
    qty: int
    warehouses: tuple[str, ...]
    weight_g: int = 0
    key: str = ""


@dataclass(frozen=True)
class Problem:
    """`divisible`: lines that may be divided. `plain`: some allocation that gives every line what it can get."""

    items: Sequence[DemandLine]
    stock: Mapping[Place, int]
    cost: Cost
    divisible: Set[str]
    plain: Mapping[str, Pieces]

    def gets(self, item: DemandLine) -> int:
        """Units that ship now, wherever they come from."""
        return sum(units for _, units in self.plain[item.line_id])


def problem(items: Sequence[DemandLine], stock: Mapping[Place, int], cost: Cost) -> Problem:
    """As many units as possible get shipped, and of equal lines the earlier one first."""
    by_sku: dict[str, list[DemandLine]] = {}
    for item in items:
        by_sku.setdefault(item.sku, []).append(item)
    divisible: set[str] = set()
    plain: dict[str, Pieces] = {}
    for sku, lines in by_sku.items():
        left = {w: max(0, stock.get((sku, w), 0)) for line in lines for w in line.warehouses}
        needed = sum(line.qty for line in lines)
        rest: list[DemandLine] = []
        homes = {line.line_id: next((w for w in line.warehouses if left[w] >= needed), None) for line in lines}
        for line in lines:
            home = homes[line.line_id]
            if home is None:
                divisible.add(line.line_id)
                rest.append(line)
            else:  # it has enough for everybody, so taking from it is in nobody's way
                plain[line.line_id] = ((home, line.qty),)
        for line_id, pieces in plain.items() if rest else ():
            if line_id in homes:
                left[pieces[0][0]] -= pieces[0][1]
        plain |= _served_in_turn(rest, left)
    return Problem(items, stock, cost, divisible, plain)


def _served_in_turn(lines: Sequence[DemandLine], left: dict[str, int]) -> dict[str, Pieces]:
    """Lines of one SKU: each takes what it can, moving earlier ones to another warehouse of theirs if need be.

    Augmenting paths: an earlier line never gets less, and the total is the most that is possible.
    """
    taken: list[dict[str, int]] = [dict.fromkeys(line.warehouses, 0) for line in lines]
    for n, line in enumerate(lines):
        missing = line.qty
        while missing and (found := _path(n, lines, taken, left)):
            path, room = found
            amount = min(missing, room)
            for who, to, off in path:
                taken[who][to] += amount
                if off is not None:
                    taken[who][off] -= amount
            left[path[-1][1]] -= amount
            missing -= amount
    return {
        line.line_id: tuple((w, units) for w, units in held.items() if units)
        for line, held in zip(lines, taken, strict=True)
    }


def _path(
    start: int, lines: Sequence[DemandLine], taken: list[dict[str, int]], left: dict[str, int]
) -> tuple[list[Move], int] | None:
    """The shortest chain of moves that ends where units are left, and how many units it can carry."""
    queue: list[tuple[int, list[Move], int]] = [(start, [], 1 << 62)]
    seen: set[str] = set()
    for who, path, room in queue:
        off = path[-1][1] if path else None
        for to in lines[who].warehouses:
            if to in seen:
                continue
            seen.add(to)
            longer = [*path, (who, to, off)]
            if left[to] > 0:
                return longer, min(room, left[to])
            if len(lines) > 1:
                queue += [
                    (other, longer, min(room, taken[other][to]))
                    for other in range(start)
                    if other != who and taken[other].get(to, 0) > 0
                ]
    return None
