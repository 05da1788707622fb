"""How unusual the way of one order was (R72): how rare its steps are, and how much longer than usual it stood.

rarity = sum over the steps of -log2(orders that went on so ÷ all that left that status)     in tenths of a bit
beyond = sum over the stays of max(0, stay - 95 % of all stays in that status)               in whole hours

What is usual is told by the moves of four weeks. A status that ends a life is no stay, and one that nobody has left
in these weeks has no usual time.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from domain.states import ChildStatus, OrderStatus

USUAL_OVER = timedelta(weeks=4)
ENDS = frozenset(
    {ChildStatus.SIGNED, ChildStatus.CANCELLED, ChildStatus.REFUSED, OrderStatus.COMPLETED, OrderStatus.CLOSED}
)


class Standing(NamedTuple):
    """A status of a child, or of an order."""

    of_child: bool
    status: str


class Move(NamedTuple):
    """Of the order itself, or of one child; each of them moves by itself."""

    child_no: str | None
    from_status: str
    to_status: str
    at: datetime

    @property
    def since(self) -> Standing:
        return Standing(self.child_no is not None, self.from_status)


@dataclass(frozen=True)
class Habits:
    """`steps`: how often each status was left for which; `p95`: how long 95 % stood in it at most."""

    steps: Mapping[tuple[Standing, str], int] = field(default_factory=dict)
    p95: Mapping[Standing, timedelta] = field(default_factory=dict)

    def left(self) -> Mapping[Standing, int]:
        """How often each status was left at all."""
        found: defaultdict[Standing, int] = defaultdict(int)
        for (since, _), times in self.steps.items():
            found[since] += times
        return found


class OrderWay(NamedTuple):
    """Of one order; None: nothing is known that moved it."""

    rarity_x10: int | None
    hours_beyond: int | None


def way(moves: Sequence[Move], habits: Habits, until: datetime) -> OrderWay:
    """`moves` by time; who stands still at `until` has stood until then."""
    if not moves:
        return OrderWay(None, None)
    left = habits.left()
    bits = sum(_bits(habits.steps.get((move.since, move.to_status), 0), left.get(move.since, 0)) for move in moves)
    beyond = sum((max(timedelta(), stay - habits.p95[where]) for where, stay in _stays(moves, until)
                  if where in habits.p95), timedelta())  # fmt: skip
    return OrderWay(math.floor(bits * 10 + 0.5), beyond // timedelta(hours=1))


def _bits(times: int, left: int) -> float:
    """A step that nobody else has taken counts as if it were one more."""
    return math.log2(left / times) if times else math.log2(left + 1)


def _stays(moves: Sequence[Move], until: datetime) -> Iterator[tuple[Standing, timedelta]]:
    """Where both ends are known: our own steps between two facts leave a gap."""
    each: defaultdict[str | None, list[Move]] = defaultdict(list)
    for move in moves:
        each[move.child_no].append(move)
    for child_no, own in each.items():
        for before, after in pairwise(own):
            if before.to_status == after.from_status:
                yield after.since, after.at - before.at
        last = own[-1]
        if last.to_status not in ENDS:
            yield Standing(child_no is not None, last.to_status), until - last.at
