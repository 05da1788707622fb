"""The parcels that an allocation makes, counted and priced while it grows and shrinks."""

from collections.abc import Mapping

from domain.fulfilment.sourcing.problem import DemandLine, Pieces, Problem

Score = tuple[int, int, int]
"""Parcels, cost in minor units, units times the rank of their warehouse in the line's list. Less is better."""


class ParcelLoad:
    """Units of one key from one warehouse."""

    def __init__(self) -> None:
        self.lines = 0
        self.weight_g = 0
        self.cost_minor = 0


class ParcelLoads:
    """Lines are added, and the last one may be taken off again."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._parcels: dict[tuple[str, str], ParcelLoad] = {}
        self._before: list[list[int]] = []
        self.keys: dict[str, int] = {}
        """Parcels by `DemandLine.key`; no zeros."""
        self.count = 0
        self.cost_minor = 0
        self.rank = 0

    @property
    def score(self) -> Score:
        return (self.count, self.cost_minor, self.rank)

    def add(self, item: DemandLine, pieces: Pieces) -> None:
        before: list[int] = []
        for warehouse, units in pieces:
            parcel = self._parcels.setdefault((warehouse, item.key), ParcelLoad())
            if not parcel.lines:
                self.count += 1
                self.keys[item.key] = self.keys.get(item.key, 0) + 1
            parcel.lines += 1
            parcel.weight_g += units * item.weight_g
            before.append(parcel.cost_minor)
            parcel.cost_minor = self._problem.cost(warehouse, item.key, parcel.weight_g)
            self.cost_minor += parcel.cost_minor - before[-1]
        self.rank += _rank(item, pieces)
        self._before.append(before)

    def take_off(self, item: DemandLine, pieces: Pieces) -> None:
        """The line that was added last."""
        self.rank -= _rank(item, pieces)
        for (warehouse, units), cost_minor in zip(pieces, self._before.pop(), strict=True):
            parcel = self._parcels[warehouse, item.key]
            parcel.lines -= 1
            parcel.weight_g -= units * item.weight_g
            self.cost_minor -= parcel.cost_minor - cost_minor
            parcel.cost_minor = cost_minor
            if not parcel.lines:
                self.count -= 1
                self.keys[item.key] -= 1
                if not self.keys[item.key]:
                    del self.keys[item.key]


def _rank(item: DemandLine, pieces: Pieces) -> int:
    return sum(units * item.warehouses.index(warehouse) for warehouse, units in pieces)


def score(problem: Problem, allocation: Mapping[str, Pieces]) -> Score:
    """Of a whole allocation: each parcel is priced once."""
    weights: dict[tuple[str, str], int] = {}
    for item in problem.items:
        for warehouse, units in allocation[item.line_id]:
            weights[warehouse, item.key] = weights.get((warehouse, item.key), 0) + units * item.weight_g
    cost_minor = sum(problem.cost(warehouse, key, weight_g) for (warehouse, key), weight_g in weights.items())
    return len(weights), cost_minor, sum(_rank(item, allocation[item.line_id]) for item in problem.items)
